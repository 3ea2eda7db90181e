#include "starlark/call.h"

#include "base/arena.h"
#include "base/suggest.h"
#include "base/text.h"
#include "starlark/code.h"
#include "starlark/module.h"
#include "starlark/operators.h"
#include "starlark/sequence.h"

// ---- the stack ----------------------------------------------------------------------------------

star_value *star_stack_reserve(struct star_thread *thread, star_value *from, size_t count) {
    if (thread->stack == NULL) {
        if (!star_thread_stacks(thread)) {
            return NULL;
        }
        from = thread->stack;
    }
    if (count > (size_t)(thread->stack_end - from)) {
        star_fail_host(thread, STAR_LIMIT, 0, "stack overflow: the registers are used up");
        return NULL;
    }
    // What lies between was used before the last collection, or never: it must hold no pointer.
    while (thread->stack_used < from + count) {
        *thread->stack_used++ = STAR_NONE;
    }
    return from;
}

static bool is_active(const struct star_thread *thread, const struct star_code *code) {
    for (uint32_t i = thread->frame_count; i > 0; i--) {
        if (thread->frames[i - 1].code == code) {
            return true;
        }
    }
    return false;
}

bool star_frame_push(struct star_thread *thread, struct star_function_object *function,
                     star_value *base, uint32_t result) {
    const struct star_code *code = function->code;
    if (thread->frame_count >= thread->frame_limit) {
        star_fail_host(thread, STAR_LIMIT, 0, "stack overflow: more than %u nested calls",
                       thread->frame_limit);
        return false;
    }
    if (code->program->dialect == STAR_DIALECT_CORE && is_active(thread, code)) {
        star_fail(thread, "function %s called recursively", code->name);
        return false;
    }
    if (base + code->register_count > thread->stack_used &&
        star_stack_reserve(thread, base, code->register_count) == NULL) {
        return false;
    }
    union star_cache *caches = NULL;
    if (code->cache_count > 0) {
        caches = star_thread_caches(thread, code);
        if (caches == NULL) {
            return false;
        }
    }
    thread->frames[thread->frame_count++] = (struct star_call_frame){.code = code,
                                                                     .function = function,
                                                                     .base = base,
                                                                     .pc = code->words,
                                                                     .caches = caches,
                                                                     .module = function->module,
                                                                     .guards = thread->guard_count,
                                                                     .result = result};
    thread->stack_top = base + code->register_count;
    return true;
}

// ---- binding ------------------------------------------------------------------------------------

static const char *plural(size_t count) {
    return count == 1 ? "" : "s";
}

static bool fail_too_many(struct star_thread *thread, const char *name, uint32_t accepted,
                          bool has_optional, uint32_t given) {
    if (accepted == 0) {
        star_fail(thread, "function %s accepts no arguments (%u given)", name, given);
    } else {
        star_fail(thread, "function %s accepts %s%u positional argument%s (%u given)", name,
                  has_optional ? "at most " : "", accepted, plural(accepted), given);
    }
    return false;
}

static bool fail_unexpected(struct star_thread *thread, const char *function, str name,
                            const struct str_list *known) {
    const str near = suggest(name, known);
    if (near.size > 0) {
        star_fail(thread,
                  "function %s got an unexpected keyword argument \"" STR_FORMAT
                  "\" (did you mean " STR_FORMAT "?)",
                  function, STR_ARGS(name), STR_ARGS(near));
    } else {
        star_fail(thread, "function %s got an unexpected keyword argument \"" STR_FORMAT "\"",
                  function, STR_ARGS(name));
    }
    return false;
}

static bool fail_multiple(struct star_thread *thread, const char *function, str name) {
    star_fail(thread, "function %s got multiple values for parameter \"" STR_FORMAT "\"", function,
              STR_ARGS(name));
    return false;
}

static bool fail_missing(struct star_thread *thread, const char *function,
                         const struct str_list *missing) {
    STAR_SCRATCH(scratch, thread);
    const str names = str_list_join(&scratch, missing, STR(", "));
    star_fail(thread, "function %s missing %zu argument%s (" STR_FORMAT ")", function,
              missing->count, plural(missing->count), STR_ARGS(names));
    return false;
}

static bool names_equal(star_value a, star_value b) {
    return star_is_same(a, b) || star_string_equal(star_as_string(a), star_as_string(b));
}

static bool unexpected_name(struct star_thread *thread, const struct star_code *code,
                            star_value name) {
    STAR_SCRATCH(scratch, thread);
    struct str_list known = {0};
    for (uint32_t i = 0; i < code->positional_count + code->keyword_only_count; i++) {
        str_list_push(&scratch, &known, star_text_of(code->parameter_names[i]));
    }
    return fail_unexpected(thread, code->name, star_text_of(name), &known);
}

static bool bind_named(struct star_thread *thread, const struct star_code *code,
                       const struct star_given *given, star_value *base, star_value kwargs) {
    const uint32_t parameters = code->positional_count + code->keyword_only_count;
    for (uint32_t i = 0; i < given->named_count; i++) {
        const star_value name = given->names[i];
        uint32_t slot = 0;
        while (slot < parameters && !names_equal(code->parameter_names[slot], name)) {
            slot++;
        }
        if (slot < parameters) {
            if (!star_is_unset(base[slot])) {
                return fail_multiple(thread, code->name, star_text_of(name));
            }
            base[slot] = given->named[i];
        } else if (!code->has_kwargs) {
            return unexpected_name(thread, code, name);
        } else {
            struct star_dict *dict = star_as_dict(kwargs);
            const star_value known = star_dict_find(thread, dict, name);
            if (!star_is_unset(known)) {
                return !star_is_error(known) &&
                       fail_multiple(thread, code->name, star_text_of(name));
            }
            if (!star_dict_insert(thread, dict, name, given->named[i])) {
                return false;
            }
        }
    }
    return true;
}

static bool bind_defaults(struct star_thread *thread, const struct star_function_object *function,
                          star_value *base) {
    const struct star_code *code = function->code;
    const uint32_t parameters = code->positional_count + code->keyword_only_count;
    bool is_missing = false;
    for (uint32_t i = 0; i < parameters; i++) {
        if (star_is_unset(base[i])) {
            if (code->default_indexes[i] >= 0) {
                base[i] = function->values[code->default_indexes[i]];
            } else {
                is_missing = true;
            }
        }
    }
    if (!is_missing) {
        return true;
    }
    STAR_SCRATCH(scratch, thread);
    struct str_list missing = {0};
    for (uint32_t i = 0; i < parameters; i++) {
        if (star_is_unset(base[i])) {
            str_list_push(&scratch, &missing, star_text_of(code->parameter_names[i]));
        }
    }
    return fail_missing(thread, code->name, &missing);
}

bool star_bind(struct star_thread *thread, const struct star_function_object *function,
               const struct star_given *given, star_value *base) {
    const struct star_code *code = function->code;
    const uint32_t parameters = code->positional_count + code->keyword_only_count;
    // Arguments mostly stand where the parameters will: bring them out of the way first.
    const uint32_t total = given->positional_count + 2 * given->named_count;
    const size_t slots = parameters + 2UL;
    star_value *copy = base + (slots > total ? slots : total) + code->register_count;
    // Spread arguments stand below the top of the stack.
    copy = copy < thread->stack_top ? thread->stack_top : copy;
    if (star_stack_reserve(thread, base, (size_t)(copy - base) + total) == NULL) {
        return false;
    }
    struct star_given from = {.positional = copy,
                              .names = copy + given->positional_count,
                              .named = copy + given->positional_count + given->named_count,
                              .positional_count = given->positional_count,
                              .named_count = given->named_count};
    for (uint32_t i = 0; i < given->positional_count; i++) {
        copy[i] = given->positional[i];
    }
    for (uint32_t i = 0; i < given->named_count; i++) {
        copy[given->positional_count + i] = given->names[i];
        copy[given->positional_count + given->named_count + i] = given->named[i];
    }
    const uint32_t placed = from.positional_count < code->positional_count ? from.positional_count
                                                                           : code->positional_count;
    for (uint32_t i = 0; i < parameters; i++) {
        base[i] = i < placed ? from.positional[i] : STAR_UNSET;
    }
    if (from.positional_count > placed && !code->has_args) {
        bool has_optional = false;
        for (uint32_t i = 0; i < code->positional_count; i++) {
            has_optional = has_optional || code->default_indexes[i] >= 0;
        }
        return fail_too_many(thread, code->name, code->positional_count, has_optional,
                             from.positional_count);
    }
    if (code->has_args) {
        base[parameters] =
            star_tuple(thread, from.positional + placed, from.positional_count - placed);
        if (star_is_error(base[parameters])) {
            return false;
        }
    }
    star_value kwargs = STAR_NONE;
    if (code->has_kwargs) {
        kwargs = base[parameters + code->has_args] = star_dict(thread);
        if (star_is_error(kwargs)) {
            return false;
        }
    }
    return bind_named(thread, code, &from, base, kwargs) && bind_defaults(thread, function, base);
}

// ---- native functions ---------------------------------------------------------------------------

enum { NATIVE_PARAMETERS_MAX = 32 };

static bool native_unexpected(struct star_thread *thread, const struct star_builtin *builtin,
                              star_value name) {
    STAR_SCRATCH(scratch, thread);
    struct str_list known = {0};
    for (uint32_t i = 0; i < builtin->parameter_count; i++) {
        if (!(builtin->parameters[i].flags & STAR_POSITIONAL_ONLY)) {
            str_list_push(&scratch, &known, str_from(builtin->parameters[i].name));
        }
    }
    return fail_unexpected(thread, builtin->name, star_text_of(name), &known);
}

static const char *kind_name(enum star_kind kind) {
    static const char *const names[] = {
        [STAR_KIND_NONE] = "NoneType",    [STAR_KIND_BOOL] = "bool",
        [STAR_KIND_INT] = "int",          [STAR_KIND_FLOAT] = "float",
        [STAR_KIND_STRING] = "string",    [STAR_KIND_BYTES] = "bytes",
        [STAR_KIND_LIST] = "list",        [STAR_KIND_TUPLE] = "tuple",
        [STAR_KIND_DICT] = "dict",        [STAR_KIND_SET] = "set",
        [STAR_KIND_RANGE] = "range",      [STAR_KIND_FUNCTION] = "callable",
        [STAR_KIND_BUILTIN] = "callable", [STAR_KIND_STRUCT] = "struct",
        [STAR_KIND_HOST] = "host object",
    };
    return names[kind];
}

static inline bool kind_is_taken(const struct star_parameter *parameter, star_value value) {
    return parameter->kinds == 0 || (parameter->kinds & STAR_TAKES(star_kind_of(value))) ||
           ((parameter->flags & STAR_OR_NONE) && star_is_none(value));
}

static bool check_kind(struct star_thread *thread, const struct star_builtin *builtin,
                       const struct star_parameter *parameter, star_value value) {
    if (star_is_unset(value) || kind_is_taken(parameter, value)) {
        return true;
    }
    STAR_SCRATCH(scratch, thread);
    struct text want;
    text_init(&want, &scratch);
    const char *last = "";
    for (unsigned kind = 0; kind <= STAR_KIND_HOST; kind++) {
        if ((parameter->kinds & STAR_TAKES(kind)) && kind_name(kind) != last) {
            text_format(&want, "%s%s", want.size > 0 ? " or " : "", kind_name(kind));
            last = kind_name(kind);
        }
    }
    star_fail(thread, "%s: for parameter %s: got %s, want %s", builtin->name, parameter->name,
              star_type_name(value), text_cstring(&want));
    return false;
}

// Most calls give positional arguments only, of the right kinds and as many as needed; false: any
// other, or one that fails.
static inline bool bind_positional(const struct star_builtin *builtin,
                                   const struct star_given *given, star_value *bound) {
    const struct star_parameter *parameters = builtin->parameters;
    if (given->named_count > 0 || given->positional_count > builtin->parameter_count) {
        return false;
    }
    for (uint32_t i = 0; i < given->positional_count; i++) {
        if ((parameters[i].flags & STAR_KEYWORD_ONLY) ||
            !kind_is_taken(&parameters[i], given->positional[i])) {
            return false;
        }
        bound[i] = given->positional[i];
    }
    for (uint32_t i = given->positional_count; i < builtin->parameter_count; i++) {
        if (!(parameters[i].flags & STAR_OPTIONAL)) {
            return false;
        }
        bound[i] = STAR_UNSET;
    }
    return true;
}

static bool native_bind(struct star_thread *thread, const struct star_builtin *builtin,
                        const struct star_given *given, star_value *bound) {
    const uint32_t count = builtin->parameter_count;
    uint32_t positional = 0;
    bool has_optional = false;
    while (positional < count && !(builtin->parameters[positional].flags & STAR_KEYWORD_ONLY)) {
        has_optional = has_optional || (builtin->parameters[positional].flags & STAR_OPTIONAL);
        positional++;
    }
    if (given->positional_count > positional) {
        return fail_too_many(thread, builtin->name, positional, has_optional,
                             given->positional_count);
    }
    for (uint32_t i = 0; i < count; i++) {
        bound[i] = i < given->positional_count ? given->positional[i] : STAR_UNSET;
    }
    for (uint32_t i = 0; i < given->named_count; i++) {
        const str name = star_text_of(given->names[i]);
        uint32_t slot = 0;
        while (slot < count && ((builtin->parameters[slot].flags & STAR_POSITIONAL_ONLY) ||
                                !str_equal(str_from(builtin->parameters[slot].name), name))) {
            slot++;
        }
        if (slot == count) {
            return native_unexpected(thread, builtin, given->names[i]);
        }
        if (!star_is_unset(bound[slot])) {
            return fail_multiple(thread, builtin->name, name);
        }
        bound[slot] = given->named[i];
    }
    bool is_missing = false;
    for (uint32_t i = 0; i < count; i++) {
        if (star_is_unset(bound[i]) && !(builtin->parameters[i].flags & STAR_OPTIONAL)) {
            is_missing = true;
        } else if (!check_kind(thread, builtin, &builtin->parameters[i], bound[i])) {
            return false;
        }
    }
    if (!is_missing) {
        return true;
    }
    STAR_SCRATCH(scratch, thread);
    struct str_list missing = {0};
    for (uint32_t i = 0; i < count; i++) {
        if (star_is_unset(bound[i]) && !(builtin->parameters[i].flags & STAR_OPTIONAL)) {
            str_list_push(&scratch, &missing, str_from(builtin->parameters[i].name));
        }
    }
    return fail_missing(thread, builtin->name, &missing);
}

star_value star_call_native(struct star_thread *thread, const struct star_builtin *builtin,
                            star_value function, star_value receiver, void *user,
                            const struct star_given *given) {
    struct star_call_info call = {.function = function, .receiver = receiver, .user = user};
    star_value bound[NATIVE_PARAMETERS_MAX];
    const struct star_builtin *outer = thread->active_native;
    thread->active_native = builtin;
    if (builtin->parameters != NULL) {
        if (!bind_positional(builtin, given, bound) &&
            !native_bind(thread, builtin, given, bound)) {
            // The call failed, not the function: its position is the caller's.
            thread->active_native = outer;
            return STAR_ERROR;
        }
        call.arguments = bound;
        call.argument_count = builtin->parameter_count;
        call.named_count = given->named_count;
    } else {
        call.arguments = given->positional;
        call.argument_count = given->positional_count;
        call.names = given->names;
        call.named = given->named;
        call.named_count = given->named_count;
    }
    thread->native_depth++;
    const star_value result = builtin->function(thread, &call);
    thread->native_depth--;
    if (!star_is_error(result)) {
        thread->active_native = outer;
        return result;
    }
    star_error_trace(thread);
    thread->active_native = outer;
    return STAR_ERROR;
}

star_value star_call_other(struct star_thread *thread, star_value function,
                           const struct star_given *given) {
    if (star_is_type(function, STAR_OBJECT_BUILTIN)) {
        const struct star_builtin_object *builtin = STAR_AS(star_builtin_object, function);
        return star_call_native(thread, builtin->builtin, function, builtin->receiver,
                                builtin->user, given);
    }
    if (star_is_type(function, STAR_OBJECT_HOST) && star_as_host(function)->type->call != NULL) {
        const struct star_host_object *host = star_as_host(function);
        const struct star_builtin as_builtin = {host->type->name, host->type->call, NULL, 0};
        return star_call_native(thread, &as_builtin, function, function, host->data, given);
    }
    return star_fail(thread, "invalid call of non-function (%s)", star_type_name(function));
}

// ---- calls from native code and from outside ----------------------------------------------------

static star_value call_function(struct star_thread *thread, struct star_function_object *function,
                                const struct star_given *given) {
    if (thread->reentry_depth >= STAR_REENTRY_MAX) {
        return star_fail_host(thread, STAR_LIMIT, 0,
                              "stack overflow: more than %d nested calls through builtins",
                              STAR_REENTRY_MAX);
    }
    star_value *top = thread->stack_top;
    const struct star_builtin *native = thread->active_native;
    const uint32_t floor = thread->frame_count;
    star_value *base = star_stack_reserve(thread, top, function->code->register_count);
    if (base == NULL) {
        return STAR_ERROR;
    }
    top = thread->stack_top;
    const struct star_code *code = function->code;
    if (code->is_simple && given->named_count == 0 &&
        given->positional_count == code->positional_count) {
        for (uint32_t i = 0; i < given->positional_count; i++) {
            base[i] = given->positional[i];
        }
    } else if (!star_bind(thread, function, given, base)) {
        return STAR_ERROR;
    }
    if (!star_frame_push(thread, function, base, 0)) {
        return STAR_ERROR;
    }
    thread->frames[floor].native = native;
    thread->active_native = NULL;
    thread->reentry_depth++;
    const star_value result = star_vm_run(thread, floor);
    thread->reentry_depth--;
    thread->active_native = native;
    thread->stack_top = top;
    return result;
}

star_value star_call_given(struct star_thread *thread, star_value function,
                           const struct star_given *given) {
    if (star_is_type(function, STAR_OBJECT_FUNCTION)) {
        return call_function(thread, STAR_AS(star_function_object, function), given);
    }
    return star_call_other(thread, function, given);
}

star_value star_call_value(struct star_thread *thread, star_value function,
                           const star_value *positional, size_t count) {
    const struct star_given given = {.positional = positional, .positional_count = (uint32_t)count};
    return star_call_given(thread, function, &given);
}

star_value star_call_named(struct star_thread *thread, star_value function,
                           const struct star_arguments *arguments) {
    struct star_given given = {.positional = arguments->positional,
                               .positional_count = (uint32_t)arguments->positional_count,
                               .named_count = (uint32_t)arguments->named_count};
    const size_t count = arguments->named_count;
    struct star_tuple *names = star_tuple_new(thread, 2 * count);
    if (names == NULL) {
        return STAR_ERROR;
    }
    for (size_t i = 0; i < count; i++) {
        names->items[i] = star_string_from(thread, arguments->named[i].name);
        names->items[count + i] = arguments->named[i].value;
        if (star_is_error(names->items[i])) {
            return STAR_ERROR;
        }
    }
    given.names = names->items;
    given.named = names->items + count;
    return star_call_given(thread, function, &given);
}

// ---- *args, **kwargs ----------------------------------------------------------------------------

static bool spread_names(struct star_thread *thread, star_value star_star, star_value **top,
                         uint32_t *count) {
    if (!star_is_type(star_star, STAR_OBJECT_DICT)) {
        star_fail(thread, "argument after ** must be a mapping, not %s", star_type_name(star_star));
        return false;
    }
    struct star_dict *dict = star_as_dict(star_star);
    star_value *at = star_stack_reserve(thread, *top, 2UL * dict->count);
    uint32_t position = 0;
    star_value key = STAR_NONE;
    star_value value;
    uint32_t n = 0;
    while (at != NULL && star_dict_step(thread, dict, &position, &key, &value)) {
        if (!star_is_string(key)) {
            star_fail(thread, "keywords must be strings, not %s", star_type_name(key));
            return false;
        }
        at[n] = key;
        at[dict->count + n] = value;
        n++;
    }
    *count = n;
    *top = at;
    return at != NULL && !star_is_error(key);
}

static bool spread_positional(struct star_thread *thread, star_value star, star_value *at,
                              uint32_t *count) {
    struct star_iterator iterator;
    if (!star_is_iterable(star)) {
        star_fail(thread, "argument after * must be iterable, not %s", star_type_name(star));
        return false;
    }
    if (!star_iterate(thread, star, &iterator)) {
        return false;
    }
    star_value item;
    bool is_room = true;
    while (is_room && star_iterate_next(thread, &iterator, &item)) {
        is_room = star_stack_reserve(thread, at, *count + 1UL) != NULL;
        if (is_room) {
            at[(*count)++] = item;
        }
    }
    star_iterate_end(&iterator);
    return is_room && !iterator.failed;
}

// A native function that takes its arguments raw cannot tell a name that comes twice.
static bool check_repeated(struct star_thread *thread, star_value callee,
                           const struct star_given *given, star_value star_star) {
    const struct star_builtin *builtin = star_is_type(callee, STAR_OBJECT_BUILTIN)
                                             ? STAR_AS(star_builtin_object, callee)->builtin
                                             : NULL;
    if (builtin == NULL || builtin->parameters != NULL) {
        return true;
    }
    for (uint32_t i = 0; i < given->named_count; i++) {
        const star_value known = star_dict_find(thread, star_as_dict(star_star), given->names[i]);
        if (!star_is_unset(known)) {
            return !star_is_error(known) &&
                   fail_multiple(thread, builtin->name, star_text_of(given->names[i]));
        }
    }
    return true;
}

bool star_spread(struct star_thread *thread, star_value callee, struct star_given *given,
                 star_value star, star_value star_star) {
    // Native iteration may call back: the part of the stack that is filled must count as used.
    star_value *start = thread->stack_top;
    star_value *at = start;
    bool is_good = star_stack_reserve(thread, at, given->positional_count) != NULL;
    if (is_good) {
        for (uint32_t i = 0; i < given->positional_count; i++) {
            at[i] = given->positional[i];
        }
        thread->stack_top = at + given->positional_count;
    }
    if (is_good && !star_is_unset(star)) {
        is_good = spread_positional(thread, star, at, &given->positional_count);
    }
    if (!is_good) {
        thread->stack_top = start;
        return false;
    }
    given->positional = at;
    at += given->positional_count;
    uint32_t more = 0;
    star_value *extra = at;
    if (!star_is_unset(star_star) && (!spread_names(thread, star_star, &extra, &more) ||
                                      !check_repeated(thread, callee, given, star_star))) {
        thread->stack_top = start;
        return false;
    }
    thread->stack_top = start;
    if (more == 0) {
        return true;
    }
    const uint32_t total = given->named_count + more;
    star_value *names = star_stack_reserve(thread, extra + 2UL * more, 2UL * total);
    if (names == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < total; i++) {
        const bool is_given = i < given->named_count;
        names[i] = is_given ? given->names[i] : extra[i - given->named_count];
        names[total + i] = is_given ? given->named[i] : extra[more + i - given->named_count];
    }
    given->names = names;
    given->named = names + total;
    given->named_count = total;
    return true;
}
