#ifndef SQL_SCAN_H
#define SQL_SCAN_H

// The little of SQL's lexical rules that work on raw text needs: where comments and literals end.
//
// For use inside sql/ only.  Threads: pure functions.

#include "base/str.h"

enum sql_token {
    SQL_TOKEN_PLAIN,   // one byte that starts none of the others
    SQL_TOKEN_COMMENT, // `-- …` without its newline, or `/* … */`
    SQL_TOKEN_LITERAL, // '…', E'…', "…", $tag$…$tag$
};

// What begins at `start`, and the offset behind it (at least start + 1, at most the size).
enum sql_token sql_token_at(str sql, size_t start, size_t *end);

#endif
