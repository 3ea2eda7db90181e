#include "base/context.h"
#include "base/environment.h"
#include "modules/argument.h"
#include "modules/builtins.h"
#include "modules/host.h"

static star_value env_get(struct star_thread *thread, const struct star_call_info *call) {
    str name;
    str value;
    if (!argument_text(thread, "env.get", call->arguments[0], &name)) {
        return STAR_ERROR;
    }
    struct environment *environment = modules_host_of(thread)->options.context->environment;
    if (environment != NULL && environment_get(environment, name, &value)) {
        return value_from_str(thread, value);
    }
    return star_is_unset(call->arguments[1]) ? star_string(thread, "", 0) : call->arguments[1];
}

static star_value env_set(struct star_thread *thread, const struct star_call_info *call) {
    str name;
    str value;
    if (!argument_text(thread, "env.set", call->arguments[0], &name) ||
        !argument_text(thread, "env.set", call->arguments[1], &value)) {
        return STAR_ERROR;
    }
    struct environment *environment = modules_host_of(thread)->options.context->environment;
    if (environment != NULL) {
        environment_set(environment, name, value);
    }
    return STAR_NONE;
}

static const struct star_parameter get_parameters[] = {{"name", STAR_REQUIRED, 0},
                                                       {"default", STAR_OPTIONAL, 0}};
static const struct star_parameter set_parameters[] = {{"name", STAR_REQUIRED, 0},
                                                       {"value", STAR_REQUIRED, 0}};
static const struct star_builtin functions[] = {
    STAR_BUILTIN("env.get", env_get, get_parameters),
    STAR_BUILTIN("env.set", env_set, set_parameters),
};
const struct builtin_table env_builtins = {"env", functions, ARRAY_COUNT(functions)};
