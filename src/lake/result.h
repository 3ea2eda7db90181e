#ifndef LAKE_RESULT_H
#define LAKE_RESULT_H

// Reading what a statement returned: chunk by chunk with typed vectors, or row by row.
//
// Ownership: a result is freed by lake_result_free (or LAKE_RESULT); chunks, vectors and text
// borrow from it: a chunk lives until the next one is read.
// Errors: reading a result of lake_query cannot fail; a stream can, in lake_result_chunk.
// Threads: that of the connection.

#include "base/error.h"
#include "lake/type.h"

struct arena;
struct json;
struct text;
struct lake_result;

void lake_result_free(struct lake_result *result); // takes NULL
void lake_result_cleanup(struct lake_result **result);
#define LAKE_RESULT struct lake_result *CLEANUP(lake_result_cleanup)

size_t lake_result_column_count(const struct lake_result *result);
str lake_result_name(const struct lake_result *result, size_t column);
const struct lake_type *lake_result_type(const struct lake_result *result, size_t column);
// Rows written by INSERT, UPDATE, DELETE, MERGE; 0 for others.
int64_t lake_result_changed(const struct lake_result *result);

// ── Chunks ──
enum { LAKE_CHUNK_ROWS_MAX = 2048 };

// DuckDB's string: up to 12 bytes inline, longer ones behind a pointer.
struct lake_string {
    uint32_t size;
    char prefix[4];
    const char *pointer;
};
struct lake_hugeint { // value = high * 2^64 + low; UUID has its top bit flipped
    uint64_t low;
    int64_t high;
};
struct lake_interval {
    int32_t months;
    int32_t days;
    int64_t us;
};
struct lake_list_entry {
    uint64_t offset; // into the child vector
    uint64_t count;
};

struct lake_vector {
    const struct lake_type *type;
    const void *data;                   // typed by type->storage
    const uint64_t *validity;           // a bit a row, 1 = not NULL; NULL: none is NULL
    const struct lake_vector *children; // as in type->children (UNION: the tag first)
};

struct lake_chunk {
    size_t row_count;
    size_t column_count;
    const struct lake_vector *columns;
};

// The next chunk, or row_count 0 at the end.
MUST_USE enum error_code lake_result_chunk(struct lake_result *result, struct lake_chunk *chunk,
                                           struct error *err);

static inline bool lake_is_null(const struct lake_vector *vector, size_t row) {
    return vector->validity != NULL && (vector->validity[row / 64] >> (row % 64) & 1) == 0;
}
// BOOLEAN
static inline bool lake_bool(const struct lake_vector *vector, size_t row) {
    return ((const bool *)vector->data)[row];
}
// BIGINT, TIMESTAMP*, TIME, TIME_NS
static inline int64_t lake_bigint(const struct lake_vector *vector, size_t row) {
    return ((const int64_t *)vector->data)[row];
}
// INTEGER, DATE (days since the epoch)
static inline int32_t lake_integer(const struct lake_vector *vector, size_t row) {
    return ((const int32_t *)vector->data)[row];
}
static inline double lake_double(const struct lake_vector *vector, size_t row) {
    return ((const double *)vector->data)[row];
}
static inline struct lake_hugeint lake_hugeint(const struct lake_vector *vector, size_t row) {
    return ((const struct lake_hugeint *)vector->data)[row];
}
// LIST, MAP
static inline struct lake_list_entry lake_list(const struct lake_vector *vector, size_t row) {
    return ((const struct lake_list_entry *)vector->data)[row];
}
// VARCHAR, JSON, BLOB: borrows from the chunk.
static inline str lake_string(const struct lake_vector *vector, size_t row) {
    const struct lake_string *string = &((const struct lake_string *)vector->data)[row];
    return (str){string->size <= 12 ? string->prefix : string->pointer, string->size};
}
// Any integer kind of up to 64 bits (also the storage of a DECIMAL); a UBIGINT above INT64_MAX is
// false.
bool lake_cell_int64(const struct lake_vector *vector, size_t row, int64_t *value);

// ── Any type as text ──
// The forms of libs.md §4.2: DATE 2024-01-02, TIMESTAMP 2024-01-02T03:04:05[.ffffff],
// TIMESTAMPTZ …Z, DECIMAL with all its digits, BLOB as DuckDB escapes it, LIST/STRUCT/MAP as
// compact JSON.  Empty for NULL: ask lake_is_null first.
str lake_cell_text(struct arena *arena, const struct lake_vector *vector, size_t row);
void lake_cell_text_add(struct text *out, const struct lake_vector *vector, size_t row);

// How numbers beyond JavaScript's precision are written in JSON.
struct lake_json_style {
    bool decimal_as_string; // "1.50" instead of 1.50
    bool hugeint_as_number; // digits instead of "digits"
    bool json_as_value;     // a JSON column is spliced in instead of quoted
};
// Any value as JSON: NULL, booleans, numbers, nested values (a MAP is an object when its keys are
// text, else an array of {"key","value"}); everything else is its text.  NaN and infinities are
// null.
void lake_cell_json(struct json *json, const struct lake_vector *vector, size_t row,
                    const struct lake_json_style *style);

// ── Row by row ── for small results of lake_query; do not mix with lake_result_chunk.
// Moves to the next row; false at the end.
bool lake_result_next(struct lake_result *result);
bool lake_result_is_null(const struct lake_result *result, size_t column);
// 0 for NULL and for what is no integer of 64 bits.
int64_t lake_result_int64(const struct lake_result *result, size_t column);
bool lake_result_bool(const struct lake_result *result, size_t column); // false for NULL
// A VARCHAR's bytes are borrowed until the next row; other types are formatted into memory that
// lives as long as the result.  Empty for NULL.
str lake_result_text(struct lake_result *result, size_t column);
// The column's vector and the row in it, for lake_cell_*.
const struct lake_vector *lake_result_cell(const struct lake_result *result, size_t column,
                                           size_t *row);

#endif
