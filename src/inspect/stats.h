#ifndef INSPECT_STATS_H
#define INSPECT_STATS_H

// The project in figures: what `coypu stats` shows.
//
// Ownership: everything lives in the inspection's arena.  Threads: one.

#include "inspect/history.h"
#include "inspect/inspect.h"

struct stats_model {
    const struct model *model;
    const struct history_run *last; // NULL: it never ran
};

struct stats_kind {
    enum model_kind kind;
    size_t count;
};

struct project_stats {
    struct stats_model *models; // by target
    size_t model_count;
    struct stats_kind kinds[MODEL_SCD2 + 1]; // those that occur, the most frequent first
    size_t kind_count;
    struct history_totals totals;
    int64_t snapshots;
    str catalog_type; // empty, as what follows, when nobody made the lake yet
    str data_path;
    str ducklake_version; // of the catalog's format
};

// The inspection has its models read.
MUST_USE enum error_code project_stats_read(struct inspection *inspection,
                                            struct project_stats *stats, struct error *err);

#endif
