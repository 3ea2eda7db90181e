#ifndef MODEL_MACROS_H
#define MODEL_MACROS_H

// The macros and constants that models use, so that a change of one rebuilds its users and nobody
// else (models.md §4.1).
//
// Ownership: everything lives in the arena.  Threads: one.

#include "base/map.h"
#include "model/model.h"

struct lake_connection;
struct lineage_database;

struct macros {
    struct arena *arena;
    struct lake_connection *connection;
    const struct context *context;
    str project;
    str alias; // what {{catalog}} stands for; empty when not known
    bool is_read;
    struct map by_name; // struct macro *, without case
    bool constants_are_read;
    struct map constants; // struct constant *, without case
};

// The project's macros as DuckDB knows them and the variables that constants.sql sets are read when
// somebody first asks for one.  Macros that DuckDB does not have, as they could not be made yet,
// are read from their files.  Nothing is asked of the database when the project has neither.
void macros_init(struct macros *macros, struct arena *arena, const struct models_options *options,
                 str alias);
// Reads them again: some were made since.
MUST_USE enum error_code macros_refresh(struct macros *macros, struct error *err);
// Tells a lineage of those that DuckDB does not have.
void macros_trace(const struct macros *macros, struct lineage_database *database);

// What stands behind a macro, one query an overload; none when `macros` is NULL or has no such one.
MUST_USE enum error_code macros_bodies(struct macros *macros, str name,
                                       const struct sql_query **bodies, size_t *count,
                                       struct error *err);

// What the query and the masks of its columns use, directly and through other macros, sorted by
// name.
MUST_USE enum error_code macros_used(struct macros *macros, const struct model *model,
                                     const struct definition_use **uses, size_t *count,
                                     struct error *err);

#endif
