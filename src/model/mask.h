#ifndef MODEL_MASK_H
#define MODEL_MASK_H

// Masking (models.md §8): the tag of a @column names a scalar macro, and the model's query is read
// only through it, so that no raw value gets into the lake, a temporary table, a check or a
// message.
//
// Ownership: results live in the arena.  Threads: values.

#include "model/model.h"

// What stands around "(\n<body>\n)" of the model's query, whether as it was written or rewritten:
//
//     (SELECT * REPLACE (mask_email("email") AS "email") FROM (…))
//
// Both are empty when nothing is masked; the head is on one line.
struct mask {
    str head;
    str tail;
};
void mask_make(struct arena *arena, const struct model *model, struct mask *mask);

// DuckDB's words about a value that it could not compute show the value.
void mask_withhold(const struct model *model, struct error *err);

#endif
