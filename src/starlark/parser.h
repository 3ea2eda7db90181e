#ifndef STARLARK_PARSER_H
#define STARLARK_PARSER_H

// Makes the syntax tree of a file (spec/starlark.md §3) and reports every syntax error in it.
//
// After an error the parser goes on behind the end of the line, so one run reports several.
// Ownership: the tree lives in the arena and borrows `source` and `path`.
// Limits: a file of more than STAR_SOURCE_SIZE_MAX bytes, brackets and operators nested deeper than
// STAR_NESTING_MAX, and what ast.h says of depths, are errors in the report.
// Memory: when the arena's supply is exhausted the tree is cut off, without an error in the report:
// the caller looks at arena_is_exhausted first.  STAR_PARSE_RESERVE bytes of reserve are enough for
// the way out of the deepest nesting.
// Threads: one at a time.

#include "starlark/report.h"

enum {
    STAR_SOURCE_SIZE_MAX = 64 * 1024 * 1024,
    STAR_NESTING_MAX = 250, // recursion of the parser
    // Ten levels of operators within each of these, a node each, and what the nodes point to.
    STAR_PARSE_RESERVE = 512 * 1024,
};

// Never NULL.  When report->total has grown, the tree has error nodes and may only be looked at.
struct ast_file *star_parse(struct arena *arena, str path, str source, struct star_report *report);

// When the file is one expression and nothing else, makes it an assignment to the global `name`.
void star_parse_name_result(struct arena *arena, struct ast_file *file, str name);

#endif
