#include "inspect/inspect.h"

#include "lake/attach.h"
#include "lake/lake.h"
#include "model/check_libs.h"
#include "model/lib_names.h"

enum error_code libs_read(const struct project *project, str catalog, struct lib_set *libs,
                          struct error *err) {
    struct lib_names names;
    TRY(lib_names_read(project, &names, err));
    const struct lib_scan_options options = {.context = project->context,
                                             .project = project->root,
                                             .catalog = catalog,
                                             .name_taken_by = lib_name_taken_by,
                                             .name_self = &names};
    return lib_scan(project->arena, &options, libs, err);
}

enum error_code models_read_with_libs(const struct project *project,
                                      struct lake_connection *connection, str catalog,
                                      struct lib_set *libs, struct models *models,
                                      struct error *err) {
    const struct models_options options = {
        .context = project->context,
        .project = project->root,
        .connection = connection,
        .is_lib = lib_set_has_fetch,
        .lib_self = libs,
        .catalog = catalog,
    };
    TRY(models_read(project->arena, &options, models, err));
    models_check_libs(models, libs);
    return models_check_macros(models, project, connection, err);
}

enum error_code inspection_open(struct arena *arena, const struct inspection_options *options,
                                struct inspection *inspection, struct error *err) {
    *inspection = (struct inspection){.context = options->context, .arena = arena};
    TRY(project_open(options->context, arena, (str){0}, &inspection->project, err));
    const struct session_options session_options = {.read_only = true, .without_sources = true};
    TRY(session_start(&inspection->project, &session_options, &inspection->session, err));
    inspection->state = state_new(&(struct state_options){.context = options->context,
                                                          .project = inspection->project.root,
                                                          .read_only = !options->writable});
    if (!options->with_models) {
        return ERROR_NONE;
    }
    const str catalog = lake_alias(inspection->session.lake);
    TRY(libs_read(&inspection->project, catalog, &inspection->libs, err));
    return models_read_with_libs(&inspection->project, inspection->session.connection, catalog,
                                 &inspection->libs, &inspection->models, err);
}

void inspection_close(struct inspection *inspection) {
    session_end(&inspection->session);
    lib_set_done(&inspection->libs);
    state_free(inspection->state);
    inspection->state = NULL;
}
