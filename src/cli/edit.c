// `coypu edit TARGET`: the file behind a name, in the user's editor.
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "model/model.h"
#include "project/project.h"

// ── Which file ──

// "macros/helpers" is config/macros/helpers.sql; empty when the name has another prefix.
static enum error_code in_folder(struct arena *arena, str name, str prefix, const char *pattern,
                                 str *path, struct error *err) {
    if (!str_starts_with(name, prefix)) {
        return ERROR_NONE;
    }
    const str rest = str_from_offset(name, prefix.size);
    if (!str_is_identifier(rest)) {
        return error_set(err, ERROR_INVALID, "\"" STR_FORMAT "\" is no name of a file",
                         STR_ARGS(rest));
    }
    *path = str_replace_all(arena, str_from(pattern), STR("*"), rest);
    return ERROR_NONE;
}

static enum error_code find_file(struct arena *arena, const struct project *project, str name,
                                 str *path, struct error *err) {
    static const str CONFIG[] = {STR_INIT("catalog"), STR_INIT("state"),    STR_INIT("sources"),
                                 STR_INIT("secrets"), STR_INIT("settings"), STR_INIT("extensions")};
    *path = (str){0};
    if (str_equal(name, STR("env"))) {
        *path = STR(".env");
    }
    for (size_t i = 0; i < ARRAY_COUNT(CONFIG); i++) {
        if (str_equal(name, CONFIG[i])) {
            *path = str_format(arena, "config/" STR_FORMAT ".sql", STR_ARGS(name));
        }
    }
    TRY(in_folder(arena, name, STR("macros/"), "config/macros/*.sql", path, err));
    TRY(in_folder(arena, name, STR("variables/"), "config/variables/*.sql", path, err));
    TRY(in_folder(arena, name, STR("lib/"), "lib/*.star", path, err));
    if (path->size > 0) {
        const bool is_lib = str_starts_with(*path, STR("lib/"));
        if (is_lib && !path_exists(project_path(project, *path))) {
            error_set(err, ERROR_NOT_FOUND, STR_FORMAT " does not exist", STR_ARGS(*path));
            error_hint(err, "`coypu new " STR_FORMAT "` makes it",
                       STR_ARGS(str_replace_all(arena, name, STR("/"), STR(" "))));
            return err->code;
        }
        return ERROR_NONE;
    }
    return model_file_find(arena, project->root, name, path, err);
}

// Secrets are for their owner alone, also while they are being written for the first time.
static enum error_code prepare(const struct project *project, str path, struct error *err) {
    const str full = project_path(project, path);
    TRY(directory_create(path_directory(full), 0777, err));
    if (str_equal(path, STR(".env")) && !path_exists(full)) {
        return file_create(full, STR(""), 0600, err);
    }
    return ERROR_NONE;
}

// ── Which editor ──

static bool is_in_path(struct arena *arena, const struct context *context, str program) {
    str folders = {0};
    str folder;
    if (!environment_get(context->environment, STR("PATH"), &folders)) {
        return false;
    }
    struct str_splitter splitter = {.rest = folders};
    while (str_split_next(&splitter, ':', &folder)) {
        const str path = path_join(arena, folder, program);
        if (folder.size > 0 && path_is_file(path) &&
            access(str_to_cstring(arena, path), X_OK) == 0) {
            return true;
        }
    }
    return false;
}

static enum error_code find_editor(struct arena *arena, const struct context *context, str *editor,
                                   struct error *err) {
    static const str FALLBACKS[] = {STR_INIT("nano"), STR_INIT("vi"), STR_INIT("vim")};
    if (environment_get(context->environment, STR("EDITOR"), editor) &&
        str_trim(*editor).size > 0) {
        return ERROR_NONE;
    }
    for (size_t i = 0; i < ARRAY_COUNT(FALLBACKS); i++) {
        if (is_in_path(arena, context, FALLBACKS[i])) {
            *editor = FALLBACKS[i];
            return ERROR_NONE;
        }
    }
    error_set(err, ERROR_NOT_FOUND,
              "no editor: EDITOR is not set, and there is no nano, vi or vim");
    error_hint(err, "set EDITOR, for example EDITOR=\"code --wait\"");
    return err->code;
}

// EDITOR is a shell's words ("code --wait"), the path is one argument whatever is in it.
static enum error_code run_editor(struct arena *arena, str editor, str path, struct error *err) {
    const char *script =
        str_to_cstring(arena, str_format(arena, STR_FORMAT " \"$@\"", STR_ARGS(editor)));
    const char *file = str_to_cstring(arena, path);
    const pid_t child = fork();
    if (child < 0) {
        return error_set(err, ERROR_IO, "cannot start the editor: %s", strerror(errno));
    }
    if (child == 0) {
        (void)signal(SIGPIPE, SIG_DFL);
        (void)execl("/bin/sh", "sh", "-c", script, "sh", file, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return error_set(err, ERROR_IO, "the editor \"" STR_FORMAT "\" ended with status %d",
                         STR_ARGS(editor), WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    }
    return ERROR_NONE;
}

static enum error_code edit(struct command_line *line, struct error *err) {
    struct project project;
    str path;
    str editor;
    TRY(project_open(line->context, line->arena, (str){0}, &project, err));
    TRY(find_file(line->arena, &project, command_argument(line, 0), &path, err));
    TRY(find_editor(line->arena, line->context, &editor, err));
    TRY(prepare(&project, path, err));
    return run_editor(line->arena, editor, project_path(&project, path), err);
}

static int run(struct command_line *line) {
    struct error err = {0};
    return edit(line, &err) == ERROR_NONE ? EXIT_CLEAN : command_fail(line, &err);
}

const struct command command_edit = {
    .name = "edit",
    .arguments = "TARGET",
    .summary = "open a model or a file of the project in your editor",
    .help = "TARGET is a model (mart.customers), env, catalog, state, sources, secrets, settings,\n"
            "extensions, macros/NAME, variables/NAME or lib/NAME.\n\n"
            "The editor is EDITOR, else nano, vi or vim.",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
