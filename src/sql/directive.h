#ifndef SQL_DIRECTIVE_H
#define SQL_DIRECTIVE_H

// The header of a model file: `-- @kind: merge` and its sisters (models.md §3), and where the SQL
// begins.
//
// Pure text work: no database.  All mistakes of a header are collected, each with line, column,
// public rule name and a hint; a header with mistakes still gives the directives that were right.
//
// Ownership: everything borrows from `text` or lives in `arena`.
// Errors: ERROR_INVALID with a `parser.*` or `push.*` rule, added to the list.
// Threads: values.

#include "base/error.h"
#include "base/list.h"

#include <stdbool.h>

enum model_kind { MODEL_TABLE, MODEL_APPEND, MODEL_MERGE, MODEL_TRACKED, MODEL_SCD2 };

// "table", "append", …
str model_kind_name(enum model_kind kind);
// false when there is none of that name.
bool model_kind_find(str name, enum model_kind *kind);

// A value and where it stands in the file.
struct directive {
    str value;   // trimmed; empty when the directive is not there
    bool is_set; // it stands in the file
    int line;    // from 1
    int column;  // of the value, from 1
};

struct directive_list {
    struct directive *items;
    size_t count;
    size_t capacity;
};

// `@column: name = text | tag | tag`
struct column_directive {
    str name;
    str description;
    struct str_list tags;
    str mask; // the first masking tag; empty when there is none
    struct directive at;
};

struct column_directive_list {
    struct column_directive *items;
    size_t count;
    size_t capacity;
};

// `@sink: name('a', 'b')`, also spelled `@push`
struct sink_directive {
    struct directive at;
    bool is_push; // the newer spelling, with its strict projection
    str name;
    struct str_list args;
};

// `name` or `name FROM repo`
struct extension_directive {
    str name;
    str repository; // empty when not given
    struct directive at;
};

struct extension_directive_list {
    struct extension_directive *items;
    size_t count;
    size_t capacity;
};

struct directives {
    enum model_kind kind;
    struct directive kind_at;
    struct directive unique_key;
    struct directive group_key; // as written; the columns are in group_columns
    struct str_list group_columns;
    struct directive incremental;
    struct directive incremental_initial; // value without quotes; the default when not set
    struct directive fetch;
    struct sink_directive sink;
    struct directive description;
    struct column_directive_list columns;
    struct directive partitioned_by;
    struct str_list partition_parts;   // "region", "year(day)": checked, in their written form
    struct str_list partition_columns; // of each part
    struct directive sorted_by;
    struct str_list sort_columns;
    struct extension_directive_list extensions;
    struct directive_list constraints;
    struct directive_list audits;
    struct directive_list warnings;
    struct directive expose;
};

struct model_source {
    struct directives directives;
    str body;           // the SQL, without the closing semicolon and what stands behind it
    size_t body_offset; // of the body in the file, in bytes
};

// Reads `text`, the content of `file`.  Errors and warnings (deprecations, ignored directives) go
// to their lists; the return says whether there was no error.
bool model_source_parse(struct arena *arena, str file, str text, struct model_source *source,
                        struct error_list *errors, struct error_list *warnings);

#endif
