#include "lib/fetch_args.h"

#include "base/environment.h"
#include "base/suggest.h"
#include "base/text.h"
#include "lake/result.h"

static size_t positional_count(const struct fetch_call *call) {
    size_t count = 0;
    while (count < call->argument_count && str_is_empty(call->arguments[count].name)) {
        count++;
    }
    return count;
}

const struct fetch_argument *fetch_args_find(const struct lib *lib, const struct fetch_call *call,
                                             size_t index) {
    size_t positional = positional_count(call);
    if (index < positional) {
        return &call->arguments[index];
    }
    for (size_t i = positional; i < call->argument_count; i++) {
        if (str_equal_nocase(call->arguments[i].name, lib->api.fetch.args.items[index])) {
            return &call->arguments[i];
        }
    }
    return NULL;
}

// What the call may name, for the hints.
static void hint_arguments(const struct lib *lib, struct error *err) {
    SCRATCH(scratch);
    const struct str_list *declared = &lib->api.fetch.args;
    if (declared->count == 0) {
        error_hint(err, "fetch.args of lib/" STR_FORMAT ".star declares none", STR_ARGS(lib->name));
    } else {
        error_hint(err, "its arguments: " STR_FORMAT,
                   STR_ARGS(str_list_join(&scratch, declared, STR(", "))));
    }
}

// Every named argument is a declared name, each once and none that a positional one fills already.
static enum error_code check_names(const struct lib *lib, const struct fetch_call *call,
                                   struct error *err) {
    const struct str_list *declared = &lib->api.fetch.args;
    for (size_t i = positional_count(call); i < call->argument_count; i++) {
        str name = call->arguments[i].name;
        if (str_is_empty(name)) {
            return error_rule(err, ERROR_INVALID, "cross_ast.args_mismatch",
                              STR_FORMAT "(): a positional argument follows a named one",
                              STR_ARGS(lib->name));
        }
        if (!str_list_has_nocase(declared, name)) {
            error_rule(err, ERROR_INVALID, "cross_ast.args_mismatch",
                       STR_FORMAT "() has no argument \"" STR_FORMAT "\"", STR_ARGS(lib->name),
                       STR_ARGS(name));
            str near = suggest(name, declared);
            if (!str_is_empty(near)) {
                error_hint(err, "did you mean \"" STR_FORMAT "\"?", STR_ARGS(near));
            } else {
                hint_arguments(lib, err);
            }
            return err->code;
        }
        bool twice = false;
        for (size_t j = 0; j < declared->count && j < positional_count(call); j++) {
            twice = twice || str_equal_nocase(declared->items[j], name);
        }
        for (size_t j = positional_count(call); j < i; j++) {
            twice = twice || str_equal_nocase(call->arguments[j].name, name);
        }
        if (twice) {
            return error_rule(err, ERROR_INVALID, "cross_ast.args_mismatch",
                              STR_FORMAT "(): argument \"" STR_FORMAT "\" is given twice",
                              STR_ARGS(lib->name), STR_ARGS(name));
        }
    }
    return ERROR_NONE;
}

enum error_code fetch_args_check(const struct lib *lib, const struct fetch_call *call,
                                 struct error *err) {
    const struct str_list *declared = &lib->api.fetch.args;
    if (positional_count(call) > declared->count) {
        error_rule(err, ERROR_INVALID, "cross_ast.args_mismatch",
                   STR_FORMAT "() takes %zu argument%s, got %zu", STR_ARGS(lib->name),
                   declared->count, declared->count == 1 ? "" : "s", call->argument_count);
        hint_arguments(lib, err);
        return err->code;
    }
    TRY(check_names(lib, call, err));
    const struct lib_function *function =
        lib_function_find(lib, lib->api.fetch.is_async ? STR("submit") : STR("fetch"));
    for (size_t i = 0; function != NULL && i < declared->count; i++) {
        const struct lib_parameter *parameter =
            lib_function_parameter(function, declared->items[i]);
        bool required = parameter != NULL && !parameter->has_default;
        if (required && fetch_args_find(lib, call, i) == NULL) {
            error_rule(err, ERROR_INVALID, "cross_ast.args_mismatch",
                       STR_FORMAT "() needs argument \"" STR_FORMAT "\" (argument %zu)",
                       STR_ARGS(lib->name), STR_ARGS(declared->items[i]), i + 1);
            hint_arguments(lib, err);
            return err->code;
        }
    }
    return ERROR_NONE;
}

// Replaces `${VAR}` inside the string literals of an expression; the value stays text, whatever
// quotes it has.
static enum error_code expand_literals(struct arena *arena, const struct context *context, str sql,
                                       str *expanded, struct error *err) {
    if (context->environment == NULL || str_find(sql, STR("${")) == SIZE_MAX) {
        *expanded = sql;
        return ERROR_NONE;
    }
    struct text out;
    text_init(&out, arena);
    for (size_t i = 0; i < sql.size;) {
        if (sql.data[i] != '\'') {
            text_add_char(&out, sql.data[i++]);
            continue;
        }
        struct text literal;
        text_init(&literal, arena);
        for (i++; i < sql.size; i++) {
            if (sql.data[i] == '\'' && (i + 1 == sql.size || sql.data[i + 1] != '\'')) {
                break;
            }
            i += sql.data[i] == '\'';
            text_add_char(&literal, sql.data[i]);
        }
        i++;
        str value = {0};
        TRY(environment_expand(context->environment, arena, (str){0}, text_str(&literal), &value,
                               err));
        text_add(&out, lake_quote_text(arena, value));
    }
    *expanded = text_str(&out);
    return ERROR_NONE;
}

static enum error_code evaluate(struct arena *arena, const struct context *context,
                                struct lake_connection *connection,
                                const struct fetch_argument *argument, struct lake_argument *value,
                                struct lake_argument *key, struct error *err) {
    str expanded = {0};
    TRY(expand_literals(arena, context, argument->sql, &expanded, err));
    str sql = str_format(arena, "SELECT (" STR_FORMAT ")::VARCHAR, (" STR_FORMAT ")",
                         STR_ARGS(argument->sql), STR_ARGS(expanded));
    LAKE_RESULT result = NULL;
    TRY(lake_query(connection, sql, LAKE_NO_VALUES, &result, err));
    if (!lake_result_next(result)) {
        return error_set(err, ERROR_INVALID, "it has no value");
    }
    key->is_null = lake_result_is_null(result, 0);
    key->text = str_copy(arena, lake_result_text(result, 0));
    value->is_null = lake_result_is_null(result, 1);
    value->text = str_copy(arena, lake_result_text(result, 1));
    return ERROR_NONE;
}

enum error_code fetch_args_evaluate(struct arena *arena, const struct context *context,
                                    struct lake_connection *connection, const struct lib *lib,
                                    const struct fetch_call *call, struct fetch_args *args,
                                    struct error *err) {
    TRY(fetch_args_check(lib, call, err));
    args->count = lib->api.fetch.args.count;
    args->given = ARENA_ARRAY(arena, bool, args->count);
    args->values = ARENA_ARRAY(arena, struct lake_argument, args->count);
    args->keys = ARENA_ARRAY(arena, struct lake_argument, args->count);
    for (size_t i = 0; i < args->count; i++) {
        const struct fetch_argument *argument = fetch_args_find(lib, call, i);
        args->given[i] = argument != NULL;
        args->keys[i].is_null = true;
        args->values[i].is_null = true;
        if (argument == NULL) {
            continue;
        }
        if (!argument->is_constant) {
            return error_set(err, ERROR_INVALID, "arguments of " STR_FORMAT "() must be constant",
                             STR_ARGS(lib->name));
        }
        enum error_code code =
            evaluate(arena, context, connection, argument, &args->values[i], &args->keys[i], err);
        if (code != ERROR_NONE) {
            error_context(err, STR_FORMAT "() argument %zu", STR_ARGS(lib->name), i + 1);
            return code;
        }
    }
    return ERROR_NONE;
}
