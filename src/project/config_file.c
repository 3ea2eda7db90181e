#include "project/config_file.h"

#include "base/arena.h"
#include "base/environment.h"
#include "base/file.h"
#include "base/list.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/lake.h"
#include "lake/script.h"
#include "project/checks.h"
#include "project/config_statement.h"
#include "project/settings.h"

#include <string.h>

str config_blank_comments(struct arena *arena, str text) {
    char *out = arena_alloc_bytes(arena, text.size);
    size_t offset = 0;
    while (offset < text.size) {
        const size_t code = sql_skip_space(text, offset);
        for (; offset < code; offset++) {
            out[offset] = text.data[offset] == '\n' ? '\n' : ' ';
        }
        const size_t end = sql_skip_token(text, offset);
        for (; offset < end; offset++) {
            out[offset] = text.data[offset];
        }
    }
    return (str){out, text.size};
}

enum error_code config_file_read(const struct project *project, str name, str alias,
                                 struct config_file *file, bool *found, struct error *err) {
    struct arena *arena = project->arena;
    *file = (struct config_file){.name = name};
    const str path = project_path(project, name);
    *found = path_exists(path);
    if (!*found) {
        return ERROR_NONE;
    }
    TRY(file_read(arena, path, &file->original, err));
    str text = config_blank_comments(arena, file->original);
    if (!str_is_empty(alias)) {
        text = str_replace_all(arena, text, STR("{{catalog}}"), alias);
    }
    return environment_expand(project->context->environment, arena, name, text, &file->text, err);
}

// The line shown is the one in the user's file: the text that ran has secrets in it.
static void show_original(struct error *err, const struct config_file *file) {
    err->source_line[0] = '\0';
    error_source(err, file->original);
}

enum error_code config_file_run(const struct project *project, struct lake_connection *connection,
                                str name, str alias, bool *found, struct error *err) {
    struct config_file file;
    bool is_there = false;
    TRY(config_file_read(project, name, alias, &file, &is_there, err));
    if (found != NULL) {
        *found = is_there;
    }
    if (!is_there) {
        return ERROR_NONE;
    }
    const struct script_observer observer = settings_observer(connection);
    const enum error_code code = lake_script_run(connection, name, file.text, &observer, err);
    if (code != ERROR_NONE) {
        show_original(err, &file);
    }
    return code;
}

// ── Macros ──

// CREATE [OR REPLACE] [TEMP] MACRO [IF NOT EXISTS] [[catalog.]schema.]name, as offsets into it.
struct macro_head {
    bool or_replace;
    bool if_not_exists;
    size_t after_create;
    size_t name; // its last part
    size_t name_end;
};

static bool macro_head_read(str statement, struct macro_head *head) {
    size_t offset = 0;
    *head = (struct macro_head){0};
    if (!sql_take_word(statement, &offset, "CREATE")) {
        return false;
    }
    head->after_create = offset;
    head->or_replace =
        sql_take_word(statement, &offset, "OR") && sql_take_word(statement, &offset, "REPLACE");
    (void)(sql_take_word(statement, &offset, "TEMP") ||
           sql_take_word(statement, &offset, "TEMPORARY"));
    if (!sql_take_word(statement, &offset, "MACRO") &&
        !sql_take_word(statement, &offset, "FUNCTION")) {
        return false;
    }
    head->if_not_exists = sql_take_word(statement, &offset, "IF") &&
                          sql_take_word(statement, &offset, "NOT") &&
                          sql_take_word(statement, &offset, "EXISTS");
    do {
        head->name = sql_skip_space(statement, offset);
        head->name_end = sql_skip_token(statement, head->name);
        offset = head->name_end;
    } while (sql_take_word(statement, &offset, "."));
    return true;
}

// A schema before the name goes: DuckDB finds memory.main's macros as `name` and `main.name`, and
// those of another schema of memory's by neither.
str macro_redirect(struct arena *arena, str statement) {
    struct macro_head head;
    if (!macro_head_read(statement, &head)) {
        return statement;
    }
    struct text out;
    text_init(&out, arena);
    // IF NOT EXISTS leaves what is there alone; anything else is made anew in every session.
    text_add(&out, head.if_not_exists && !head.or_replace ? STR("CREATE MACRO")
                                                          : STR("CREATE OR REPLACE MACRO"));
    // The spaces between keep line numbers as they are.
    const str gap = str_slice(statement, head.after_create, head.name);
    for (size_t i = 0; i < gap.size; i++) {
        if (gap.data[i] == '\n') {
            text_add_char(&out, '\n');
        }
    }
    text_add(&out, head.if_not_exists ? STR(" IF NOT EXISTS memory.") : STR(" memory."));
    text_add(&out, str_from_offset(statement, head.name));
    return text_str(&out);
}

bool macro_name(struct arena *arena, str statement, str *name) {
    struct macro_head head;
    if (!macro_head_read(statement, &head)) {
        return false;
    }
    *name = attach_text_unquote(arena, str_slice(statement, head.name, head.name_end));
    return true;
}

enum error_code config_macros_run(const struct project *project, struct lake_connection *connection,
                                  struct config_statements *statements, struct error *err) {
    struct str_list names = {0};
    const str folder = STR("config/macros");
    TRY(directory_files(project->arena, project_path(project, folder), &names, err));
    for (size_t i = 0; i < names.count; i++) {
        if (str_ends_with(names.items[i], STR(".sql"))) {
            TRY(config_statements_read(project, path_join(project->arena, folder, names.items[i]),
                                       statements, err));
        }
    }
    TRY(config_statements_run(connection, statements, err));
    if (statements->undone > 0) {
        // It may build on a macro of ours, which are made only when they are used.
        TRY(checks_load_all(connection, err));
        TRY(config_statements_run(connection, statements, err));
    }
    const struct config_statement *broken = config_statements_broken(statements);
    if (broken != NULL) {
        *err = broken->problem;
    }
    return broken == NULL ? ERROR_NONE : err->code;
}

static void note_macros(const struct project *project, str file, str text, struct map *names) {
    struct arena *arena = project->arena;
    struct sql_statement_list statements = {0};
    sql_split(arena, config_blank_comments(arena, text), &statements);
    for (size_t i = 0; i < statements.count; i++) {
        const str statement = statements.items[i].text;
        str name;
        if (macro_name(arena, statement, &name)) {
            str *value = ARENA_NEW(arena, str);
            *value = file;
            (void)map_set(names, str_copy(arena, name), value);
        }
    }
}

enum error_code config_macros_names(const struct project *project, struct map *names,
                                    struct error *err) {
    struct str_list files = {0};
    const str folder = STR("config/macros");
    map_init_nocase(names, project->arena);
    TRY(directory_files(project->arena, project_path(project, folder), &files, err));
    for (size_t i = 0; i < files.count; i++) {
        const str file = path_join(project->arena, folder, files.items[i]);
        str text;
        if (str_ends_with(file, STR(".sql"))) {
            TRY(file_read(project->arena, project_path(project, file), &text, err));
            note_macros(project, file, text, names);
        }
    }
    return ERROR_NONE;
}
