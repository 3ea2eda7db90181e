// query, lookup and getvariable: arguments here, the work in the hooks of struct modules_data.
#include "modules/argument.h"
#include "modules/builtins.h"
#include "modules/host.h"

static star_value not_here(struct star_thread *thread, const char *name) {
    return star_fail(thread, "%s: there is no database here", name);
}

static star_value query(struct star_thread *thread, const struct star_call_info *call) {
    SCRATCH(scratch);
    const struct modules_data *data = &modules_host_of(thread)->options.data;
    const star_value list = call->arguments[1];
    str sql;
    if (!argument_text(thread, "query", call->arguments[0], &sql)) {
        return STAR_ERROR;
    }
    const bool given = !star_is_unset(list) && !star_is_none(list);
    if (given && star_kind(list) != STAR_KIND_LIST && star_kind(list) != STAR_KIND_TUPLE) {
        return argument_wrong(thread, "query: params", list, "list");
    }
    if (data->query == NULL) {
        return not_here(thread, "query");
    }
    const size_t count = given ? star_length(list) : 0;
    star_value *params = ARENA_ARRAY(&scratch, star_value, count);
    for (size_t i = 0; i < count; i++) {
        params[i] = star_item(thread, list, i);
        if (star_is_error(params[i])) {
            return STAR_ERROR;
        }
    }
    return data->query(data->self, thread, sql, params, count);
}

static star_value lookup(struct star_thread *thread, const struct star_call_info *call) {
    const struct modules_data *data = &modules_host_of(thread)->options.data;
    const star_value where = call->arguments[3];
    str table;
    str key;
    str value;
    if (!argument_text(thread, "lookup: table", call->arguments[0], &table) ||
        !argument_text(thread, "lookup: key", call->arguments[1], &key) ||
        !argument_text(thread, "lookup: value", call->arguments[2], &value)) {
        return STAR_ERROR;
    }
    if (star_kind(where) != STAR_KIND_LIST && star_kind(where) != STAR_KIND_TUPLE) {
        return argument_wrong(thread, "lookup: where", where, "list");
    }
    if (data->lookup == NULL) {
        return not_here(thread, "lookup");
    }
    return data->lookup(data->self, thread, table, key, value, where);
}

static star_value getvariable(struct star_thread *thread, const struct star_call_info *call) {
    const struct modules_data *data = &modules_host_of(thread)->options.data;
    str name;
    if (!argument_text(thread, "getvariable", call->arguments[0], &name)) {
        return STAR_ERROR;
    }
    return data->getvariable != NULL ? data->getvariable(data->self, thread, name)
                                     : not_here(thread, "getvariable");
}

static const struct star_parameter query_parameters[] = {{"sql", STAR_REQUIRED, 0},
                                                         {"params", STAR_OPTIONAL, 0}};
static const struct star_parameter lookup_parameters[] = {{"table", STAR_REQUIRED, 0},
                                                          {"key", STAR_REQUIRED, 0},
                                                          {"value", STAR_REQUIRED, 0},
                                                          {"where", STAR_REQUIRED, 0}};
static const struct star_parameter name_parameter[] = {{"name", STAR_REQUIRED, 0}};
static const struct star_builtin functions[] = {
    STAR_BUILTIN("query", query, query_parameters),
    STAR_BUILTIN("lookup", lookup, lookup_parameters),
    STAR_BUILTIN("getvariable", getvariable, name_parameter),
};
const struct builtin_table data_builtins = {NULL, functions, ARRAY_COUNT(functions)};
