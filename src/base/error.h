#ifndef BASE_ERROR_H
#define BASE_ERROR_H

// The one error type: what went wrong, where in the user's files, what to try next.
//
// A function that can fail returns an error_code and, when it is not ERROR_NONE, has filled *err.
// Ownership: an error owns no memory, so reporting cannot fail; copy it by assignment.
// Codes say what the caller can do, not where it happened.  `rule` is the public, stable name that
// users see (models.md §12.2), such as "parser.invalid_kind".
// Threads: values.

#include "base/attributes.h"
#include "base/str.h"

#include <stdarg.h>
#include <stddef.h>

enum error_code {
    ERROR_NONE = 0,
    ERROR_INVALID,   // the user's file, argument or data is wrong
    ERROR_NOT_FOUND, // a named thing does not exist
    ERROR_NETWORK,   // no answer came
    ERROR_REMOTE,    // an answer came and it says no
    ERROR_TIMEOUT,   // a deadline passed
    ERROR_CONFLICT,  // somebody else was first: try again
    ERROR_LIMIT,     // a named limit was reached
    ERROR_CANCELLED, // the user interrupted
    ERROR_IO,        // a file or disk failed
    ERROR_INTERNAL,  // a bug of ours
};

struct source_pos {
    char file[256]; // path relative to the project; "" when there is none
    int line;       // from 1; 0 when there is none
    int column;     // from 1, in code points; 0 when only the line is known
};

struct error {
    enum error_code code;
    const char *rule; // static; NULL when there is none
    struct source_pos pos;
    char message[1024];    // lower case, no full stop, names the thing and its value
    char hint[512];        // one sentence: what to try; empty when we do not know
    char source_line[256]; // the line at pos, for the caret; empty when unknown
    char trace[2048];      // further lines (backtrace), each ending in a newline; usually empty
};

// Leaves the function with the code when `expression` fails.
#define TRY(expression)                                                                            \
    do {                                                                                           \
        const enum error_code try_code_ = (expression);                                            \
        if (try_code_ != ERROR_NONE) {                                                             \
            return try_code_;                                                                      \
        }                                                                                          \
    } while (0)

// "invalid", "not_found", …: the code as JSON shows it.
const char *error_code_name(enum error_code code);

// Starts a fresh error and returns `code`, for `return error_set(err, ERROR_INVALID, "…", …)`.
// The message is cut on a character boundary when it is too long.
enum error_code error_set(struct error *err, enum error_code code, const char *format, ...)
    PRINTF_LIKE(3, 4);
// As error_set, with the public rule name.
enum error_code error_rule(struct error *err, enum error_code code, const char *rule,
                           const char *format, ...) PRINTF_LIKE(4, 5);
void error_hint(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);
// Puts "context: " before the message; used once per level that knows something new.
void error_context(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);
// Adds lines to the trace; what does not fit is left out.
void error_trace(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

// Sets the position; line and column as in source_pos.  Without a line no source line is shown.
void error_at(struct error *err, str file, int line, int column);
// Sets position and source line from a byte offset in the whole text of the file.
void error_at_offset(struct error *err, str file, str text, size_t offset);
// Fills source_line from the text of the file, when pos.line is set.
void error_source(struct error *err, str text);
// Line and column (both from 1, columns in code points) of a byte offset.
void source_position(str text, size_t offset, int *line, int *column);

// A list of errors that goes on after the first: startup validation reports all of them.
// The errors live in the arena.
struct error_list {
    struct arena *arena;
    struct error *items;
    size_t count;
    size_t capacity;
};
void error_list_init(struct error_list *list, struct arena *arena);
void error_list_add(struct error_list *list, const struct error *err);
// By file, then line, then column; stable.
void error_list_sort(struct error_list *list);

#endif
