#include "inspect/stats.h"

#include "base/map.h"
#include "base/text.h"
#include "lake/attach.h"

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

static void find_last_runs(struct inspection *inspection, const struct history *history,
                           struct project_stats *stats) {
    struct map newest;
    map_init_nocase(&newest, inspection->arena);
    for (size_t i = 0; i < history->count; i++) {
        struct history_run *run = &history->items[i];
        if (run->blocked.size == 0 && !map_has(&newest, run->model)) {
            (void)map_set(&newest, run->model, run);
        }
    }
    const struct models *models = &inspection->models;
    stats->model_count = models->count;
    stats->models = ARENA_ARRAY(inspection->arena, struct stats_model, models->count);
    for (size_t i = 0; i < models->count; i++) {
        const struct model *model = models->items[i];
        stats->models[i] = (struct stats_model){model, map_get(&newest, model->target)};
    }
}

static enum error_code read_catalog(struct inspection *inspection, struct project_stats *stats,
                                    struct error *err) {
    struct lake_connection *connection = inspection->session.connection;
    const struct lake *lake = inspection->session.lake;
    struct arena *arena = inspection->arena;
    const str prefix = lake_metadata_prefix(lake);
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
    struct history history;
    TRY(history_read(inspection->session.connection, inspection->state, inspection->arena, (str){0},
                     0, &history, err));
    stats->totals = history_total(&history);
    count_kinds(&inspection->models, stats);
    find_last_runs(inspection, &history, stats);
    return read_catalog(inspection, stats, err);
}
