#include "lib/fetch_kwargs.h"

#include "lib/column_type.h"

#include "base/text.h"

static star_value string_of(struct star_thread *thread, str text) {
    return star_string(thread, text.data == NULL ? "" : text.data, text.size);
}

// ---- columns ------------------------------------------------------------------------------------

static bool set_text(struct star_thread *thread, star_value dict, const char *name, str text) {
    star_value value = string_of(thread, text);
    return !star_is_error(value) && star_dict_set_name(thread, dict, name, value);
}

static star_value column_dict(struct star_thread *thread, const struct fetch_column *use,
                              bool is_strict) {
    SCRATCH(scratch);
    str alias = str_is_empty(use->alias) ? use->name : use->alias;
    str cast = use->is_projected ? use->cast : (str){0};
    str json_type = str_from(column_type_base(cast));
    str duckdb_type = column_type_canonical(&scratch, cast);
    star_value dict = star_dict(thread);
    star_value type =
        is_strict ? column_type_newer(thread, duckdb_type) : string_of(thread, json_type);
    if (star_is_error(dict) || star_is_error(type) ||
        !set_text(thread, dict, "name", is_strict ? use->name : alias) ||
        !star_dict_set_name(thread, dict, "type", type) ||
        !set_text(thread, dict, "source", use->name) || !set_text(thread, dict, "alias", alias) ||
        !set_text(thread, dict, "duckdb_type", duckdb_type) ||
        !set_text(thread, dict, "json_type", json_type)) {
        return STAR_ERROR;
    }
    return dict;
}

// A column used outside the SELECT list alone is listed once, after the others.
static bool is_listed(const struct fetch_task *task, size_t index, bool is_strict) {
    const struct fetch_column *use = &task->uses[index];
    if (use->is_projected) {
        return true;
    }
    for (size_t i = 0; i < task->use_count; i++) {
        const struct fetch_column *other = &task->uses[i];
        if ((other->is_projected || i < index) && str_equal_nocase(other->name, use->name)) {
            return false;
        }
    }
    return !is_strict;
}

static star_value columns_list(const struct fetch_task *task, const struct fetch_model *model,
                               struct star_thread *thread) {
    star_value list = star_list(thread, NULL, 0);
    for (int projected = 1; projected >= 0 && !task->takes_all; projected--) {
        for (size_t i = 0; i < task->use_count && !star_is_error(list); i++) {
            if (task->uses[i].is_projected != (projected == 1) ||
                !is_listed(task, i, model->is_strict)) {
                continue;
            }
            star_value dict = column_dict(thread, &task->uses[i], model->is_strict);
            if (star_is_error(dict) || !star_list_append(thread, list, dict)) {
                return STAR_ERROR;
            }
        }
    }
    return list;
}

// ---- save (legacy) ------------------------------------------------------------------------------

static star_value save_row(struct star_thread *thread, const struct star_call_info *call) {
    struct fetch_saved *saved = call->user;
    bool ok = star_list_append(thread, star_handle_value(saved->list), call->arguments[0]);
    return ok ? STAR_NONE : STAR_ERROR;
}

static star_value save_rows(struct star_thread *thread, const struct star_call_info *call) {
    struct fetch_saved *saved = call->user;
    size_t count = star_length(call->arguments[0]);
    for (size_t i = 0; i < count; i++) {
        star_value item = star_item(thread, call->arguments[0], i);
        if (star_is_error(item) ||
            !star_list_append(thread, star_handle_value(saved->list), item)) {
            return STAR_ERROR;
        }
    }
    return STAR_NONE;
}

static star_value save_count(struct star_thread *thread, const struct star_call_info *call) {
    struct fetch_saved *saved = call->user;
    return star_int(thread, (int64_t)star_length(star_handle_value(saved->list)));
}

static const struct star_parameter save_row_parameters[] = {
    {"row", STAR_REQUIRED, STAR_TAKES(STAR_KIND_DICT) | STAR_TAKES(STAR_KIND_STRUCT)}};
static const struct star_parameter save_rows_parameters[] = {
    {"rows", STAR_REQUIRED, STAR_TAKES(STAR_KIND_LIST) | STAR_TAKES(STAR_KIND_TUPLE)}};

static const struct star_builtin save_builtins[] = {
    STAR_BUILTIN("save.row", save_row, save_row_parameters),
    STAR_BUILTIN("save.rows", save_rows, save_rows_parameters),
    STAR_BUILTIN_RAW("save.count", save_count),
};

static star_value save_module(struct star_thread *thread, struct fetch_saved *saved) {
    static const char *const names[] = {"row", "rows", "count"};
    star_value values[ARRAY_COUNT(save_builtins)];
    star_value list = star_list(thread, NULL, 0);
    if (star_is_error(list)) {
        return STAR_ERROR;
    }
    saved->list = star_handle_new(thread, list);
    for (size_t i = 0; i < ARRAY_COUNT(save_builtins); i++) {
        values[i] = star_function_new(thread, &save_builtins[i], saved);
        if (star_is_error(values[i])) {
            return STAR_ERROR;
        }
    }
    return star_struct(thread, "save", names, values, ARRAY_COUNT(save_builtins));
}

// ---- all of them
// ---------------------------------------------------------------------------------

struct kwargs {
    struct star_binding *out;
    size_t count;
    bool failed;
};

static void add(struct kwargs *kwargs, const char *name, star_value value) {
    kwargs->failed = kwargs->failed || star_is_error(value);
    kwargs->out[kwargs->count++] = (struct star_binding){.name = name, .value = value};
}

static void add_args(struct kwargs *kwargs, const struct fetch_task *task,
                     struct star_thread *thread) {
    for (size_t i = 0; i < task->args.count; i++) {
        const struct lake_argument *value = &task->args.values[i];
        if (task->args.given[i]) {
            add(kwargs, task->arg_names[i],
                value->is_null ? STAR_NONE : string_of(thread, value->text));
        }
    }
}

size_t fetch_kwargs(const struct fetch_task *task, const struct fetch_model *model,
                    struct star_thread *thread, star_value cursor, int64_t page_number,
                    struct fetch_saved *saved, struct star_binding *out) {
    struct kwargs kwargs = {.out = out};
    add_args(&kwargs, task, thread);
    add(&kwargs, "columns", columns_list(task, model, thread));
    add(&kwargs, "target", string_of(thread, model->target));
    add(&kwargs, "is_backfill", star_bool(model->is_backfill));
    add(&kwargs, "last_value", string_of(thread, model->last_value));
    add(&kwargs, "initial_value", string_of(thread, model->initial_value));
    add(&kwargs, "last_run", string_of(thread, model->last_run));
    add(&kwargs, "cursor", string_of(thread, model->cursor));
    if (!star_is_unset(cursor)) {
        add(&kwargs, "page",
            modules_page(thread, cursor, task->lib->api.fetch.page_size, page_number));
    }
    const struct lib_function *function = lib_function_find(task->lib, STR("fetch"));
    if (saved != NULL && function != NULL && lib_function_accepts(function, STR("save"))) {
        add(&kwargs, "save", save_module(thread, saved));
    }
    return kwargs.failed ? SIZE_MAX : kwargs.count;
}
