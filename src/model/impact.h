#ifndef MODEL_IMPACT_H
#define MODEL_IMPACT_H

// What depends on a table or one of its columns, directly or not, and through which columns.
//
// A column reaches another when it is one of its sources or decides its value; it reaches the rows
// of a model when it filters, joins or groups them, and then everything that reads that model.
//
// Ownership: everything lives in the arena.  Threads: that of the lineages.

#include "model/lineage.h"

// A column of the dependent, or its rows, and what of the affected columns it is made of.
struct impact_use {
    str column;   // of the dependent; empty: its rows
    str table;    // what it uses: "raw.orders"
    str source;   // the column of it; "*" for the rows
    bool decides; // only decides, by `use`; else it is made of it, by `how`
    enum lineage_use use;
    struct lineage_source how;
};

struct impact_use_list {
    struct impact_use *items;
    size_t count;
    size_t capacity;
};

struct impact_dependent {
    const struct model *model;
    bool is_direct; // reads the table itself
    bool rows;      // which rows it has may change, so every column of it
    bool unknown;   // it reads what is affected, but its columns cannot be traced
    struct impact_use_list uses;
};

struct impact {
    struct impact_dependent *items; // in the order of the graph
    size_t count;
    size_t capacity;
};

// `table` as lineage calls it; an empty column stands for the whole table.
void impact_find(struct models_lineage *lineages, str table, str column, struct impact *impact);

#endif
