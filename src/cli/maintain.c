// The maintenance commands: checkpoint, flush, merge, expire, cleanup, orphaned, rewrite, and any
// sql/NAME.sql by its name (models.md §14).
#include "inspect/maintain.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/maintain.h"
#include "lake/result.h"
#include "lake/table_format.h"

// ── Each statement ──

static str first_line(str statement) {
    return str_trim(str_slice(statement, 0, str_find_char(statement, '\n')));
}

static enum error_code json_statement(struct command_line *line, str statement,
                                      struct lake_result *result, int64_t duration_us,
                                      struct text *out, struct error *err) {
    struct json json;
    json_init(&json, out);
    json_object(&json);
    json_key_int(&json, STR("schema_version"), 1);
    json_key_string(&json, STR("kind"), STR("maintenance"));
    json_key_string(&json, STR("script"), str_from(line->command->name));
    json_key_string(&json, STR("statement"), statement);
    json_key_string(&json, STR("status"), STR("ok"));
    json_key_int(&json, STR("duration_ms"), duration_us / 1000);
    json_key(&json, STR("rows"));
    TRY(table_format_json_rows(&json, result, 0, NULL, err));
    json_end(&json);
    text_add_char(out, '\n');
    return ERROR_NONE;
}

enum {
    SHOWN_ROWS_MAX = 10,
    SHOWN_CELL_WIDTH = 28, // commit metadata would fill the screen
};

static str cell_shown(struct arena *arena, struct lake_result *result, size_t column) {
    const str text = lake_result_text(result, column);
    const str cut = str_cut(text, SHOWN_CELL_WIDTH);
    return cut.size == text.size ? str_copy(arena, text)
                                 : str_format(arena, STR_FORMAT "…", STR_ARGS(cut));
}

// The first rows as columns; *count is the number of all.
static void show_rows(struct text *out, struct arena *arena, struct lake_result *result,
                      int64_t *count) {
    const size_t columns = lake_result_column_count(result);
    struct grid grid = {.arena = arena, .columns = columns};
    str *cells = ARENA_ARRAY(arena, str, columns);
    for (size_t i = 0; i < columns; i++) {
        cells[i] = lake_result_name(result, i);
    }
    grid_row(&grid, cells);
    while (lake_result_next(result)) {
        for (size_t i = 0; i < columns && *count < SHOWN_ROWS_MAX; i++) {
            cells[i] = cell_shown(arena, result, i);
        }
        if ((*count)++ < SHOWN_ROWS_MAX) {
            grid_row(&grid, cells);
        }
    }
    if (*count > 0) {
        grid_write(&grid, out);
    }
    if (*count > SHOWN_ROWS_MAX) {
        text_format(out, "… %lld rows more\n", (long long)(*count - SHOWN_ROWS_MAX));
    }
}

static enum error_code statement_done(void *self, str statement, struct lake_result *result,
                                      int64_t duration_us, struct error *err) {
    struct command_line *line = self;
    SCRATCH(scratch);
    struct text out;
    text_init(&out, &scratch);
    if (line->json) {
        TRY(json_statement(line, statement, result, duration_us, &out, err));
        return command_print(line, text_str(&out), err);
    }
    int64_t count = 0;
    struct text rows;
    text_init(&rows, &scratch);
    if (lake_result_column_count(result) > 0) {
        show_rows(&rows, &scratch, result, &count);
    }
    text_format(&out, "[OK] " STR_FORMAT " (%lld rows, " STR_FORMAT ")\n" STR_FORMAT,
                STR_ARGS(first_line(statement)), (long long)count,
                STR_ARGS(duration_format(&scratch, duration_us)), STR_ARGS(text_str(&rows)));
    return command_print(line, text_str(&out), err);
}

// ── A script ──

static int fail(struct command_line *line, const struct error *err) {
    const int status = command_fail(line, err);
    return status == EXIT_USAGE           ? status
           : err->code == ERROR_CANCELLED ? EXIT_INTERRUPTED
                                          : EXIT_FINDINGS;
}

static int run(struct command_line *line) {
    struct error err = {0};
    int64_t lock_timeout_s = 0;
    if (command_number(line, "lock-timeout", 0, 86400, &lock_timeout_s, &err) != ERROR_NONE) {
        command_print_error(line, &err);
        return EXIT_USAGE;
    }
    if (str_equal(command_argument(line, 0), STR("sandbox"))) {
        error_set(&err, ERROR_INVALID, "%s cannot run in a sandbox", line->command->name);
        error_hint(&err, "maintenance touches the real catalog and its files");
        command_print_error(line, &err);
        return EXIT_USAGE;
    }
    if (line->arguments.count > 0) {
        error_set(&err, ERROR_INVALID, "%s does not take the argument \"" STR_FORMAT "\"",
                  line->command->name, STR_ARGS(command_argument(line, 0)));
        command_print_error(line, &err);
        return EXIT_USAGE;
    }
    const struct maintain_options options = {
        .context = line->context,
        .name = str_from(line->command->name),
        .lock_timeout_ms = lock_timeout_s * 1000,
        .done = statement_done,
        .self = line,
    };
    struct maintain_summary summary;
    if (maintain_run(line->arena, &options, &summary, &err) != ERROR_NONE) {
        return fail(line, &err);
    }
    return EXIT_CLEAN;
}

#define MAINTENANCE(text, what)                                                                    \
    {                                                                                              \
        .name = (text),                                                                            \
        .arguments = "",                                                                           \
        .summary = (what),                                                                         \
        .arguments_max = 1,                                                                        \
        .options = {{"lock-timeout", 0, "S", "wait up to S seconds for a run (default 0)"}},       \
        .run = run,                                                                                \
        .help = what "\n\nRuns sql/" text ".sql statement by statement, or the built-in script "   \
                     "when there is no such file;\nstops at the first error.",                     \
    }

const struct command command_checkpoint =
    MAINTENANCE("checkpoint", "all maintenance of the lake, in its right order");
const struct command command_flush =
    MAINTENANCE("flush", "write rows that are kept in the catalog to data files");
const struct command command_merge = MAINTENANCE("merge", "merge small neighbouring data files");
const struct command command_expire = MAINTENANCE("expire", "forget snapshots older than 30 days");
const struct command command_cleanup =
    MAINTENANCE("cleanup", "remove files that no snapshot needs any more");
const struct command command_orphaned =
    MAINTENANCE("orphaned", "remove files that no snapshot ever knew");
const struct command command_rewrite =
    MAINTENANCE("rewrite", "rewrite data files of which much is deleted");

// ── Any other script ──

bool maintain_command(struct command_line *line, str name, struct command *command) {
    bool has = false;
    struct error ignored;
    if (!maintain_name_is_valid(name) ||
        maintain_has(line->context, line->arena, name, &has, &ignored) != ERROR_NONE || !has) {
        return false;
    }
    *command = command_flush;
    command->name = str_to_cstring(line->arena, name);
    command->summary = "runs a script of sql/";
    command->help = str_to_cstring(
        line->arena, str_format(line->arena,
                                "Runs sql/" STR_FORMAT ".sql statement by statement; stops at the "
                                "first error.",
                                STR_ARGS(name)));
    return true;
}
