// The predeclared names of lib files and their values.
#include "base/arena.h"
#include "modules/builtins.h"
#include "modules/modules.h"

#include <string.h>

static const struct builtin_table *const tables[] = {
    &http_builtins, &env_builtins,  &url_builtins,    &crypto_builtins,
    &csv_builtins,  &xml_builtins,  &schema_builtins, &hash_builtins,
    &file_builtins, &data_builtins, &call_builtins,
};

static const char *const names[] = {
    "http",          "env",           "url",      "crypto", "csv",
    "xml",           "lib_helpers",   "md5",      "sha256", "hmac_sha256",
    "base64_encode", "base64_decode", "uuid",     "glob",   "file_exists",
    "read_text",     "read_blob",     "md5_file", "query",  "lookup",
    "getvariable",   "abort",         "sleep",    "sink",   "incremental",
};
_Static_assert(ARRAY_COUNT(names) <= MODULES_NAME_COUNT_MAX, "modules_bind fills all");

struct star_names modules_names(void) {
    return (struct star_names){names, ARRAY_COUNT(names)};
}

enum { FUNCTIONS_MAX = 16 };

// A struct of a module's functions; "http.get" is its field "get".
static star_value module_new(struct star_thread *thread, const struct builtin_table *table) {
    const char *fields[FUNCTIONS_MAX];
    star_value functions[FUNCTIONS_MAX];
    for (size_t i = 0; i < table->count; i++) {
        fields[i] = strchr(table->functions[i].name, '.') + 1;
        functions[i] = star_function_new(thread, &table->functions[i], NULL);
        if (star_is_error(functions[i])) {
            return STAR_ERROR;
        }
    }
    return star_struct(thread, table->module, fields, functions, table->count);
}

// The value of one name.
static star_value named_value(struct star_thread *thread, const char *name) {
    for (size_t i = 0; i < ARRAY_COUNT(tables); i++) {
        const struct builtin_table *table = tables[i];
        if (table->module != NULL && strcmp(table->module, name) == 0) {
            return module_new(thread, table);
        }
        for (size_t j = 0; table->module == NULL && j < table->count; j++) {
            if (strcmp(table->functions[j].name, name) == 0) {
                return star_function_new(thread, &table->functions[j], NULL);
            }
        }
    }
    return strcmp(name, "sink") == 0 ? sink_new(thread) : incremental_new(thread);
}

size_t modules_bind(struct star_thread *thread, struct star_binding *bindings) {
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        bindings[i] = (struct star_binding){names[i], named_value(thread, names[i])};
        if (star_is_error(bindings[i].value)) {
            return 0;
        }
    }
    return ARRAY_COUNT(names);
}
