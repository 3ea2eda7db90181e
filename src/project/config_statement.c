#include "project/config_statement.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/list.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/lake.h"
#include "lake/script.h"
#include "project/session_view.h"
#include "project/settings.h"

// ── Reading ──

// `ATTACH 'dir/shop.db'` without a name is called shop.
static str attach_name(const struct attach_text *attach) {
    if (attach->alias.size > 0) {
        return attach->alias;
    }
    const size_t slash = str_find_last_char(attach->path, '/');
    const str file = str_from_offset(attach->path, slash == SIZE_MAX ? 0 : slash + 1);
    return str_slice(file, 0, str_find_char(file, '.'));
}

static void classify(struct arena *arena, struct config_statement *item) {
    struct sql_view view;
    const struct attach_text attach = attach_text_parse(arena, item->text);
    item->kind = CONFIG_OTHER;
    if (macro_name(arena, item->text, &item->name)) {
        item->kind = CONFIG_MACRO;
    } else if (sql_view_read(arena, item->text, &view)) {
        item->kind = CONFIG_VIEW;
        item->name = view.name;
    } else if (attach.is_attach) {
        item->kind = CONFIG_ATTACH;
        item->name = attach_name(&attach);
    }
}

enum error_code config_statements_read(const struct project *project, str name,
                                       struct config_statements *statements, struct error *err) {
    struct arena *arena = project->arena;
    struct config_file *file = ARENA_NEW(arena, struct config_file);
    struct sql_statement_list list = {0};
    bool found = false;
    TRY(config_file_read(project, name, statements->alias, file, &found, err));
    sql_split(arena, file->text, &list);
    for (size_t i = 0; i < list.count; i++) {
        struct config_statement item = {
            .file = file, .text = list.items[i].text, .offset = list.items[i].offset};
        classify(arena, &item);
        LIST_PUSH(arena, statements, item);
    }
    return ERROR_NONE;
}

// ── Running ──

// DuckDB calls it an error of the catalog or of binding, depending on what is missing.
bool config_lacks_name(const struct error *err) {
    const str message = str_from(err->message);
    return str_find(message, STR("does not exist")) != SIZE_MAX ||
           str_find(message, STR("not found in DuckLakeCatalog")) != SIZE_MAX;
}

static enum error_code run_text(struct lake_connection *connection,
                                const struct config_statement *item, str alias, struct error *err) {
    SCRATCH(scratch);
    str sql = item->text;
    if (item->kind == CONFIG_MACRO) {
        sql = macro_redirect(&scratch, item->text);
    } else if (item->kind == CONFIG_VIEW) {
        TRY(session_view_redirect(connection, &scratch, alias, item->text, &sql, err));
    }
    if (sql.size == 0) {
        return ERROR_NONE;
    }
    const struct script_observer observer = settings_observer(connection);
    const enum error_code code = lake_script_run(connection, item->file->name, sql, &observer, err);
    const bool is_rewritten = sql.data != item->text.data;
    if (code != ERROR_NONE && is_rewritten && (err->pos.line == 1 || item->kind == CONFIG_VIEW)) {
        err->pos.line = 0; // the columns are others: where the statement begins is enough
    }
    return code;
}

static enum error_code run_statement(struct lake_connection *connection,
                                     struct config_statement *item, str alias) {
    struct error *err = &item->problem;
    item->was_tried = true;
    *err = (struct error){0};
    const enum error_code code = run_text(connection, item, alias, err);
    item->is_done = code == ERROR_NONE;
    if (code != ERROR_NONE) {
        script_error_place(err, item->file->name, item->file->text, item->offset);
        err->source_line[0] = '\0'; // that of the user's file: the text that ran has secrets in it
        error_source(err, item->file->original);
    }
    return code;
}

// Another try is no use where no name was missing, nor with a database that is down.
static bool is_hopeless(const struct config_statement *item) {
    return item->was_tried && (item->kind == CONFIG_ATTACH || !config_lacks_name(&item->problem));
}

// *progress: any could be run.  What follows a failed macro, view or ATTACH in its file may stand
// on its own feet, what follows another statement may not.
static enum error_code run_pass(struct lake_connection *connection,
                                struct config_statements *statements, bool *progress) {
    const struct config_file *stopped = NULL;
    statements->undone = 0;
    for (size_t i = 0; i < statements->count; i++) {
        struct config_statement *item = &statements->items[i];
        if (item->is_done || item->file == stopped) {
            continue;
        }
        if (!is_hopeless(item) &&
            run_statement(connection, item, statements->alias) == ERROR_NONE) {
            *progress = true;
            continue;
        }
        statements->undone++;
        if (item->problem.code == ERROR_CANCELLED) {
            return ERROR_CANCELLED;
        }
        stopped = item->kind == CONFIG_OTHER ? item->file : stopped;
    }
    return ERROR_NONE;
}

enum error_code config_statements_run(struct lake_connection *connection,
                                      struct config_statements *statements, struct error *err) {
    bool progress = true;
    while (progress) {
        progress = false;
        if (run_pass(connection, statements, &progress) != ERROR_NONE) {
            return error_set(err, ERROR_CANCELLED, "interrupted");
        }
        progress = progress && statements->undone > 0;
    }
    return ERROR_NONE;
}

// ── Failures ──

static bool is_word_at(str text, size_t start, size_t end) {
    const char before = start > 0 ? text.data[start - 1] : ' ';
    const char behind = end < text.size ? text.data[end] : ' ';
    return !str_is_identifier((str){&before, 1}) && !str_is_identifier((str){&behind, 1});
}

static bool speaks_of(const struct error *err, str name) {
    SCRATCH(scratch);
    str rest = str_to_lower(&scratch, str_from(err->message));
    const str wanted = str_to_lower(&scratch, name);
    size_t at = wanted.size == 0 ? SIZE_MAX : str_find(rest, wanted);
    for (; at != SIZE_MAX; at = str_find(rest, wanted)) {
        if (is_word_at(rest, at, at + wanted.size)) {
            return true;
        }
        rest = str_from_offset(rest, at + wanted.size);
    }
    return false;
}

// The failed statement that was to make what the error says is missing; NULL: none.
static const struct config_statement *cause_of(const struct config_statements *statements,
                                               const struct error *err) {
    for (size_t i = 0; i < statements->count && config_lacks_name(err); i++) {
        const struct config_statement *item = &statements->items[i];
        if (!item->is_done && item->was_tried && err != &item->problem &&
            speaks_of(err, item->name)) {
            return item;
        }
    }
    return NULL;
}

// Whether somebody may yet make what the macro lacks: a table, or a macro of the same sort.
static bool lacks_table(const struct config_statements *statements,
                        const struct config_statement *item) {
    const str message = str_from(item->problem.message);
    return config_lacks_name(&item->problem) &&
           (str_starts_with(message, STR("table with name")) ||
            str_starts_with(message, STR("schema ")) || str_starts_with(message, STR("catalog ")) ||
            cause_of(statements, &item->problem) != NULL);
}

const struct config_statement *
config_statements_broken(const struct config_statements *statements) {
    const struct config_statement *broken = NULL;
    for (size_t i = 0; i < statements->count; i++) {
        const struct config_statement *item = &statements->items[i];
        const bool waits = item->kind == CONFIG_ATTACH || item->kind == CONFIG_VIEW ||
                           (item->kind == CONFIG_MACRO && lacks_table(statements, item));
        // A name may be missing because of the mistake that another statement has.
        if (item->was_tried && !item->is_done && !waits &&
            (broken == NULL ||
             (broken->problem.code == ERROR_NOT_FOUND && item->problem.code != ERROR_NOT_FOUND))) {
            broken = item;
        }
    }
    return broken;
}

bool config_statements_explain(const struct config_statements *statements, struct error *err) {
    const struct config_statement *cause = cause_of(statements, err);
    const bool explains = cause != NULL;
    // One may be missing because of another; two cannot wait for each other for ever.
    for (size_t i = 0; i < statements->count && cause != NULL; i++) {
        *err = cause->problem;
        cause = cause_of(statements, &cause->problem);
    }
    return explains;
}

bool config_statements_lack(const struct config_statements *statements,
                            const struct config_statements *others) {
    for (size_t i = 0; i < statements->count; i++) {
        const struct config_statement *item = &statements->items[i];
        for (size_t j = 0; j < others->count && item->was_tried && !item->is_done; j++) {
            if (config_lacks_name(&item->problem) &&
                speaks_of(&item->problem, others->items[j].name)) {
                return true;
            }
        }
    }
    return false;
}

bool config_statements_make(const struct config_statements *statements,
                            enum config_statement_kind kind, str name) {
    for (size_t i = 0; i < statements->count; i++) {
        if (statements->items[i].kind == kind &&
            str_equal_nocase(statements->items[i].name, name)) {
            return true;
        }
    }
    return false;
}
