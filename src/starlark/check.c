#include "starlark/check.h"

#include "base/map.h"

// ---- parameters ---------------------------------------------------------------------------------

struct parameter_check {
    const struct ast_param *star;   // * or *args
    const struct ast_param *kwargs; // **kwargs
    bool seen_optional;
    size_t keyword_only_count;
};

static const char *star_problem(const struct parameter_check *seen) {
    if (seen->kwargs != NULL) {
        return "* parameter may not follow **kwargs";
    }
    return seen->star != NULL ? "multiple * parameters are not allowed" : NULL;
}

static const char *required_problem(const struct parameter_check *seen) {
    if (seen->kwargs != NULL) {
        return "required parameter may not follow **kwargs";
    }
    return seen->star == NULL && seen->seen_optional ? "required parameter may not follow optional"
                                                     : NULL;
}

static const char *parameter_problem(const struct ast_param *param,
                                     const struct parameter_check *seen) {
    switch (param->kind) {
    case PARAM_REQUIRED:
        return required_problem(seen);
    case PARAM_OPTIONAL:
        return seen->kwargs != NULL ? "optional parameter may not follow **kwargs" : NULL;
    case PARAM_STAR:
    case PARAM_ARGS:
        return star_problem(seen);
    case PARAM_KWARGS:
        return seen->kwargs != NULL ? "multiple ** parameters are not allowed" : NULL;
    }
    return NULL;
}

static void parameter_see(const struct ast_param *param, struct parameter_check *seen) {
    switch (param->kind) {
    case PARAM_REQUIRED:
    case PARAM_OPTIONAL:
        seen->seen_optional = seen->seen_optional || param->kind == PARAM_OPTIONAL;
        seen->keyword_only_count += seen->star != NULL && seen->kwargs == NULL;
        break;
    case PARAM_STAR:
    case PARAM_ARGS:
        seen->star = seen->star == NULL ? param : seen->star;
        break;
    case PARAM_KWARGS:
        seen->kwargs = param;
        break;
    }
}

void star_check_parameters(const struct ast_function *function, struct star_report *report) {
    struct parameter_check seen = {0};
    for (size_t i = 0; i < function->param_count; i++) {
        const struct ast_param *param = &function->params[i];
        const char *problem = parameter_problem(param, &seen);
        if (problem != NULL) {
            star_report_add(report, param->span, "%s", problem);
        }
        parameter_see(param, &seen);
    }
    if (seen.star != NULL && seen.star->kind == PARAM_STAR && seen.keyword_only_count == 0) {
        star_report_add(report, seen.star->span,
                        "bare * must be followed by keyword-only parameters");
    }
}

// ---- arguments ----------------------------------------------------------------------------------

struct argument_check {
    bool seen_named;
    bool seen_args;
    bool seen_kwargs;
};

static const char *positional_problem(const struct argument_check *seen) {
    if (seen->seen_kwargs) {
        return "positional argument may not follow **kwargs";
    }
    if (seen->seen_args) {
        return "positional argument may not follow *args";
    }
    return seen->seen_named ? "positional argument may not follow named" : NULL;
}

static const char *named_problem(const struct argument_check *seen) {
    if (seen->seen_kwargs) {
        return "keyword argument may not follow **kwargs";
    }
    return seen->seen_args ? "keyword argument may not follow *args" : NULL;
}

static const char *args_problem(const struct argument_check *seen) {
    if (seen->seen_kwargs) {
        return "*args may not follow **kwargs";
    }
    return seen->seen_args ? "multiple *args are not allowed" : NULL;
}

static const char *argument_problem(const struct ast_arg *arg, struct argument_check *seen) {
    const struct argument_check before = *seen;
    switch (arg->kind) {
    case ARG_POSITIONAL:
        return positional_problem(&before);
    case ARG_NAMED:
        seen->seen_named = true;
        return named_problem(&before);
    case ARG_ARGS:
        seen->seen_args = true;
        return args_problem(&before);
    case ARG_KWARGS:
        seen->seen_kwargs = true;
        return before.seen_kwargs ? "multiple **kwargs are not allowed" : NULL;
    }
    return NULL;
}

static void check_repeated_keywords(const struct ast_call *call, struct arena *scratch,
                                    struct star_report *report) {
    struct map names;
    map_init(&names, scratch);
    for (size_t i = 0; i < call->arg_count; i++) {
        const struct ast_arg *arg = &call->args[i];
        if (arg->kind != ARG_NAMED) {
            continue;
        }
        if (map_has(&names, arg->name)) {
            star_report_add(report, arg->span, "keyword argument " STR_FORMAT " is repeated",
                            STR_ARGS(arg->name));
        }
        map_set(&names, arg->name, call->args);
    }
}

void star_check_arguments(const struct ast_call *call, struct arena *scratch,
                          struct star_report *report) {
    struct argument_check seen = {0};
    for (size_t i = 0; i < call->arg_count; i++) {
        const char *problem = argument_problem(&call->args[i], &seen);
        if (problem != NULL) {
            star_report_add(report, call->args[i].span, "%s", problem);
        }
    }
    if (call->named_count > 1) {
        check_repeated_keywords(call, scratch, report);
    }
}

// ---- targets and loads --------------------------------------------------------------------------

// What a message calls an expression that is no target; NULL for one that is (or is unknown).
static const char *not_a_target(enum ast_expr_kind kind) {
    switch (kind) {
    case EXPR_INT:
    case EXPR_FLOAT:
    case EXPR_STRING:
    case EXPR_BYTES:
        return "a literal";
    case EXPR_DICT:
        return "a dict";
    case EXPR_UNARY:
    case EXPR_BINARY:
    case EXPR_AND:
    case EXPR_OR:
        return "an operator expression";
    case EXPR_CONDITIONAL:
        return "a conditional expression";
    case EXPR_SLICE:
        return "a slice";
    case EXPR_CALL:
        return "a function call";
    case EXPR_LAMBDA:
        return "a lambda";
    case EXPR_COMPREHENSION:
        return "a comprehension";
    case EXPR_ERROR:
    case EXPR_NAME:
    case EXPR_LIST:
    case EXPR_TUPLE:
    case EXPR_DOT:
    case EXPR_INDEX:
        return NULL;
    }
    return NULL;
}

void star_check_target(const struct ast_expr *target, struct star_report *report) {
    const char *name = not_a_target(target->kind);
    if (name != NULL) {
        star_report_add(report, target->span, "cannot assign to %s", name);
    }
}

bool star_check_load_name(const struct ast_load_name *name, struct star_report *report) {
    if (name->from.size == 0) {
        star_report_add(report, name->from_span, "load: empty name");
        return false;
    }
    if (name->from.data[0] == '_') {
        star_report_add(report, name->from_span,
                        "load: names with a leading underscore are not exported: " STR_FORMAT,
                        STR_ARGS(name->from));
    }
    return true;
}
