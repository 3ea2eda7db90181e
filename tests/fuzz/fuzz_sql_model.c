// Any bytes as a model file: header, directives and body end with a structure or with findings,
// each at a line of the file.
#include "base/arena.h"
#include "lake/script.h"
#include "sql/directive.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    SCRATCH(arena);
    const str text = {(const char *)data, size};
    struct model_source source;
    struct error_list errors;
    struct error_list warnings;
    error_list_init(&errors, &arena);
    error_list_init(&warnings, &arena);
    (void)model_source_parse(&arena, STR("models/raw/m.sql"), text, &source, &errors, &warnings);
    for (size_t i = 0; i < errors.count; i++) {
        if (errors.items[i].pos.line < 0 || (size_t)errors.items[i].pos.line > size + 1) {
            abort();
        }
    }
    struct sql_statement_list statements = {0};
    sql_split(&arena, text, &statements);
    return 0;
}
