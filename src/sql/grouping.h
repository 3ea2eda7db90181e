#ifndef SQL_GROUPING_H
#define SQL_GROUPING_H

// Over which rows an append model aggregates, as far as its text tells (models.md §6.4): the rows
// that are new since the last run when the query is one SELECT … GROUP BY over them, else all.
//
// Threads: values.

#include "base/str.h"

enum sql_grouping {
    GROUPING_NEW_ROWS, // one table, grouped: of its new rows
    GROUPING_EITHER,   // joins or subqueries: it depends on which table changed
    GROUPING_ALL_ROWS, // HAVING, UNION, windows, groups in a CTE, …: evaluated in full
};

// `ast` is what json_serialize_sql gave.
enum sql_grouping sql_grouping_of(str ast);

#endif
