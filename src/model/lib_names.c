#include "model/lib_names.h"

#include "base/text.h"
#include "lake/table_function.h"
#include "project/config_file.h"

enum error_code lib_names_read(const struct project *project, struct lib_names *names,
                               struct error *err) {
    names->arena = project->arena;
    return config_macros_names(project, &names->macros, err);
}

str lib_name_taken_by(void *self, str name) {
    const struct lib_names *names = self;
    const str *file = map_get(&names->macros, name);
    if (file != NULL) {
        return str_format(names->arena, "the macro in " STR_FORMAT, STR_ARGS(*file));
    }
    return lake_is_table_function(name) ? STR("a table function of DuckDB") : (str){0};
}
