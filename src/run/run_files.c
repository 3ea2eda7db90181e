// An append that is one reader over local files loads each file once (models.md §5.2): what was
// loaded stands in the commit with size and time, so that a file that was written since counts as
// new, and is loaded as a whole.
#include "base/text.h"
#include "lake/ast.h"
#include "model/new_files.h"
#include "plan/plan_files.h"
#include "run/turn.h"

// "SELECT ['a', 'b']", of the files that are new; empty: none is.
static str new_files(struct turn *turn) {
    const struct file_input_list *files = &turn->step->files;
    struct text text;
    text_init(&text, turn->arena);
    for (size_t i = 0; i < files->count; i++) {
        if (!file_input_list_has(&turn->step->commit.inputs, &files->items[i])) {
            text_add(&text, text.size == 0 ? STR("SELECT [") : STR(", "));
            text_add(&text, lake_quote_text(turn->arena, files->items[i].path));
        }
    }
    text_add(&text, text.size == 0 ? STR("") : STR("]"));
    return text_str(&text);
}

enum error_code turn_choose_files(struct turn *turn, struct error *err) {
    struct lake_connection *connection = turn->runner->session.connection;
    struct write *write = &turn->write;
    const str list = new_files(turn);
    write->source = WRITE_NEW;
    write->body_is_own = false;
    write->body_is_masked = false;
    if (list.size == 0) { // a file went: there is nothing to take back from an append
        write->body =
            str_format(turn->arena, "FROM (" STR_FORMAT "\n) LIMIT 0", STR_ARGS(write->body));
        return ERROR_NONE;
    }
    str ast;
    TRY(lake_ast_read(connection, turn->arena, list, &ast, err));
    TRY(sql_ast_replace_first_argument(turn->arena, turn->step->model->ast, ast, &ast, err));
    return lake_ast_write(connection, turn->arena, ast, &write->body, err);
}
