// Any bytes as source: lexer, parser, resolver and syntax view end with a tree or with findings,
// all of them at a place within the source.
#include "base/arena.h"
#include "starlark/parser.h"
#include "starlark/resolver.h"
#include "starlark/syntax.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"None", "True", "False", "len", "print", "json"};

static void resolve(const char *text, size_t size, enum star_dialect dialect) {
    SCRATCH(arena);
    struct star_report report;
    star_report_init(&report, &arena);
    struct ast_file *file = star_parse(&arena, STR("fuzz.star"), (str){text, size}, &report);
    const struct star_resolve_options options = {dialect, {names, 1}, {names, ARRAY_COUNT(names)}};
    star_resolve(&arena, file, &options, &report);
    star_report_sort(&report);
    for (size_t i = 0; i < report.count; i++) {
        const struct ast_span span = report.items[i].span;
        if (span.start.line == 0 || span.start.column == 0 || span.start.line > size + 1 ||
            span.start.column > size + 1) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    for (int dialect = STAR_DIALECT_CORE; dialect <= STAR_DIALECT_SCRIPT; dialect++) {
        resolve(text, size, (enum star_dialect)dialect);
    }
    const struct star_source source = {
        .file = "fuzz.star", .text = text, .size = size, .dialect = STAR_DIALECT_SCRIPT};
    star_syntax_free(star_syntax_parse(&source, NULL));
    return 0;
}
