#include "project/settings.h"

#include "base/arena.h"
#include "base/text.h"
#include "lake/lake.h"

static const struct kept_setting {
    str name;
    str values[4]; // that it may have, as DuckDB tells them; an empty one ends the list
    const char *why;
    const char *hint;
} KEPT_SETTINGS[] = {
    {STR_INIT("default_order"),
     {STR_INIT("ASC"), STR_INIT("ASCENDING"), STR_INIT("")},
     "the lake's own queries would be ordered by it, and columns take each other's values",
     "remove it, and write ORDER BY … DESC in the queries"},
    {STR_INIT("default_collation"),
     {STR_INIT("binary"), STR_INIT("C"), STR_INIT("POSIX"), STR_INIT("")},
     "rows that differ by case or accents would count as the same, and changes be missed",
     "remove it, and write COLLATE in the queries"},
    {STR_INIT("errors_as_json"),
     {STR_INIT("true"), STR_INIT("")},
     "errors could no longer be placed in your files",
     "remove it: errors are told as FILE:LINE:COLUMN"},
};

static bool names_word(str statement, str word) {
    for (size_t at = sql_skip_space(statement, 0); at < statement.size;
         at = sql_skip_space(statement, at)) {
        const size_t end = sql_skip_token(statement, at);
        str token = str_slice(statement, at, end);
        if (token.data[0] == '"') {
            token = str_slice(token, 1, token.size - 1);
        }
        if (str_equal_nocase(token, word)) {
            return true;
        }
        at = end;
    }
    return false;
}

// Who does not stop at the error goes on as if the statement had not been there.
static void reset(struct lake_connection *connection, str name) {
    static const char *const SCOPES[] = {"GLOBAL", "SESSION"};
    SCRATCH(scratch);
    struct error ignored;
    for (size_t i = 0; i < ARRAY_COUNT(SCOPES); i++) {
        const str sql = str_format(&scratch, "RESET %s " STR_FORMAT, SCOPES[i], STR_ARGS(name));
        (void)!lake_execute(connection, sql, LAKE_NO_VALUES, NULL, &ignored);
    }
}

static enum error_code check(void *self, const struct sql_statement *statement,
                             struct lake_result *result, struct error *err) {
    struct lake_connection *connection = self;
    (void)result;
    for (size_t i = 0; i < ARRAY_COUNT(KEPT_SETTINGS); i++) {
        const struct kept_setting *kept = &KEPT_SETTINGS[i];
        SCRATCH(scratch);
        str value = {0};
        if (!names_word(statement->text, kept->name)) {
            continue;
        }
        TRY(lake_query_text(connection, &scratch, STR("SELECT current_setting(?)::VARCHAR"),
                            LAKE_VALUES(lake_value_text(kept->name)), &value, NULL, err));
        bool is_kept = value.size == 0;
        for (size_t j = 0; kept->values[j].size > 0; j++) {
            is_kept = is_kept || str_equal_nocase(value, kept->values[j]);
        }
        if (!is_kept) {
            reset(connection, kept->name);
            error_rule(err, ERROR_INVALID, "config.setting", STR_FORMAT " cannot be set here: %s",
                       STR_ARGS(kept->name), kept->why);
            error_hint(err, "%s", kept->hint);
            return err->code;
        }
    }
    return ERROR_NONE;
}

struct script_observer settings_observer(struct lake_connection *connection) {
    return (struct script_observer){.statement = check, .self = connection};
}
