#ifndef SQL_DIRECTIVE_VALUE_H
#define SQL_DIRECTIVE_VALUE_H

// The values of directives: columns, lists, sinks, partitions.  For use inside sql/ only.
//
// Each function checks and stores one value and adds its errors, with position, to the reader's
// list.

#include "sql/directive.h"

struct directive_reader {
    struct arena *arena;
    str file;
    str text; // the whole file
    struct error_list *errors;
    struct error_list *warnings;
};

// Adds the error at the place of `at` (line 1 when the directive is not in the file).
void directive_error(struct directive_reader *reader, struct error *err,
                     const struct directive *at);
// Without one pair of single or double quotes around it.
str directive_unquote(str value);
// One column name.
void directive_column(struct directive_reader *reader, const struct directive *item,
                      const char *name, const char *rule);
// Column names separated by commas, no name twice.
void directive_columns(struct directive_reader *reader, const struct directive *item,
                       const char *name, const char *rule, struct str_list *columns);
void directive_partitions(struct directive_reader *reader, const struct directive *item,
                          struct str_list *parts, struct str_list *columns);
void directive_sink(struct directive_reader *reader, struct sink_directive *sink);

void directive_add_column(struct directive_reader *reader, struct directives *out,
                          struct directive item);
void directive_add_constraint(struct directive_reader *reader, struct directives *out,
                              struct directive item);
void directive_add_audit(struct directive_reader *reader, struct directives *out,
                         struct directive item);
void directive_add_warning(struct directive_reader *reader, struct directives *out,
                           struct directive item);
void directive_add_extension(struct directive_reader *reader, struct directives *out,
                             struct directive item);

#endif
