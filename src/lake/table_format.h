#ifndef LAKE_TABLE_FORMAT_H
#define LAKE_TABLE_FORMAT_H

// A result as people and programs read it: csv, json, markdown (models.md §12.1).
//
// Columns keep the query's order.  csv: RFC 4180 with header, NULL empty.  json: an array of
// objects; 64-bit integers and decimals exact, HUGEINT, UUID and times as text.  markdown: aligned
// pipes, `|` and newlines escaped.  All end with one newline.

#include "base/error.h"

struct json;
struct lake_result;
struct text;

// Where the text goes when it passes TABLE_OUTPUT_MAX: a result of any size is written in bounded
// memory, a small one at once or, when it fails, not at all.
struct table_output {
    enum error_code (*write)(void *self, str text, struct error *err);
    void *self;
};
// Rows of markdown stay together, up to TABLE_ROWS_ALIGNED of them, for the widths of the columns;
// what is wider in later rows sticks out.
enum { TABLE_OUTPUT_MAX = 1 << 20, TABLE_ROWS_ALIGNED = 10000 };

enum table_format { TABLE_MARKDOWN, TABLE_CSV, TABLE_JSON };

// "csv", "json", "markdown", "md"; false for others.
bool table_format_parse(str name, enum table_format *format);
// Reads the rest of the result, up to `limit` rows (0: all).  Without an output (NULL) the whole
// text stays in `out`, else the end of it.
MUST_USE enum error_code table_format_write(struct text *out, struct lake_result *result,
                                            enum table_format format, int64_t limit,
                                            const struct table_output *output, struct error *err);
// The rows as a JSON array, as a value of an open writer into a text.
MUST_USE enum error_code table_format_json_rows(struct json *json, struct lake_result *result,
                                                int64_t limit, const struct table_output *output,
                                                struct error *err);

#endif
