// What is wrong with lib calls without any request: the lib, its kinds, columns and arguments.
#include "lib/fetch.h"

#include "base/text.h"
#include "lib/fetch_args.h"
#include "lib/fetch_private.h"

enum error_code fetch_find_lib(const struct lib_set *set, const struct fetch_call *call,
                               const struct lib **lib, struct error *err) {
    SCRATCH(scratch);
    *lib = lib_find(set, call->lib);
    if (*lib == NULL || !(*lib)->api.fetch.present) {
        return error_rule(err, ERROR_INVALID, "cross_ast.unknown_lib",
                          "\"" STR_FORMAT "\" is no lib with fetch (there are: " STR_FORMAT ")",
                          STR_ARGS(call->lib), STR_ARGS(lib_names_with_fetch(set, &scratch)));
    }
    return ERROR_NONE;
}

enum error_code fetch_check_kind(const struct lib *lib, str kind, struct error *err) {
    SCRATCH(scratch);
    const struct lib_fetch *fetch = &lib->api.fetch;
    if (!fetch->limits_kinds || str_list_has(&fetch->supported_kinds, kind)) {
        return ERROR_NONE;
    }
    return error_rule(err, ERROR_INVALID, "blueprint.other",
                      "lib " STR_FORMAT " does not support kind " STR_FORMAT
                      " (supported: " STR_FORMAT ")",
                      STR_ARGS(lib->name), STR_ARGS(kind),
                      STR_ARGS(str_list_join(&scratch, &fetch->supported_kinds, STR(", "))));
}

enum error_code fetch_check_columns(const struct lib *lib, const struct fetch_call *call,
                                    struct error *err) {
    SCRATCH(scratch);
    const struct lib_fetch *fetch = &lib->api.fetch;
    for (size_t i = 0; fetch->limits_columns && i < call->column_count; i++) {
        if (!str_list_has_nocase(&fetch->supported_columns, call->columns[i].name)) {
            return error_rule(
                err, ERROR_INVALID, "blueprint.other",
                "lib " STR_FORMAT " has no column \"" STR_FORMAT "\" (supported: " STR_FORMAT ")",
                STR_ARGS(lib->name), STR_ARGS(call->columns[i].name),
                STR_ARGS(str_list_join(&scratch, &fetch->supported_columns, STR(", "))));
        }
    }
    return ERROR_NONE;
}

void fetch_check(const struct lib_set *set, str file, str kind, const struct fetch_call *calls,
                 size_t count, struct error_list *errors) {
    for (size_t i = 0; i < count; i++) {
        const struct lib *lib = NULL;
        struct error found[4] = {0};
        size_t n = 0;
        if (fetch_find_lib(set, &calls[i], &lib, &found[0]) != ERROR_NONE) {
            n = 1;
        } else {
            n += fetch_check_kind(lib, kind, &found[n]) != ERROR_NONE;
            n += fetch_check_columns(lib, &calls[i], &found[n]) != ERROR_NONE;
            n += fetch_args_check(lib, &calls[i], &found[n]) != ERROR_NONE;
        }
        for (size_t j = 0; j < n; j++) {
            error_at(&found[j], file, calls[i].line, calls[i].column);
            error_list_add(errors, &found[j]);
        }
    }
}
