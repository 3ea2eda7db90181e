// Finding a project and reading its .env.

#include "project/project.h"

#include "base/arena.h"
#include "base/environment.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"

static enum error_code find_root(struct arena *arena, str start, str *root, struct error *err) {
    str folder = {0};
    TRY(path_real(arena, str_is_empty(start) ? path_working_directory(arena) : start, &folder,
                  err));
    const str first = folder;
    while (!path_is_directory(path_join(arena, folder, STR("config")))) {
        if (str_equal(folder, STR("/"))) {
            (void)error_rule(err, ERROR_NOT_FOUND, "config.no_project",
                             "no project here: neither " STR_FORMAT
                             " nor a folder above it has config/",
                             STR_ARGS(first));
            error_hint(err, "run coypu init to make a project");
            return err->code;
        }
        const str parent = path_directory(folder);
        folder = str_is_empty(parent) || str_equal(parent, STR(".")) ? STR("/") : parent;
    }
    *root = folder;
    return ERROR_NONE;
}

static enum error_code load_environment(struct project *project, struct error *err) {
    const str path = project_path(project, STR(".env"));
    if (!path_exists(path)) {
        return ERROR_NONE;
    }
    str content = {0};
    TRY(file_read(project->arena, path, &content, err));
    environment_load(project->context->environment, STR(".env"), content,
                     project->context->redactor, &project->warnings);
    return ERROR_NONE;
}

enum error_code project_open(const struct context *context, struct arena *arena, str start,
                             struct project *project, struct error *err) {
    *project = (struct project){.arena = arena, .context = context};
    error_list_init(&project->warnings, arena);
    TRY(find_root(arena, start, &project->root, err));
    project->name = path_base(project->root);
    return load_environment(project, err);
}

str project_path(const struct project *project, str relative) {
    return path_join(project->arena, project->root, relative);
}

str run_id_new(struct arena *arena, const struct context *context, int64_t wall_us) {
    unsigned char random[3];
    context_random(context, random, sizeof(random));
    return str_format(arena, STR_FORMAT "-" STR_FORMAT,
                      STR_ARGS(time_format_compact(arena, wall_us)),
                      STR_ARGS(hex_encode(arena, random, sizeof(random))));
}
