// Which table a model file makes (models.md §1.1).
#include "base/file.h"
#include "base/suggest.h"
#include "base/text.h"
#include "model/model.h"

static enum error_code segment_check(str file, str segment, struct error *err) {
    if (!str_is_identifier(segment)) {
        error_rule(err, ERROR_INVALID, "parser.other",
                   "\"" STR_FORMAT "\" in the path of a model is not a name", STR_ARGS(segment));
        error_hint(err, "folders and files of models are letters, digits and _, and begin with no "
                        "digit");
        error_at(err, file, 1, 0);
        return err->code;
    }
    if (str_find(segment, STR("__")) != SIZE_MAX) {
        error_rule(err, ERROR_INVALID, "parser.other",
                   "\"" STR_FORMAT "\" in the path of a model contains __", STR_ARGS(segment));
        error_hint(err, "__ separates the folders in the table's name: use one _");
        error_at(err, file, 1, 0);
        return err->code;
    }
    return ERROR_NONE;
}

enum error_code model_target_from_path(struct arena *arena, str file, str *schema, str *name,
                                       struct error *err) {
    const size_t prefix = STR("models/").size;
    const str path = str_slice(file, prefix, file.size - STR(".sql").size);
    struct str_splitter splitter = {.rest = path};
    struct str_list segments = {0};
    str segment;
    while (str_split_next(&splitter, '/', &segment)) {
        TRY(segment_check(file, segment, err));
        str_list_push(arena, &segments, segment);
    }
    if (segments.count == 1) {
        *schema = STR("main");
        *name = segments.items[0];
        return ERROR_NONE;
    }
    *schema = segments.items[0];
    const struct str_list rest = {segments.items + 1, segments.count - 1, segments.count - 1};
    *name = str_list_join(arena, &rest, STR("__"));
    return ERROR_NONE;
}

enum error_code model_targets(struct arena *arena, str project, struct str_list *targets,
                              struct error *err) {
    struct str_list paths = {0};
    *targets = (struct str_list){0};
    TRY(directory_walk(arena, path_join(arena, project, STR("models")), &paths, err));
    for (size_t i = 0; i < paths.count; i++) {
        str schema;
        str name;
        struct error ignored;
        const str file = str_format(arena, "models/" STR_FORMAT, STR_ARGS(paths.items[i]));
        if (str_ends_with(file, STR(".sql")) &&
            model_target_from_path(arena, file, &schema, &name, &ignored) == ERROR_NONE) {
            str_list_push(
                arena, targets,
                str_format(arena, STR_FORMAT "." STR_FORMAT, STR_ARGS(schema), STR_ARGS(name)));
        }
    }
    str_list_sort(targets);
    return ERROR_NONE;
}

enum error_code model_target_resolve(struct arena *arena, str project, str name, str *target,
                                     struct error *err) {
    struct str_list targets;
    TRY(model_targets(arena, project, &targets, err));
    const bool is_bare = str_find_char(name, '.') == SIZE_MAX;
    const str wanted = is_bare ? str_format(arena, "main." STR_FORMAT, STR_ARGS(name)) : name;
    for (size_t i = 0; i < targets.count; i++) {
        if (str_equal_nocase(targets.items[i], wanted)) {
            *target = targets.items[i];
            return ERROR_NONE;
        }
    }
    error_set(err, ERROR_NOT_FOUND, "no model makes " STR_FORMAT, STR_ARGS(name));
    const str near = suggest(name, &targets);
    if (near.size > 0) {
        error_hint(err, "did you mean " STR_FORMAT "?", STR_ARGS(near));
    }
    return err->code;
}
