#ifndef MODEL_DATABASES_H
#define MODEL_DATABASES_H

// Which database a table named in a query is in: the lake, or another one.
//
// `ext.t` may be the table t of a database ext as well as one of the lake's schema ext, and without
// the lake even its own alias is only a name.  So the names of databases are looked for: those that
// are attached, and those that config/sources.sql and config/catalog.sql will attach.  These files
// are read, not run.
//
// Ownership: everything lives in the arena.  Threads: read by one, then any.

#include "model/model.h"

struct databases {
    str lake;               // its alias; empty: not known
    struct str_list others; // "memory" among them
};

// What cannot be read is not there: who runs these files says why.
void databases_read(struct databases *databases, struct arena *arena,
                    const struct models_options *options);

// Whether a table behind `catalog.` is not in the lake; false for an empty catalog.
bool databases_is_outside(const struct databases *databases, str catalog);

// Whether a database beside the lake has the name.
bool databases_has_other(const struct databases *databases, str name);

struct table_place {
    bool is_external;
    str name; // "schema.table" in the lake; elsewhere as the query writes it, at least "ext.table"
};

// A model of the name comes first.
struct table_place table_place(const struct models *models, struct arena *arena,
                               const struct sql_table *table);

#endif
