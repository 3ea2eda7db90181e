// `coypu version`: versions known since the build; nothing is loaded.
#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"

#include <stdio.h>

#ifndef COYPU_DUCKDB_VERSION
#define COYPU_DUCKDB_VERSION "1.5.5"
#endif

static int run(struct command_line *line) {
    struct text out;
    text_init(&out, line->arena);
    if (line->json) {
        struct json json;
        json_init(&json, &out);
        json_object(&json);
        json_key_int(&json, STR("schema_version"), 1);
        json_key_string(&json, STR("version"), STR(COYPU_VERSION));
        json_key_string(&json, STR("duckdb_version"), STR(COYPU_DUCKDB_VERSION));
        json_key_string(&json, STR("ducklake_version"), STR("1.0"));
        json_end(&json);
        text_add_char(&out, '\n');
    } else {
        text_format(&out, "coypu %s (DuckDB %s, DuckLake catalog 1.0)\n", COYPU_VERSION,
                    COYPU_DUCKDB_VERSION);
    }
    struct error err;
    if (command_write(text_str(&out), &err) != ERROR_NONE) {
        return command_fail(line, &err);
    }
    return EXIT_CLEAN;
}

const struct command command_version = {
    .name = "version",
    .arguments = "",
    .summary = "print the version",
    .run = run,
};
