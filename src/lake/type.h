#ifndef LAKE_TYPE_H
#define LAKE_TYPE_H

// DuckDB's types as we see them.
//
// HUGEINT and UHUGEINT are exact here and in temp tables, but a lake table loses their digits:
// Parquet has no 128-bit integer and DuckDB writes a DOUBLE (measured with 1.5.5).  write/ stores
// them as DECIMAL(38,0) (docs/decisions/0001).
//
// Ownership: a lake_type lives as long as the result (or arena) it came from.
// Threads: values.

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

enum lake_kind {
    LAKE_BOOLEAN,
    LAKE_TINYINT,
    LAKE_SMALLINT,
    LAKE_INTEGER,
    LAKE_BIGINT,
    LAKE_UTINYINT,
    LAKE_USMALLINT,
    LAKE_UINTEGER,
    LAKE_UBIGINT,
    LAKE_HUGEINT,
    LAKE_UHUGEINT,
    LAKE_FLOAT,
    LAKE_DOUBLE,
    LAKE_DECIMAL,
    LAKE_VARCHAR,
    LAKE_JSON, // VARCHAR with the alias JSON
    LAKE_BLOB,
    LAKE_DATE,
    LAKE_TIME,
    LAKE_TIME_NS,
    LAKE_TIME_TZ,
    LAKE_TIMESTAMP, // microseconds
    LAKE_TIMESTAMP_S,
    LAKE_TIMESTAMP_MS,
    LAKE_TIMESTAMP_NS,
    LAKE_TIMESTAMP_TZ,
    LAKE_INTERVAL,
    LAKE_UUID,
    LAKE_ENUM,
    LAKE_BIT,
    LAKE_BIGNUM,
    LAKE_LIST,
    LAKE_ARRAY,
    LAKE_STRUCT,
    LAKE_MAP, // its child is STRUCT(key, value)
    LAKE_UNION,
    LAKE_SQLNULL, // the type of a bare NULL
    LAKE_OTHER,   // a type of an extension, or one newer than this program
};

struct lake_type {
    enum lake_kind kind;
    str name;             // as DuckDB prints it: "DECIMAL(18,2)", "INTEGER[]", "STRUCT(a INTEGER)"
    uint8_t width, scale; // DECIMAL
    uint32_t array_size;  // ARRAY
    const struct lake_type *children; // STRUCT, UNION: members; LIST, ARRAY, MAP: one
    size_t child_count;
    const str *child_names; // STRUCT, UNION
    const str *enum_values; // ENUM
    enum lake_kind storage; // how the vector's data is stored: DECIMAL and ENUM are stored as an
                            // integer kind, all others as themselves
};

static inline bool lake_kind_is_integer(enum lake_kind kind) {
    return kind >= LAKE_TINYINT && kind <= LAKE_UHUGEINT;
}
// Numbers that are computed with: integers, FLOAT, DOUBLE, DECIMAL, BIGNUM.
static inline bool lake_kind_is_number(enum lake_kind kind) {
    return (kind >= LAKE_TINYINT && kind <= LAKE_DECIMAL) || kind == LAKE_BIGNUM;
}

// Of a type's name as DuckDB writes it: one that has values of other types in it.
bool lake_type_is_nested(str type);

#endif
