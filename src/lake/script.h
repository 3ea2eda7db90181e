#ifndef LAKE_SCRIPT_H
#define LAKE_SCRIPT_H

// SQL files of several statements: where each begins, and running them one after another.
//
// DuckDB does not tell where a statement of a text begins, so the text is split here: at semicolons
// outside of '…' (also E'…'), "…", $tag$…$tag$, -- and /* */ comments.
// Threads: as the connection.

#include "base/error.h"

struct arena;
struct lake_connection;
struct lake_result;

struct sql_statement {
    str text;      // without the semicolon, and without leading space and comments
    size_t offset; // of text in the file, bytes
};
struct sql_statement_list {
    struct sql_statement *items;
    size_t count;
    size_t capacity;
};
// The statements, without the empty ones.  An unterminated quote runs to the end of the text:
// DuckDB then says what is wrong.
void sql_split(struct arena *arena, str text, struct sql_statement_list *statements);
// Position just behind white space and comments at `offset`.
size_t sql_skip_space(str text, size_t offset);
// Position just behind the token at `offset`: a quoted text or name, a word, a number, else one
// byte.
size_t sql_skip_token(str text, size_t offset);
// Whether `word` stands next, in any case; *offset is then behind it.
bool sql_take_word(str text, size_t *offset, const char *word);

// What is done before each statement, and with its result; NULL: nothing.
struct script_observer {
    enum error_code (*before)(void *self, const struct sql_statement *statement, struct error *err);
    enum error_code (*statement)(void *self, const struct sql_statement *statement,
                                 struct lake_result *result, struct error *err);
    void *self;
};
// Runs the statements in order and stops at the first error, which then has `file` and the line
// and column in `text`.
MUST_USE enum error_code lake_script_run(struct lake_connection *connection, str file, str text,
                                         const struct script_observer *observer, struct error *err);
// Puts an error's position, which counts from the beginning of `statement`, into the whole file.
void script_error_place(struct error *err, str file, str text, size_t statement_offset);

// Whether it is an INSTALL or a LOAD, and of which extension.
bool script_names_extension(str statement, str *name);

#endif
