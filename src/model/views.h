#ifndef MODEL_VIEWS_H
#define MODEL_VIEWS_H

// The views that models read: of the lake, and those that config/sources.sql will make when
// somebody needs them.  A model depends on what stands behind them (models.md §4.2, §6.1).
//
// Ownership: everything lives in the arena.  Threads: read-only once read.

#include "model/model.h"
#include "sql/create_view.h"

struct lineage_database;

struct view {
    str name;
    str text; // of its definition
    struct sql_view definition;
    str ast;                // of its body
    struct sql_query query; // of its body
    bool from_sources;      // config/sources.sql must have run
};

struct views {
    struct map by_name; // struct view *, by "schema.name" and, outside of the lake, by "name"
};

// Asks the lake only when some model reads a table that is no model's; config/sources.sql is read,
// not run.  A view whose body cannot be understood is left out.
MUST_USE enum error_code views_read(struct arena *arena, const struct models_options *options,
                                    const struct models *models, struct views *views,
                                    struct error *err);
// NULL when it is no view.
const struct view *views_find(const struct views *views, struct arena *arena,
                              const struct sql_table *table);
// Tells a lineage what stands behind them.
void views_trace(const struct views *views, struct lineage_database *database);

#endif
