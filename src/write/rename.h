#ifndef WRITE_RENAME_H
#define WRITE_RENAME_H

// Columns that only changed their name (models.md §7): a column that went and one that came, both
// plain copies of the same source column and the only ones of it, are one column renamed, and its
// values stay.
//
// Ownership: results live in the arena.  Threads: values.

#include "lake/lake.h"
#include "sql/lineage.h"

struct column_rename {
    str from;
    str to;
};

struct column_renames {
    struct column_rename *items;
    size_t count;
    size_t capacity;
};

struct rename_input {
    const struct lake_column *before; // of the table
    size_t before_count;
    const struct lake_column *after; // of the query
    size_t after_count;
    const struct lineage_column_list *lineage_before; // of the commit that wrote the table
    const struct lineage_column_list *lineage_after;
};

void renames_find(struct arena *arena, const struct rename_input *input,
                  struct column_renames *renames);

#endif
