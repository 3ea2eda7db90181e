#include "plan/plan_files.h"

#include "base/file.h"
#include "lake/result.h"
#include "model/new_files.h"

// ── Reading ──

static void add_file(struct arena *arena, str project, str name, struct file_input_list *files) {
    SCRATCH(scratch);
    const str path = path_is_absolute(name) ? name : path_join(&scratch, project, name);
    const bool below = str_starts_with(path, project) && path.size > project.size &&
                       path.data[project.size] == '/';
    const str shown = below ? str_from_offset(path, project.size + 1) : path;
    struct file_stat stat;
    struct error err;
    if (file_stat(path, &stat, &err) == ERROR_NONE && !stat.is_directory) {
        const struct file_input input = {str_copy(arena, shown), stat.size, stat.mtime_ns};
        LIST_PUSH(arena, files, input);
    }
}

static bool is_pattern(str path) {
    return str_find_char(path, '*') != SIZE_MAX || str_find_char(path, '?') != SIZE_MAX ||
           str_find_char(path, '[') != SIZE_MAX || str_starts_with(path, STR("~"));
}

static enum error_code find_files(struct arena *arena, struct lake_connection *connection,
                                  str project, str pattern, struct file_input_list *files,
                                  struct error *err) {
    LAKE_RESULT result = NULL;
    TRY(lake_query(connection, STR("SELECT file FROM glob(?) ORDER BY ALL"),
                   LAKE_VALUES(lake_value_text(pattern)), &result, err));
    while (lake_result_next(result)) {
        add_file(arena, project, lake_result_text(result, 0), files);
    }
    return ERROR_NONE;
}

enum error_code plan_files_read(struct arena *arena, struct lake_connection *connection,
                                str project, struct model *model, struct file_input_list *files,
                                struct error *err) {
    for (size_t i = 0; i < model->files.count; i++) {
        const str path = model->files.items[i];
        if (!is_pattern(path)) {
            add_file(arena, project, path, files);
            continue;
        }
        const enum error_code code = find_files(arena, connection, project, path, files, err);
        if (code == ERROR_CANCELLED) {
            return code;
        }
        if (code != ERROR_NONE) { // the model alone shall fail by it
            str_list_push(arena, &model->unverifiable, path);
        }
    }
    return ERROR_NONE;
}

// ── Comparing ──

bool file_input_list_has(const struct file_input_list *list, const struct file_input *file) {
    for (size_t i = 0; i < list->count; i++) {
        const struct file_input *other = &list->items[i];
        if (other->size == file->size && other->mtime == file->mtime &&
            str_equal(other->path, file->path)) {
            return true;
        }
    }
    return false;
}

// The first of `list` that `other` does not have.
static str first_missing(const struct file_input_list *list, const struct file_input_list *other) {
    for (size_t i = 0; i < list->count; i++) {
        if (!file_input_list_has(other, &list->items[i])) {
            return list->items[i].path;
        }
    }
    return (str){0};
}

str plan_files_changed(const struct plan_step *step) {
    const str here = first_missing(&step->files, &step->commit.inputs);
    return here.size > 0 || model_loads_files_once(step->model)
               ? here
               : first_missing(&step->commit.inputs, &step->files);
}

// ── Remembering ──

static struct file_input *oldest_of(const struct file_input_list *list, size_t from) {
    struct file_input *oldest = &list->items[from];
    for (size_t i = from + 1; i < list->count; i++) {
        oldest = list->items[i].mtime < oldest->mtime ? &list->items[i] : oldest;
    }
    return oldest;
}

void plan_files_seen(struct arena *arena, const struct plan_step *step, enum run_type type,
                     struct file_input_list *seen) {
    // Every commit carries the list, and a folder that is emptied after each load must not make it
    // grow for ever.
    enum { GONE_MAX = 1000 };
    *seen = (struct file_input_list){0};
    for (size_t i = 0; i < step->files.count; i++) {
        LIST_PUSH(arena, seen, step->files.items[i]);
    }
    if (type == RUN_BACKFILL || !step->has_commit || !model_loads_files_once(step->model)) {
        return;
    }
    const struct file_input_list *before = &step->commit.inputs;
    for (size_t i = 0; i < before->count; i++) {
        if (file_input_list_has(&step->files, &before->items[i])) {
            continue;
        }
        if (seen->count - step->files.count < GONE_MAX) {
            LIST_PUSH(arena, seen, before->items[i]);
            continue;
        }
        struct file_input *oldest = oldest_of(seen, step->files.count);
        *oldest = before->items[i].mtime > oldest->mtime ? before->items[i] : *oldest;
    }
}
