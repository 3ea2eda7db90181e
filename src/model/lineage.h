#ifndef MODEL_LINEAGE_H
#define MODEL_LINEAGE_H

// The lineage of every model of a project, from the files alone: the columns of what a model reads
// are those that the lineage of the upstream models gives.
//
// Ownership: everything lives in the arena.
// Errors: none; a model whose query cannot be traced has NULL, with parts unknown it has notes.
// Threads: that of the connection.

#include "model/model.h"
#include "sql/lineage_database.h"

struct models_lineage {
    struct arena *arena;
    const struct models *models;
    struct lineage_database database;
    struct lineage **items; // by model index; NULL: not read yet or not traceable
    bool *visited;
};

struct models_lineage_options {
    struct lake_connection *connection; // for syntax trees, macros and names; no lake is needed
    str alias;                          // of the lake; may be empty
    bool asks_tables;                   // tables that no model makes are looked for in the database
    bool asks_calls;                    // functions in FROM, too: file readers open their files
};

void models_lineage_init(struct models_lineage *lineages, struct arena *arena,
                         const struct models *models, const struct models_lineage_options *options);

// Of one model; what it reads is traced first.
const struct lineage *model_lineage(struct models_lineage *lineages, const struct model *model);

// The lineage of a model's columns under the names that the bound query has; a column that was not
// found there is untraced.  For commit metadata.
struct lake_column;
void model_lineage_bound(struct models_lineage *lineages, const struct model *model,
                         const struct lake_column *columns, size_t count,
                         struct lineage_column_list *bound);

#endif
