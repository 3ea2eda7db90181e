// `coypu init`: a project in the working directory.
#include "base/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "project/project.h"

static enum error_code report(struct command_line *line, str name, struct error *err) {
    const str text =
        str_format(line->arena,
                   "made the project " STR_FORMAT "\n\nnext:\n"
                   "  write a model, for example models/raw/hello.sql:  SELECT 42 AS answer\n"
                   "  coypu run                  runs what changed\n"
                   "  coypu query raw.hello      shows the table\n"
                   "  coypu validate             checks every file without running it\n",
                   STR_ARGS(name));
    return command_report(line, STR("project"), name, text, err);
}

static int run(struct command_line *line) {
    struct error err;
    str name;
    if (project_init(line->context, line->arena, path_working_directory(line->arena), &name,
                     &err) != ERROR_NONE ||
        report(line, name, &err) != ERROR_NONE) {
        return command_fail(line, &err);
    }
    return EXIT_CLEAN;
}

const struct command command_init = {
    .name = "init",
    .arguments = "",
    .summary = "make a project in this folder",
    .help = "Makes config/, models/, lib/, sql/, .env and .gitignore in the working directory.\n"
            "Refuses, and touches nothing, when config/ exists already.",
    .run = run,
};
