#include "project/config_file.h"

#include "base/arena.h"
#include "base/environment.h"
#include "base/file.h"
#include "base/list.h"
#include "base/text.h"
#include "lake/lake.h"
#include "lake/script.h"
#include "project/checks.h"

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
    const enum error_code code = lake_script_run(connection, name, file.text, NULL, err);
    if (code != ERROR_NONE) {
        show_original(err, &file);
    }
    return code;
}

// ── Macros ──

// Whether the statement makes a macro of the project; *after_create and *name are offsets behind
// CREATE and of the name.
static bool makes_macro(str statement, size_t *after_create, size_t *name) {
    size_t offset = 0;
    if (!sql_take_word(statement, &offset, "CREATE")) {
        return false;
    }
    *after_create = offset;
    if (sql_take_word(statement, &offset, "OR")) {
        (void)sql_take_word(statement, &offset, "REPLACE");
    }
    if (!sql_take_word(statement, &offset, "MACRO") &&
        !sql_take_word(statement, &offset, "FUNCTION")) {
        return false; // also CREATE TEMP MACRO: that is in the session already
    }
    if (sql_take_word(statement, &offset, "IF")) {
        (void)sql_take_word(statement, &offset, "NOT");
        (void)sql_take_word(statement, &offset, "EXISTS");
    }
    *name = sql_skip_space(statement, offset);
    return true;
}

str macro_redirect(struct arena *arena, str statement) {
    size_t after_create = 0;
    size_t name = 0;
    if (!makes_macro(statement, &after_create, &name)) {
        return statement;
    }
    const size_t behind = sql_skip_space(statement, sql_skip_token(statement, name));
    if (behind < statement.size && statement.data[behind] == '.') {
        return statement; // the user has said where
    }
    // The spaces between keep line numbers as they are.
    const str gap = str_slice(statement, after_create, name);
    struct text out;
    text_init(&out, arena);
    text_add(&out, STR("CREATE OR REPLACE MACRO"));
    for (size_t i = 0; i < gap.size; i++) {
        if (gap.data[i] == '\n') {
            text_add_char(&out, '\n');
        }
    }
    text_add(&out, STR(" memory."));
    text_add(&out, str_from_offset(statement, name));
    return text_str(&out);
}

static enum error_code run_macro_file(struct lake_connection *connection,
                                      const struct config_file *file, struct error *err) {
    SCRATCH(scratch);
    struct sql_statement_list statements = {0};
    sql_split(&scratch, file->text, &statements);
    for (size_t i = 0; i < statements.count; i++) {
        const str sql = macro_redirect(&scratch, statements.items[i].text);
        const enum error_code code = lake_execute(connection, sql, LAKE_NO_VALUES, NULL, err);
        if (code != ERROR_NONE) {
            if (err->pos.line == 1) {
                err->pos.line = 0; // the statement's head was rewritten: its first line is enough
            }
            script_error_place(err, file->name, file->text, statements.items[i].offset);
            show_original(err, file);
            return code;
        }
    }
    return ERROR_NONE;
}

struct macro_files {
    struct config_file *items;
    size_t count;
    size_t capacity;
};

static enum error_code read_macro_files(const struct project *project, str alias,
                                        struct macro_files *files, struct error *err) {
    struct str_list names = {0};
    TRY(directory_files(project->arena, project_path(project, STR("config/macros")), &names, err));
    for (size_t i = 0; i < names.count; i++) {
        if (!str_ends_with(names.items[i], STR(".sql"))) {
            continue;
        }
        struct config_file file;
        bool found = false;
        TRY(config_file_read(project,
                             path_join(project->arena, STR("config/macros"), names.items[i]), alias,
                             &file, &found, err));
        LIST_PUSH(project->arena, files, file);
    }
    return ERROR_NONE;
}

enum error_code config_macros_run(const struct project *project, struct lake_connection *connection,
                                  str alias, struct error *err) {
    struct macro_files files = {0};
    bool has_checks = false;
    TRY(read_macro_files(project, alias, &files, err));
    while (files.count > 0) {
        struct macro_files failed = {0};
        struct error first = {0};
        for (size_t i = 0; i < files.count; i++) {
            struct error problem = {0};
            if (run_macro_file(connection, &files.items[i], &problem) != ERROR_NONE) {
                first = failed.count == 0 ? problem : first;
                LIST_PUSH(project->arena, &failed, files.items[i]);
            }
        }
        const bool stuck = failed.count == files.count;
        if (first.code == ERROR_CANCELLED || (stuck && has_checks)) {
            *err = first;
            return err->code;
        }
        if (stuck) { // it may build on a macro of ours, which are made only when they are used
            TRY(checks_load_all(connection, err));
            has_checks = true;
        }
        files = failed;
    }
    return ERROR_NONE;
}

static void note_macros(const struct project *project, str file, str text, struct map *names) {
    struct arena *arena = project->arena;
    struct sql_statement_list statements = {0};
    sql_split(arena, config_blank_comments(arena, text), &statements);
    for (size_t i = 0; i < statements.count; i++) {
        const str statement = statements.items[i].text;
        size_t after_create = 0;
        size_t start = 0;
        if (makes_macro(statement, &after_create, &start)) {
            str name = str_slice(statement, start, sql_skip_token(statement, start));
            if (str_starts_with(name, STR("\"")) && name.size > 2) {
                name = str_slice(name, 1, name.size - 1);
            }
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
