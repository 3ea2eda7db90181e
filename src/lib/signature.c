#include "lib/signature.h"

#include "lib/api_read.h"
#include "starlark/syntax.h"

#include <stdio.h>

static const struct lib_parameter *find_parameter(const struct lib_function *function, str name) {
    for (size_t i = 0; i < function->parameter_count; i++) {
        if (str_equal(function->parameters[i].name, name)) {
            return &function->parameters[i];
        }
    }
    return NULL;
}

const struct lib_parameter *lib_function_parameter(const struct lib_function *function, str name) {
    return find_parameter(function, name);
}

bool lib_function_accepts(const struct lib_function *function, str name) {
    return function->takes_kwargs || find_parameter(function, name) != NULL;
}

const struct lib_function *lib_function_find(const struct lib *lib, str name) {
    for (size_t i = lib->function_count; i > 0; i--) {
        if (str_equal(lib->functions[i - 1].name, name)) {
            return &lib->functions[i - 1];
        }
    }
    return NULL;
}

static void read_parameters(struct arena *arena, const struct star_function_view *view,
                            struct lib_function *function) {
    function->parameters = ARENA_ARRAY(arena, struct lib_parameter, view->parameter_count);
    for (size_t i = 0; i < view->parameter_count; i++) {
        const struct star_parameter_view *parameter = &view->parameters[i];
        switch (parameter->kind) {
        case STAR_PARAMETER_ARGS:
            function->takes_args = true;
            break;
        case STAR_PARAMETER_KWARGS:
            function->takes_kwargs = true;
            break;
        case STAR_PARAMETER_POSITIONAL:
        case STAR_PARAMETER_KEYWORD_ONLY:
            function->parameters[function->parameter_count++] = (struct lib_parameter){
                .name = str_copy(arena, str_from(parameter->name)),
                .has_default = parameter->default_value != NULL,
                .is_keyword_only = parameter->kind == STAR_PARAMETER_KEYWORD_ONLY};
            break;
        }
    }
}

void lib_functions_read(struct arena *arena, const struct star_syntax *syntax, struct lib *lib) {
    lib->function_count = star_syntax_function_count(syntax);
    lib->functions = ARENA_ARRAY(arena, struct lib_function, lib->function_count);
    for (size_t i = 0; i < lib->function_count; i++) {
        const struct star_function_view *view = star_syntax_function(syntax, i);
        lib->functions[i] = (struct lib_function){.name = str_copy(arena, str_from(view->name)),
                                                  .line = view->span.line,
                                                  .column = view->span.column};
        read_parameters(arena, view, &lib->functions[i]);
    }
}

// What the checks share.
struct checker {
    const struct lib *lib;
    str text;
    struct error_list *errors;
};

static void report(struct checker *checker, int line, int column, const char *format, ...)
    PRINTF_LIKE(4, 5);
static void report(struct checker *checker, int line, int column, const char *format, ...) {
    char message[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    struct error err = {0};
    error_rule(&err, ERROR_INVALID, "blueprint.other", "%s", message);
    error_at(&err, checker->lib->file, line, column);
    error_source(&err, checker->text);
    error_list_add(checker->errors, &err);
}

// The function, or NULL after reporting that it is missing.
static const struct lib_function *need(struct checker *checker, const char *name, const char *why) {
    const struct lib_function *function = lib_function_find(checker->lib, str_from(name));
    if (function == NULL) {
        report(checker, checker->lib->api_line, 0, "%s() is missing: %s needs it", name, why);
    }
    return function;
}

static void need_parameter(struct checker *checker, const struct lib_function *function, str name,
                           const char *declared_in) {
    if (function == NULL || lib_function_accepts(function, name)) {
        return;
    }
    if (declared_in != NULL) {
        report(checker, function->line, function->column,
               STR_FORMAT "() does not accept parameter \"" STR_FORMAT "\" declared in %s",
               STR_ARGS(function->name), STR_ARGS(name), declared_in);
    } else {
        report(checker, function->line, function->column,
               STR_FORMAT "() does not accept parameter \"" STR_FORMAT "\"",
               STR_ARGS(function->name), STR_ARGS(name));
    }
}

static void need_args(struct checker *checker, const struct lib_function *function,
                      const struct str_list *args, const char *declared_in) {
    for (size_t i = 0; i < args->count; i++) {
        need_parameter(checker, function, args->items[i], declared_in);
    }
}

// Parameters without a default that nobody will ever give.
static void check_undeclared(struct checker *checker, const struct lib_function *function,
                             const struct str_list *args, bool (*is_kwarg)(str name),
                             bool need_default) {
    for (size_t i = 0; function != NULL && i < function->parameter_count; i++) {
        const struct lib_parameter *parameter = &function->parameters[i];
        bool known = str_list_has(args, parameter->name) || is_kwarg(parameter->name);
        if (!known && (need_default || !parameter->has_default)) {
            report(checker, function->line, function->column,
                   STR_FORMAT "(): undeclared parameter \"" STR_FORMAT "\"",
                   STR_ARGS(function->name), STR_ARGS(parameter->name));
        }
    }
}

static void check_fetch(struct checker *checker) {
    const struct lib_fetch *fetch = &checker->lib->api.fetch;
    if (!fetch->is_async) {
        const struct lib_function *function = need(checker, "fetch", "API.fetch");
        need_args(checker, function, &fetch->args, "fetch.args");
        check_undeclared(checker, function, &fetch->args, lib_fetch_kwarg_is_known, false);
        return;
    }
    const struct lib_function *sync = lib_function_find(checker->lib, STR("fetch"));
    if (sync != NULL) {
        report(checker, sync->line, sync->column,
               "fetch() must not exist beside \"async\": True, which uses submit, check and "
               "fetch_result");
    }
    const char *why = "\"async\": True";
    need_args(checker, need(checker, "submit", why), &fetch->args, "fetch.args");
    need_parameter(checker, need(checker, "check", why), STR("job_ref"), NULL);
    const struct lib_function *result = need(checker, "fetch_result", why);
    need_parameter(checker, result, STR("result_ref"), NULL);
    need_parameter(checker, result, STR("page"), NULL);
}

static bool is_finalize_kwarg(str name) {
    return str_equal(name, STR("succeeded")) || str_equal(name, STR("failed"));
}

static void check_push(struct checker *checker) {
    const struct lib_push *push = &checker->lib->api.push;
    const struct lib_function *function = need(checker, "push", "API.push");
    need_parameter(checker, function, STR("rows"), NULL);
    need_args(checker, function, &push->args, "push.args");
    check_undeclared(checker, function, &push->args, lib_push_kwarg_is_known, true);
    if (push->batch_mode == LIB_BATCH_ASYNC) {
        need_parameter(checker, need(checker, "poll", "\"batch_mode\": \"async\""), STR("job_ref"),
                       NULL);
    }
    struct str_list none = {0};
    check_undeclared(checker, lib_function_find(checker->lib, STR("finalize")), &none,
                     is_finalize_kwarg, true);
}

void lib_signatures_check(const struct lib *lib, str text, struct error_list *errors) {
    struct checker checker = {.lib = lib, .text = text, .errors = errors};
    if (lib->api.fetch.present) {
        check_fetch(&checker);
    }
    if (lib->api.push.present) {
        check_push(&checker);
    }
}
