// `coypu new NAME` and `coypu new lib NAME`: files to begin with.
#include "base/text.h"
#include "cli/commands.h"
#include "inspect/scaffold.h"

static enum error_code report(struct command_line *line, str path, bool is_folder,
                              struct error *err) {
    struct text out;
    text_init(&out, line->arena);
    text_format(&out, "made " STR_FORMAT "%s\n", STR_ARGS(path), is_folder ? "/" : "");
    if (is_folder) {
        text_format(&out,
                    "  hint: a name that ends in .sql makes a model: coypu new " STR_FORMAT
                    ".orders.sql\n",
                    STR_ARGS(command_argument(line, 0)));
    }
    return command_report(line, STR("path"), path, text_str(&out), err);
}

static enum error_code make(struct command_line *line, str *path, bool *is_folder,
                            struct error *err) {
    struct project project;
    const bool is_lib =
        str_equal(command_argument(line, 0), STR("lib")) && line->arguments.count == 2;
    TRY(project_open(line->context, line->arena, (str){0}, &project, err));
    if (!is_lib) {
        return scaffold_model(&project, command_argument(line, 0), path, is_folder, err);
    }
    const struct scaffold_lib options = {
        .fetch = command_flag(line, "fetch"),
        .push = command_flag(line, "push"),
        .is_async = command_flag(line, "async"),
    };
    return scaffold_lib(&project, command_argument(line, 1), &options, path, err);
}

static enum error_code check_usage(struct command_line *line, struct error *err) {
    const bool is_lib = str_equal(command_argument(line, 0), STR("lib"));
    if (line->arguments.count == 2 && !is_lib) {
        error_set(err, ERROR_INVALID, "new does not take the argument \"" STR_FORMAT "\"",
                  STR_ARGS(command_argument(line, 1)));
        error_hint(err, "usage: coypu new NAME, or coypu new lib NAME");
        return err->code;
    }
    const bool has_option =
        command_flag(line, "fetch") || command_flag(line, "push") || command_flag(line, "async");
    if (has_option && line->arguments.count < 2) {
        return error_set(err, ERROR_INVALID, "--fetch, --push and --async belong to `new lib`");
    }
    return ERROR_NONE;
}

static int run(struct command_line *line) {
    struct error err = {0};
    str path;
    bool is_folder = false;
    if (check_usage(line, &err) != ERROR_NONE) {
        command_print_error(line, &err);
        return EXIT_USAGE;
    }
    if (make(line, &path, &is_folder, &err) != ERROR_NONE ||
        report(line, path, is_folder, &err) != ERROR_NONE) {
        return command_fail(line, &err);
    }
    return EXIT_CLEAN;
}

const struct command command_new = {
    .name = "new",
    .arguments = "NAME|lib NAME",
    .summary = "make a model, a folder for models, or a lib file",
    .help =
        "new staging.orders.sql   makes models/staging/orders.sql, a table to begin with\n"
        "new staging              makes the folder models/staging/\n"
        "new lib hubspot          makes lib/hubspot.star; --fetch (the default), --push, both,\n"
        "                         with --async in the form of jobs",
    .arguments_min = 1,
    .arguments_max = 2,
    .options = {{"fetch", 0, NULL, "lib: reads an API"},
                {"push", 0, NULL, "lib: writes to an API"},
                {"async", 0, NULL, "lib: by jobs that are polled"}},
    .run = run,
};
