#ifndef LIB_FETCH_ARGS_H
#define LIB_FETCH_ARGS_H

// The arguments of one lib call: matched to the declared names and evaluated (libs.md §5.3).

#include "lake/source.h"
#include "lib/fetch.h"

// By the lib's declared args.
struct fetch_args {
    bool *given;                  // written in SQL
    struct lake_argument *values; // as the lib gets them
    struct lake_argument *keys;   // as the table function gets them: DuckDB's own text
    size_t count;
};

// Which argument of the call is declared name `index`; NULL: not given.
const struct fetch_argument *fetch_args_find(const struct lib *lib, const struct fetch_call *call,
                                             size_t index);
// Number, names and required ones; the message without position.
MUST_USE enum error_code fetch_args_check(const struct lib *lib, const struct fetch_call *call,
                                          struct error *err);
MUST_USE enum error_code fetch_args_evaluate(struct arena *arena, const struct context *context,
                                             struct lake_connection *connection,
                                             const struct lib *lib, const struct fetch_call *call,
                                             struct fetch_args *args, struct error *err);

#endif
