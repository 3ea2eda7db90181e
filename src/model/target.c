// Which table a model file makes (models.md §1.1).
#include "base/file.h"
#include "base/suggest.h"
#include "base/text.h"
#include "model/model.h"

#include <assert.h>

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
    assert(segments.count > 0); // a path that was split has a first part
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

// A model file; paths that make no target have none.
struct target_file {
    str target;
    str file;
};

struct target_file_list {
    struct target_file *items;
    size_t count;
    size_t capacity;
};

static enum error_code list_files(struct arena *arena, str project, struct target_file_list *files,
                                  struct error *err) {
    struct str_list paths = {0};
    TRY(directory_walk(arena, path_join(arena, project, STR("models")), &paths, err));
    for (size_t i = 0; i < paths.count; i++) {
        str schema;
        str name;
        struct error ignored;
        const str file = str_format(arena, "models/" STR_FORMAT, STR_ARGS(paths.items[i]));
        if (str_ends_with(file, STR(".sql")) &&
            model_target_from_path(arena, file, &schema, &name, &ignored) == ERROR_NONE) {
            const struct target_file found = {
                str_format(arena, STR_FORMAT "." STR_FORMAT, STR_ARGS(schema), STR_ARGS(name)),
                file};
            LIST_PUSH(arena, files, found);
        }
    }
    return ERROR_NONE;
}

enum error_code model_targets(struct arena *arena, str project, struct str_list *targets,
                              struct error *err) {
    struct target_file_list files = {0};
    *targets = (struct str_list){0};
    TRY(list_files(arena, project, &files, err));
    for (size_t i = 0; i < files.count; i++) {
        str_list_push(arena, targets, files.items[i].target);
    }
    str_list_sort(targets);
    return ERROR_NONE;
}

enum error_code model_unknown(struct arena *arena, str name, const struct str_list *targets,
                              struct error *err) {
    str schema;
    str table;
    struct error ignored;
    str near = suggest(name, targets);
    const bool is_file =
        str_ends_with(name, STR(".sql")) &&
        model_target_from_path(arena, name, &schema, &table, &ignored) == ERROR_NONE;
    for (size_t i = 0; i < targets->count && near.size == 0; i++) {
        const str target = targets->items[i];
        const str last = str_from_offset(target, str_find_char(target, '.') + 1);
        if (str_equal_nocase(last, name) ||
            (is_file && str_equal_nocase(target, str_format(arena, STR_FORMAT "." STR_FORMAT,
                                                            STR_ARGS(schema), STR_ARGS(table))))) {
            near = target;
        }
    }
    error_set(err, ERROR_NOT_FOUND, "no model makes " STR_FORMAT, STR_ARGS(name));
    if (near.size > 0) {
        error_hint(err, "did you mean " STR_FORMAT "?", STR_ARGS(near));
    } else {
        error_hint(err, "`coypu stats` lists the models");
    }
    return err->code;
}

static enum error_code resolve(struct arena *arena, str project, str name,
                               struct target_file *found, struct error *err) {
    struct target_file_list files = {0};
    struct str_list targets = {0};
    TRY(list_files(arena, project, &files, err));
    const bool is_bare = str_find_char(name, '.') == SIZE_MAX;
    const str wanted = is_bare ? str_format(arena, "main." STR_FORMAT, STR_ARGS(name)) : name;
    for (size_t i = 0; i < files.count; i++) {
        str_list_push(arena, &targets, files.items[i].target);
        if (str_equal_nocase(files.items[i].target, wanted)) {
            *found = files.items[i];
            return ERROR_NONE;
        }
    }
    return model_unknown(arena, name, &targets, err);
}

enum error_code model_target_resolve(struct arena *arena, str project, str name, str *target,
                                     struct error *err) {
    struct target_file found = {0};
    TRY(resolve(arena, project, name, &found, err));
    *target = found.target;
    return ERROR_NONE;
}

enum error_code model_file_find(struct arena *arena, str project, str name, str *file,
                                struct error *err) {
    struct target_file found = {0};
    TRY(resolve(arena, project, name, &found, err));
    *file = found.file;
    return ERROR_NONE;
}
