#include "starlark/vm_helpers.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/suggest.h"
#include "starlark/module.h"
#include "starlark/operators.h"
#include "starlark/sequence.h"

void star_vm_fail_unset(struct star_thread *thread, const char *scope, star_value name) {
    star_fail(thread, "%s variable " STR_FORMAT " referenced before assignment", scope,
              STR_ARGS(star_text_of(name)));
}

void star_vm_fail_global(struct star_thread *thread, const struct star_call_frame *frame,
                         uint32_t slot) {
    star_fail(thread, "global variable %s referenced before assignment",
              frame->code->program->globals[slot].name);
}

void star_vm_fail_predeclared(struct star_thread *thread, const struct star_call_frame *frame,
                              uint32_t index) {
    star_fail(thread, "predeclared name %s has no value here",
              frame->code->program->predeclared[index]);
}

star_value star_vm_function(struct star_thread *thread, const struct star_call_frame *frame,
                            const struct star_code *code, const star_value *defaults) {
    const size_t count = (size_t)code->default_count + code->capture_count;
    struct star_function_object *function = star_heap_object(
        &thread->heap, STAR_OBJECT_FUNCTION, sizeof(*function) + count * sizeof(star_value));
    if (function == NULL) {
        return STAR_ERROR;
    }
    function->code = code;
    function->module = frame->module;
    function->default_count = code->default_count;
    function->capture_count = code->capture_count;
    for (uint32_t i = 0; i < code->default_count; i++) {
        function->values[i] = defaults[i];
    }
    for (uint32_t i = 0; i < code->capture_count; i++) {
        const struct star_capture *capture = &code->captures[i];
        function->values[code->default_count + i] =
            capture->from_free
                ? frame->function->values[frame->function->default_count + capture->index]
                : frame->base[capture->index];
    }
    return star_from_object(function);
}

bool star_vm_compare(struct star_thread *thread, unsigned x, star_value a, star_value b,
                     bool *result) {
    switch ((enum star_branch)x) {
    case STAR_BRANCH_LESS:
        return star_compare(thread, STAR_LESS, a, b, result);
    case STAR_BRANCH_LESS_EQUAL:
        return star_compare(thread, STAR_LESS_EQUAL, a, b, result);
    case STAR_BRANCH_GREATER:
        return star_compare(thread, STAR_GREATER, a, b, result);
    case STAR_BRANCH_GREATER_EQUAL:
        return star_compare(thread, STAR_GREATER_EQUAL, a, b, result);
    case STAR_BRANCH_EQUAL:
        return star_equal(thread, a, b, result);
    case STAR_BRANCH_NOT_EQUAL:
        if (!star_equal(thread, a, b, result)) {
            return false;
        }
        *result = !*result;
        return true;
    case STAR_BRANCH_IN:
        return star_contains(thread, b, a, result);
    case STAR_BRANCH_NOT_IN:
        if (!star_contains(thread, b, a, result)) {
            return false;
        }
        *result = !*result;
        return true;
    }
    return false;
}

star_value star_vm_dict_first(struct star_thread *thread, union star_cache *cache, star_value keys,
                              const star_value *values) {
    const struct star_tuple *names = star_as_tuple(keys);
    const struct star_shape *shape = star_shape_of(thread, names->items, names->count);
    if (shape != NULL) {
        cache->dict.shape = shape;
        struct star_dict *dict = star_vm_dict_shaped(thread, shape, values);
        return dict == NULL ? STAR_ERROR : star_from_object(dict);
    }
    struct star_dict *dict = star_dict_new(thread, names->count);
    for (uint32_t i = 0; dict != NULL && i < names->count; i++) {
        if (!star_dict_insert(thread, dict, names->items[i], values[i])) {
            return STAR_ERROR;
        }
    }
    return dict == NULL ? STAR_ERROR : star_from_object(dict);
}

bool star_vm_key_is_new(struct star_thread *thread, struct star_dict *dict, star_value key) {
    const star_value known = star_dict_find(thread, dict, key);
    if (star_is_unset(known)) {
        return true;
    }
    if (!star_is_error(known)) {
        const star_value text = star_repr(thread, key);
        if (!star_is_error(text)) {
            star_fail(thread, "duplicate key: " STR_FORMAT, STR_ARGS(star_text_of(text)));
        }
    }
    return false;
}

// ---- unpacking ----------------------------------------------------------------------------------

static bool fail_unpack(struct star_thread *thread, uint64_t got, uint32_t want) {
    star_fail(thread, "too %s values to unpack (got %llu, want %u)", got > want ? "many" : "few",
              (unsigned long long)got, want);
    return false;
}

bool star_vm_unpack(struct star_thread *thread, star_value source, star_value *into,
                    uint32_t count) {
    if (star_is_type(source, STAR_OBJECT_TUPLE) && star_as_tuple(source)->count == count) {
        const struct star_tuple *tuple = star_as_tuple(source);
        for (uint32_t i = 0; i < count; i++) {
            into[i] = tuple->items[i];
        }
        return true;
    }
    if (!star_is_iterable(source)) {
        star_fail(thread, "got %s in sequence assignment", star_type_name(source));
        return false;
    }
    const int64_t length = star_iterable_length(source);
    if (length >= 0 && length != (int64_t)count) {
        return fail_unpack(thread, (uint64_t)length, count);
    }
    struct star_iterator iterator;
    if (!star_iterate(thread, source, &iterator)) {
        return false;
    }
    uint64_t n = 0;
    star_value item;
    while (star_iterate_next(thread, &iterator, &item)) {
        if (n < count) {
            into[n] = item;
        }
        n++;
    }
    star_iterate_end(&iterator);
    return !iterator.failed && (n == count || fail_unpack(thread, n, count));
}

// ---- calls --------------------------------------------------------------------------------------

const struct star_builtin *star_vm_method(struct star_thread *thread, union star_cache *cache,
                                          star_value object, star_value name) {
    (void)thread;
    if (!star_is_object(object)) {
        return NULL;
    }
    const struct star_object *header = star_object(object);
    // A host type's own attribute hook goes before its methods.
    const struct star_type *host =
        header->type == STAR_OBJECT_HOST ? star_as_host(object)->type : NULL;
    if (header->type == STAR_OBJECT_STRUCT || (host != NULL && host->attribute != NULL)) {
        return NULL;
    }
    const void *type = host != NULL ? (const void *)host : (const void *)(uintptr_t)header->type;
    if (cache->method.type == type) {
        return cache->method.method;
    }
    const struct star_builtin *method = star_find_method(object, star_text_of(name));
    if (method != NULL) {
        cache->method.type = type;
        cache->method.method = method;
    }
    return method;
}

int star_vm_call(struct star_thread *thread, star_value *callee, const struct star_given *given,
                 uint32_t result) {
    if (!star_is_type(*callee, STAR_OBJECT_FUNCTION)) {
        const star_value value = star_call_other(thread, *callee, given);
        if (star_is_error(value)) {
            return -1;
        }
        *callee = value;
        return 0;
    }
    struct star_function_object *function = STAR_AS(star_function_object, *callee);
    return star_bind(thread, function, given, callee + 1) &&
                   star_frame_push(thread, function, callee + 1, result)
               ? 1
               : -1;
}

int star_vm_call_spread(struct star_thread *thread, star_value *callee,
                        const struct star_given *given, uint32_t result) {
    // The arguments stand at the top of the stack, which a native function's own calls would use.
    star_value *top = thread->stack_top;
    // Either may be the last: named arguments of the call itself stay where they were evaluated.
    const star_value *end = given->positional + given->positional_count;
    const star_value *named_end = given->named + given->named_count;
    end = given->named_count > 0 && named_end > end ? named_end : end;
    thread->stack_top = top + (end > top ? end - top : 0);
    const int called = star_vm_call(thread, callee, given, result);
    if (called <= 0) {
        thread->stack_top = top;
    }
    return called;
}

// ---- loops --------------------------------------------------------------------------------------

static bool iterate_pairs(struct star_thread *thread, star_value source, star_value *state) {
    // `x.items()` of anything else: call it.
    if (!star_is_type(source, STAR_OBJECT_DICT)) {
        const star_value method = star_find_attribute(thread, source, STR("items"));
        if (star_is_unset(method)) {
            star_get_attribute(thread, source, star_string_intern(thread, "items", 5));
            return false;
        }
        const star_value list =
            star_is_error(method) ? STAR_ERROR : star_call_value(thread, method, NULL, 0);
        return !star_is_error(list) && star_vm_iterate(thread, list, false, state);
    }
    // What items() would copy is shared with the dict until somebody changes it.
    struct star_dict *shadow = star_dict_shadow(thread, star_as_dict(source));
    if (shadow == NULL) {
        return false;
    }
    state[0] = star_from_object(shadow);
    state[1] = star_from_small(0);
    state[2] = STAR_NONE;
    return true;
}

bool star_vm_iterate(struct star_thread *thread, star_value source, bool is_items,
                     star_value *state) {
    if (is_items) {
        return iterate_pairs(thread, source, state);
    }
    if (!star_is_iterable(source)) {
        star_fail(thread, "%s value is not iterable", star_type_name(source));
        return false;
    }
    if (star_is_type(source, STAR_OBJECT_RANGE)) {
        const struct star_range *range = star_as_range(source);
        const int64_t limit = INT64_C(1) << 49;
        if (range->count < (uint64_t)limit && range->start < limit && range->start > -limit &&
            range->step < limit && range->step > -limit &&
            star_small_fits(star_range_item(range, range->count))) {
            state[0] = star_from_small(range->start);
            state[1] = star_from_small((int64_t)range->count);
            state[2] = star_from_small(range->step);
            return true;
        }
    }
    const bool is_guarded = star_guard(source);
    if (is_guarded && !star_guard_push(thread, source)) {
        star_unguard(source);
        return false;
    }
    state[0] = source;
    state[1] = star_from_small(0);
    state[2] = star_bool(is_guarded);
    return true;
}

// Items that can be read while the loop changes what they come from; STAR_UNSET: not such a value.
static star_value column_of(struct star_thread *thread, star_value source) {
    if (star_is_type(source, STAR_OBJECT_TUPLE) || star_is_type(source, STAR_OBJECT_RANGE)) {
        return source;
    }
    if (!star_is_type(source, STAR_OBJECT_LIST) || star_as_list(source)->lazy != NULL) {
        return STAR_UNSET;
    }
    const struct star_list *list = star_as_list(source);
    if (list->header.flags & STAR_FLAG_FROZEN) {
        return source;
    }
    return star_charge(thread, list->count / 16) ? star_list(thread, list->items, list->count)
                                                 : STAR_ERROR;
}

static star_value column_item(struct star_thread *thread, star_value column, uint64_t at) {
    return star_is_type(column, STAR_OBJECT_LIST) ? star_as_list(column)->items[at]
           : star_is_type(column, STAR_OBJECT_TUPLE)
               ? star_as_tuple(column)->items[at]
               : star_int(thread, star_range_item(star_as_range(column), at));
}

// The two columns; STAR_UNSET: the builtin has to do it.
static bool columns_of(struct star_thread *thread, bool is_zip, const struct star_given *given,
                       star_value columns[2]) {
    const star_value *arguments = given->positional;
    if (is_zip) {
        columns[0] = column_of(thread, arguments[0]);
        columns[1] = column_of(thread, arguments[1]);
    } else {
        const star_value start = given->positional_count > 1 ? arguments[1] : star_from_small(0);
        columns[1] = column_of(thread, arguments[0]);
        columns[0] = STAR_UNSET;
        if (star_is_small(start) && !star_is_unset(columns[1]) && !star_is_error(columns[1])) {
            const int64_t first = star_small(start);
            columns[0] = star_range_new(thread, first, first + (int64_t)star_length(columns[1]), 1);
        }
    }
    return !star_is_unset(columns[0]) && !star_is_unset(columns[1]);
}

bool star_vm_iterate_columns(struct star_thread *thread, star_value builtin,
                             const struct star_given *given, star_value *state) {
    const bool is_zip = STAR_AS(star_builtin_object, builtin)->builtin->name[0] == 'z';
    star_value columns[2];
    if (!columns_of(thread, is_zip, given, columns)) {
        const star_value list = star_call_other(thread, builtin, given);
        return !star_is_error(list) && star_vm_iterate(thread, list, false, state);
    }
    if (star_is_error(columns[0]) || star_is_error(columns[1])) {
        return false;
    }
    const size_t first = star_length(columns[0]);
    const size_t second = star_length(columns[1]);
    state[0] = star_tuple(thread, columns, 2);
    state[1] = star_from_small(0);
    state[2] = star_from_small((int64_t)(first < second ? first : second));
    return !star_is_error(state[0]);
}

void star_vm_iterate_end(struct star_thread *thread, star_value *state) {
    if (star_is_same(state[2], STAR_TRUE)) {
        star_guards_release(thread, thread->guard_count - 1);
    }
}

int star_vm_next(struct star_thread *thread, star_value *state, star_value *item) {
    uint64_t position = (uint64_t)star_small(state[1]);
    if (star_is_none(state[2])) {
        star_value pair[2];
        uint32_t entry = (uint32_t)position;
        if (!star_dict_step(thread, star_as_dict(state[0]), &entry, &pair[0], &pair[1])) {
            return star_is_error(pair[0]) ? -1 : 0;
        }
        state[1] = star_from_small(entry);
        *item = star_tuple(thread, pair, 2);
        return star_is_error(*item) ? -1 : 1;
    }
    const int step = star_step(thread, state[0], &position, item);
    state[1] = star_from_small((int64_t)position);
    if (step == 0) {
        star_vm_iterate_end(thread, state);
    }
    return step;
}

int star_vm_next_pair(struct star_thread *thread, star_value *state, star_value *first,
                      star_value *second) {
    if (star_is_none(state[2])) {
        star_value key = STAR_NONE;
        star_value value;
        uint32_t entry = (uint32_t)star_small(state[1]);
        if (!star_dict_step(thread, star_as_dict(state[0]), &entry, &key, &value)) {
            return star_is_error(key) ? -1 : 0;
        }
        state[1] = star_from_small(entry);
        *first = key;
        *second = value;
        return 1;
    }
    if (star_is_small(state[2]) && !star_is_small(state[0])) {
        const int64_t at = star_small(state[1]);
        if (at >= star_small(state[2])) {
            return 0;
        }
        const star_value *columns = star_as_tuple(state[0])->items;
        state[1] = star_from_small(at + 1);
        *first = column_item(thread, columns[0], (uint64_t)at);
        *second = column_item(thread, columns[1], (uint64_t)at);
        return star_is_error(*first) || star_is_error(*second) ? -1 : 1;
    }
    star_value item;
    if (star_is_small(state[0])) {
        if (star_small(state[1]) == 0) {
            return 0;
        }
        item = state[0]; // an int: cannot be unpacked
    } else {
        const int step = star_vm_next(thread, state, &item);
        if (step <= 0) {
            return step;
        }
    }
    star_value pair[2];
    if (!star_vm_unpack(thread, item, pair, 2)) {
        return -1;
    }
    *first = pair[0];
    *second = pair[1];
    return 1;
}

// ---- load ---------------------------------------------------------------------------------------

star_value star_vm_load(struct star_thread *thread, struct star_module *module, star_value name) {
    const struct star_environment *environment = module->environment;
    STAR_SCRATCH(scratch, thread);
    char *text = arena_try_bytes(&scratch, star_text_of(name).size + 1);
    if (text == NULL) {
        star_fail_memory(thread, false);
        return STAR_ERROR;
    }
    memcpy(text, star_text_of(name).data, star_text_of(name).size);
    text[star_text_of(name).size] = '\0';
    if (environment == NULL || environment->load == NULL) {
        return star_fail(thread, "cannot load %s: load is not available here", text);
    }
    thread->native_depth++;
    struct star_module *loaded =
        environment->load(thread, environment->load_user, module->program->file, text);
    thread->native_depth--;
    if (loaded == NULL) {
        return STAR_ERROR;
    }
    struct star_module **list =
        realloc(module->loaded, (module->loaded_count + 1UL) * sizeof(*list));
    if (list == NULL) {
        star_fail_memory(thread, false);
        return STAR_ERROR;
    }
    module->loaded = list;
    module->loaded[module->loaded_count] = star_module_keep(loaded);
    return star_from_small(module->loaded_count++);
}

star_value star_vm_load_name(struct star_thread *thread, struct star_module *module,
                             star_value loaded, star_value name) {
    const struct star_module *from = module->loaded[star_small(loaded)];
    const str wanted = star_text_of(name);
    STAR_SCRATCH(scratch, thread);
    struct str_list known = {0};
    for (uint32_t i = 0; i < from->program->global_count; i++) {
        const struct star_global *global = &from->program->globals[i];
        if (global->is_loaded || star_is_unset(from->globals[i])) {
            continue;
        }
        if (str_equal(str_from(global->name), wanted)) {
            return from->globals[i];
        }
        str_list_push(&scratch, &known, str_from(global->name));
    }
    const str near = suggest(wanted, &known);
    if (near.size > 0) {
        return star_fail(
            thread, "name " STR_FORMAT " not found in module %s (did you mean " STR_FORMAT "?)",
            STR_ARGS(wanted), from->program->file, STR_ARGS(near));
    }
    return star_fail(thread, "name " STR_FORMAT " not found in module %s", STR_ARGS(wanted),
                     from->program->file);
}
