#ifndef SQL_CHECK_CALL_H
#define SQL_CHECK_CALL_H

// The value of @constraint, @audit and @warning: `name` or `name(a, b)` (models.md §9.1).
//
// Arguments are split at commas outside of quotes, parentheses and braces, and become SQL by their
// form: quoted text stays text, numbers stay numbers, `24h` and `7d` become '24 HOUR' and '7 DAY',
// everything else (operators, columns, patterns, conditions) becomes text.
//
// Ownership: everything lives in the arena or borrows from the text.
// Errors: ERROR_INVALID with rule check.bad_arguments.
// Threads: values.

#include "base/error.h"
#include "base/list.h"

enum check_form { CHECK_TEXT, CHECK_NUMBER, CHECK_SPAN };

struct check_argument {
    enum check_form form;
    bool is_name; // in double quotes: where a column is meant, its name
    str value;    // of text and span: without quotes; of a number: as written
    str literal;  // as SQL
};

struct check_argument_list {
    struct check_argument *items;
    size_t count;
    size_t capacity;
};

struct check_call {
    str name;
    struct check_argument_list arguments;
};

MUST_USE enum error_code check_call_parse(struct arena *arena, str text, struct check_call *call,
                                          struct error *err);

// Makes the value of an argument `is_name` the SQL of a column: "a b" with its quotes.
void check_argument_quote(struct arena *arena, struct check_argument *argument);

// memory.<prefix><name>('<table>', a, b)
str check_call_sql(struct arena *arena, const struct check_call *call, str prefix, str table);

// Whether the whole text is one piece in quotes, of either sort; *value is what it says, doubled
// quotes made single.
bool check_unquote(struct arena *arena, str text, str *value);

// >= > <= < = !=
bool check_is_operator(str text);

#endif
