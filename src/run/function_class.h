#ifndef RUN_FUNCTION_CLASS_H
#define RUN_FUNCTION_CLASS_H

// Which functions of a query are plain, which are aggregates, and which may change their answer by
// themselves: the database knows, and for macros what they are made of.
//
// Ownership: lives in the arena.  Threads: that of the connection while reading.

#include "base/map.h"
#include "sql/definition.h"
#include "sql/delta.h"

struct lake_connection;

struct function_classes {
    struct arena *arena;
    struct map by_name; // enum sql_function_class *, without case
};

// With the well-known functions, of which the database need not be asked.
void function_classes_init(struct function_classes *classes, struct arena *arena);
// Adds what the database says of these names; one that it does not know is left out.
MUST_USE enum error_code function_classes_ask(struct function_classes *classes,
                                              struct lake_connection *connection,
                                              const struct str_list *names, struct error *err);
// Reads the classes of all functions that the query names.  `uses` are the macros and constants it
// is known to use; getvariable() is plain when it only reads constants.
MUST_USE enum error_code function_classes_read(struct arena *arena,
                                               struct lake_connection *connection,
                                               const struct sql_query *query,
                                               const struct definition_use *uses, size_t use_count,
                                               struct function_classes *classes, struct error *err);
// Adds those of another query, a view's, which uses nothing that its model is known to use.
MUST_USE enum error_code function_classes_add(struct function_classes *classes,
                                              struct lake_connection *connection,
                                              const struct sql_query *query, struct error *err);
// For delta_input.classify.
enum sql_function_class function_class(void *self, str name);

#endif
