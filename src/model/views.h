#ifndef MODEL_VIEWS_H
#define MODEL_VIEWS_H

// The views that models read: of the lake, and those that config/sources.sql will make when
// somebody needs them.  A model depends on what stands behind them (models.md §4.2, §6.1).
//
// They are looked for when a table is first asked for that no model makes: the lake's are read from
// its catalog; config/sources.sql is read, not run.  A view whose body cannot be understood is left
// out.
//
// Ownership: everything lives in the arena; options and databases are borrowed.  Threads: one.

#include "model/model.h"
#include "sql/create_view.h"

struct lineage_database;

struct view {
    str name;
    str text;   // of its definition
    str schema; // of the lake, where names without one are looked for first; empty: main
    struct sql_view definition;
    str ast;                // of its body
    struct sql_query query; // of its body
    bool from_sources;      // config/sources.sql must have run
};

struct views {
    struct arena *arena;
    const struct models_options *options;
    const struct databases *databases;
    bool is_read;
    struct map by_name; // struct view *, by "schema.name" and, outside of the lake, by "name"
};

void views_init(struct views *views, struct arena *arena, const struct models_options *options,
                const struct databases *databases);
// *view is NULL when the table is none, as those of other catalogs are not in our eyes.
MUST_USE enum error_code views_find(struct views *views, const struct sql_table *table,
                                    const struct view **view, struct error *err);
// Likewise, of those that were read so far; from any thread then.
const struct view *views_known(const struct views *views, const struct sql_table *table);
// Tells a lineage what stands behind them; nothing when nobody asked for one.
void views_trace(const struct views *views, struct lineage_database *database);

#endif
