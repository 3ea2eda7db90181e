#ifndef STARLARK_REPORT_H
#define STARLARK_REPORT_H

// Collects the static errors of one file: lexer, parser and resolver add to it in any order, and it
// is read in source order.
//
// Ownership: findings and their texts live in the arena.
// Threads: one at a time.

#include "base/arena.h"
#include "base/attributes.h"
#include "starlark/ast.h"
#include "starlark/starlark.h"

enum {
    REPORT_SHOWN_MAX = 50,  // of one file; then only a count
    REPORT_KEPT_MAX = 1000, // further ones are counted, not kept
};

struct star_finding {
    struct ast_span span;
    const char *message;
};

struct star_report {
    struct arena *arena;
    struct star_finding *items;
    size_t count; // kept
    size_t capacity;
    size_t total;
};

void star_report_init(struct star_report *report, struct arena *arena);
void star_report_add(struct star_report *report, struct ast_span span, const char *format, ...)
    PRINTF_LIKE(3, 4);
// Into source order; stable.
void star_report_sort(struct star_report *report);
// Sorts, and copies the first REPORT_SHOWN_MAX findings for the host (star_diagnostics_free).
// false: out of memory, the copy is not whole.
MUST_USE bool star_report_publish(struct star_report *report, struct star_diagnostics *diagnostics);

#endif
