#include "modules/path.h"

#include "base/context.h"
#include "base/environment.h"
#include "base/file.h"
#include "modules/modules.h"

// Whether `real` is `folder` or lies in it, links of the folder resolved; a folder that is not
// there holds nothing.
static bool is_below(struct arena *arena, str real, str folder) {
    struct error ignored;
    str resolved;
    return !str_is_empty(folder) && path_real(arena, folder, &resolved, &ignored) == ERROR_NONE &&
           path_is_inside(real, resolved);
}

static bool is_secret(const struct modules_options *options, struct arena *arena, str real) {
    static const str names[] = {STR_INIT(".env"), STR_INIT(".coypu"), STR_INIT("config")};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (is_below(arena, real, path_join(arena, options->project_root, names[i]))) {
            return true;
        }
    }
    for (size_t i = 0; i < options->secret_paths.count; i++) {
        if (is_below(arena, real, options->secret_paths.items[i])) {
            return true;
        }
    }
    return false;
}

static bool is_listed(const struct modules_options *options, struct arena *arena, str real) {
    struct environment *environment = options->context->environment;
    str value;
    if (environment == NULL) {
        return false;
    }
    if (environment_get(environment, STR("TMPDIR"), &value) && is_below(arena, real, value)) {
        return true;
    }
    if (!environment_get(environment, STR("COYPU_ALLOW_PATHS"), &value)) {
        return false;
    }
    struct str_splitter splitter = {.rest = value};
    str folder;
    while (str_split_next(&splitter, ':', &folder)) {
        if (is_below(arena, real, folder)) {
            return true;
        }
    }
    return false;
}

enum error_code path_allowed(const struct modules_options *options, struct arena *arena, str path,
                             str *real, struct error *err) {
    if (str_find(path, STR("://")) != SIZE_MAX) {
        return error_set(err, ERROR_INVALID, "\"" STR_FORMAT "\" is not a local path",
                         STR_ARGS(path));
    }
    if (str_is_empty(path) || str_find_char(path, '\0') != SIZE_MAX) {
        return error_set(err, ERROR_INVALID, "\"" STR_FORMAT "\" is not a path", STR_ARGS(path));
    }
    const str whole = path_is_absolute(path) ? path : path_join(arena, options->project_root, path);
    struct error missing;
    if (path_real(arena, whole, real, &missing) != ERROR_NONE) {
        return error_set(err, missing.code, STR_FORMAT " does not exist", STR_ARGS(path));
    }
    if (is_secret(options, arena, *real)) {
        return error_set(err, ERROR_INVALID, STR_FORMAT " is never readable by a script",
                         STR_ARGS(path));
    }
    if (is_below(arena, *real, options->project_root) || is_listed(options, arena, *real)) {
        return ERROR_NONE;
    }
    error_set(err, ERROR_INVALID,
              STR_FORMAT " is outside the project; to allow it, set COYPU_ALLOW_PATHS=" STR_FORMAT,
              STR_ARGS(path), STR_ARGS(path_directory(*real)));
    return ERROR_INVALID;
}
