#include "project/checks.h"

#include "base/text.h"
#include "lake/lake.h"
#include "lake/script.h"

// checks/*.sql, one after another (CMakeLists.txt).
extern const str check_macros;

#define CREATE "CREATE MACRO "

// The name in "CREATE MACRO name(…".
static str macro_name(str statement) {
    const str rest = str_from_offset(statement, STR(CREATE).size);
    return str_slice(rest, 0, str_find_char(rest, '('));
}

// Offset of the statement that makes the macro; SIZE_MAX when there is none.
static size_t macro_start(struct arena *arena, str macro) {
    return str_find(check_macros, str_format(arena, CREATE STR_FORMAT "(", STR_ARGS(macro)));
}

// From there up to its semicolon.
static str macro_statement(size_t start) {
    size_t end = start;
    while (end < check_macros.size && check_macros.data[end] != ';') {
        end = sql_skip_space(check_macros, sql_skip_token(check_macros, end));
    }
    return str_slice(check_macros, start, end);
}

bool checks_find(struct arena *arena, str macro, struct str_list *parameters) {
    const size_t start = macro_start(arena, str_to_lower(arena, macro));
    if (start == SIZE_MAX) {
        return false;
    }
    const str statement = str_from_offset(check_macros, start);
    const str inner =
        str_slice(statement, str_find_char(statement, '(') + 1, str_find_char(statement, ')'));
    struct str_splitter splitter = {.rest = inner};
    str parameter;
    bool is_table = true; // the first one
    while (str_split_next(&splitter, ',', &parameter)) {
        if (!is_table) {
            str_list_push(arena, parameters, str_trim(parameter));
        }
        is_table = false;
    }
    return true;
}

void checks_names(struct arena *arena, str prefix, struct str_list *names) {
    const str head = str_format(arena, CREATE STR_FORMAT, STR_ARGS(prefix));
    str rest = check_macros;
    for (size_t at = str_find(rest, head); at != SIZE_MAX; at = str_find(rest, head)) {
        rest = str_from_offset(rest, at);
        str_list_push(arena, names, str_from_offset(macro_name(rest), prefix.size));
        rest = str_from_offset(rest, head.size);
    }
}

// ── Loading ──

static enum error_code create(struct lake_connection *connection, struct arena *arena,
                              str statement, struct error *err) {
    const str sql = str_format(arena, "CREATE MACRO IF NOT EXISTS memory." STR_FORMAT,
                               STR_ARGS(str_from_offset(statement, STR(CREATE).size)));
    return lake_execute(connection, sql, LAKE_NO_VALUES, NULL, err);
}

static enum error_code load(struct lake_connection *connection, struct arena *arena, str macro,
                            struct str_list *loaded, struct error *err) {
    const size_t start = macro_start(arena, macro);
    if (start == SIZE_MAX || str_list_has(loaded, macro)) {
        return ERROR_NONE;
    }
    str_list_push(arena, loaded, macro);
    const str statement = macro_statement(start);
    const str helper = STR("coypu_check_");
    // The helpers it names come first; its own name, in front, is loaded already.
    str rest = statement;
    for (size_t at = str_find(rest, helper); at != SIZE_MAX; at = str_find(rest, helper)) {
        rest = str_from_offset(rest, at);
        const str name = str_slice(rest, 0, sql_skip_token(rest, 0));
        TRY(load(connection, arena, name, loaded, err));
        rest = str_from_offset(rest, name.size);
    }
    return create(connection, arena, statement, err);
}

enum error_code checks_load(struct lake_connection *connection, str macro, struct error *err) {
    SCRATCH(scratch);
    struct str_list loaded = {0};
    return load(connection, &scratch, str_to_lower(&scratch, macro), &loaded, err);
}

enum error_code checks_load_all(struct lake_connection *connection, struct error *err) {
    SCRATCH(scratch);
    struct sql_statement_list statements = {0};
    sql_split(&scratch, check_macros, &statements);
    for (size_t i = 0; i < statements.count; i++) {
        TRY(create(connection, &scratch, statements.items[i].text, err));
    }
    return ERROR_NONE;
}
