#include "inspect/stats.h"

#include "base/map.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/snapshot.h"

static void count_kinds(const struct models *models, struct project_stats *stats) {
    size_t counts[MODEL_SCD2 + 1] = {0};
    for (size_t i = 0; i < models->count; i++) {
        counts[models->items[i]->source.directives.kind]++;
    }
    for (size_t kind = 0; kind <= MODEL_SCD2; kind++) {
        if (counts[kind] == 0) {
            continue;
        }
        size_t at = stats->kind_count++;
        for (; at > 0 && stats->kinds[at - 1].count < counts[kind]; at--) {
            stats->kinds[at] = stats->kinds[at - 1];
        }
        stats->kinds[at] = (struct stats_kind){(enum model_kind)kind, counts[kind]};
    }
}

// Of models that are not in the log, what their commits tell.
static enum error_code add_commits(struct inspection *inspection, struct project_stats *stats,
                                   struct error *err) {
    struct arena *arena = inspection->arena;
    struct lake_model_commit *commits = NULL;
    size_t count = 0;
    struct map by_model;
    map_init_nocase(&by_model, arena);
    TRY(lake_model_commits(inspection->session.connection, arena, NULL, &commits, &count, err));
    for (size_t i = 0; i < count; i++) {
        struct history_run *run = ARENA_NEW(arena, struct history_run);
        if (history_commit_run(arena, commits[i].snapshot, commits[i].extra_info, run)) {
            (void)map_set(&by_model, run->model, run);
        }
    }
    for (size_t i = 0; i < stats->model_count; i++) {
        struct stats_model *entry = &stats->models[i];
        if (entry->last == NULL) {
            entry->last = map_get(&by_model, entry->model->target);
        }
    }
    return ERROR_NONE;
}

static enum error_code find_last_runs(struct inspection *inspection, struct project_stats *stats,
                                      struct error *err) {
    const struct models *models = &inspection->models;
    struct arena *arena = inspection->arena;
    bool all_are_logged = true;
    stats->model_count = models->count;
    stats->models = ARENA_ARRAY(arena, struct stats_model, models->count);
    for (size_t i = 0; i < models->count; i++) {
        struct history_run *run = ARENA_NEW(arena, struct history_run);
        bool found = false;
        TRY(history_last_run(inspection->state, arena, models->items[i]->target, &found, run, err));
        stats->models[i] = (struct stats_model){models->items[i], found ? run : NULL};
        all_are_logged = all_are_logged && found;
    }
    return all_are_logged ? ERROR_NONE : add_commits(inspection, stats, err);
}

static enum error_code read_catalog(struct inspection *inspection, struct project_stats *stats,
                                    struct error *err) {
    struct lake_connection *connection = inspection->session.connection;
    const struct lake *lake = inspection->session.lake;
    struct arena *arena = inspection->arena;
    const str prefix = lake_metadata_prefix(lake);
    if (lake_is_missing(lake)) {
        return ERROR_NONE;
    }
    stats->catalog_type = str_from(lake_catalog_name(lake_catalog_kind(lake)));
    TRY(lake_data_path(connection, arena, &stats->data_path, err));
    TRY(lake_query_int64(connection,
                         str_format(arena, "SELECT count(*) FROM " STR_FORMAT ".ducklake_snapshot",
                                    STR_ARGS(prefix)),
                         LAKE_NO_VALUES, &stats->snapshots, NULL, err));
    return lake_query_text(connection, arena,
                           str_format(arena,
                                      "SELECT value FROM " STR_FORMAT
                                      ".ducklake_metadata WHERE key = 'version'",
                                      STR_ARGS(prefix)),
                           LAKE_NO_VALUES, &stats->ducklake_version, NULL, err);
}

enum error_code project_stats_read(struct inspection *inspection, struct project_stats *stats,
                                   struct error *err) {
    *stats = (struct project_stats){0};
    TRY(history_totals_read(inspection->session.connection, inspection->state, inspection->arena,
                            (str){0}, &stats->totals, err));
    count_kinds(&inspection->models, stats);
    TRY(find_last_runs(inspection, stats, err));
    return read_catalog(inspection, stats, err);
}
