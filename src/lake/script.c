// Splitting SQL text into statements, and running a file of them.

#include "lake/script.h"

#include "base/list.h"
#include "base/text.h"
#include "lake/duckdb_api.h"

#include <ctype.h>
#include <string.h>

// ── Scanning ──

static bool at(str text, size_t offset, const char *what) {
    const str rest = str_from_offset(text, offset);
    return str_starts_with(rest, str_from(what));
}

static size_t skip_line(str text, size_t offset) {
    const size_t end = str_find_char(str_from_offset(text, offset), '\n');
    return end == SIZE_MAX ? text.size : offset + end + 1;
}

// Block comments nest.
static size_t skip_block_comment(str text, size_t offset) {
    size_t depth = 0;
    while (offset < text.size) {
        if (at(text, offset, "/*")) {
            depth++;
            offset += 2;
        } else if (at(text, offset, "*/")) {
            depth--;
            offset += 2;
            if (depth == 0) {
                return offset;
            }
        } else {
            offset++;
        }
    }
    return text.size;
}

size_t sql_skip_space(str text, size_t offset) {
    while (offset < text.size) {
        if (isspace((unsigned char)text.data[offset])) {
            offset++;
        } else if (at(text, offset, "--")) {
            offset = skip_line(text, offset);
        } else if (at(text, offset, "/*")) {
            offset = skip_block_comment(text, offset);
        } else {
            break;
        }
    }
    return offset;
}

// `offset` is at the opening mark; a doubled mark is one inside.
static size_t skip_quoted(str text, size_t offset, char mark, bool has_backslash) {
    for (offset++; offset < text.size; offset++) {
        if (has_backslash && text.data[offset] == '\\') {
            offset++;
        } else if (text.data[offset] == mark) {
            if (offset + 1 < text.size && text.data[offset + 1] == mark) {
                offset++;
            } else {
                return offset + 1;
            }
        }
    }
    return text.size;
}

static bool is_word_byte(char c) {
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

// $tag$ … $tag$; a `$` that opens no such text ($1, $name) is one byte.
static size_t skip_dollar(str text, size_t offset) {
    size_t end = offset + 1;
    while (end < text.size && is_word_byte(text.data[end])) {
        end++;
    }
    const bool is_tag = end < text.size && text.data[end] == '$' &&
                        (end == offset + 1 || !isdigit((unsigned char)text.data[offset + 1]));
    if (!is_tag) {
        return offset + 1;
    }
    const str tag = str_slice(text, offset, end + 1);
    const size_t close = str_find(str_from_offset(text, end + 1), tag);
    return close == SIZE_MAX ? text.size : end + 1 + close + tag.size;
}

size_t sql_skip_token(str text, size_t offset) {
    if (offset >= text.size) {
        return text.size;
    }
    const char c = text.data[offset];
    if (c == '\'' || c == '"') {
        return skip_quoted(text, offset, c, false);
    }
    if ((c == 'e' || c == 'E') && at(text, offset + 1, "'")) {
        return skip_quoted(text, offset + 1, '\'', true);
    }
    if (c == '$') {
        return skip_dollar(text, offset);
    }
    if (!is_word_byte(c)) {
        return offset + 1;
    }
    while (offset < text.size && is_word_byte(text.data[offset])) {
        offset++;
    }
    return offset;
}

bool sql_take_word(str text, size_t *offset, const char *word) {
    const size_t start = sql_skip_space(text, *offset);
    const size_t end = sql_skip_token(text, start);
    if (!str_equal_nocase(str_slice(text, start, end), str_from(word))) {
        return false;
    }
    *offset = end;
    return true;
}

void sql_split(struct arena *arena, str text, struct sql_statement_list *statements) {
    size_t offset = sql_skip_space(text, 0);
    size_t start = offset;
    size_t end = offset; // behind the last token: trailing space and comments do not count
    while (true) {
        const bool is_over = offset >= text.size;
        if (is_over || text.data[offset] == ';') {
            if (end > start) {
                const struct sql_statement statement = {str_slice(text, start, end), start};
                LIST_PUSH(arena, statements, statement);
            }
            if (is_over) {
                return;
            }
            offset = sql_skip_space(text, offset + 1);
            start = offset;
            end = offset;
        } else {
            end = sql_skip_token(text, offset);
            offset = sql_skip_space(text, end);
        }
    }
}

// ── Running ──

void script_error_place(struct error *err, str file, str text, size_t statement_offset) {
    int line = 0;
    int column = 0;
    source_position(text, statement_offset, &line, &column);
    if (err->pos.line == 1) {
        column += err->pos.column > 0 ? err->pos.column - 1 : 0;
    } else if (err->pos.line > 1) {
        line += err->pos.line - 1;
        column = err->pos.column;
    }
    error_at(err, file, line, column);
    err->source_line[0] = '\0';
    error_source(err, text);
}

bool script_names_extension(str statement, str *name) {
    const size_t verb_end = sql_skip_token(statement, 0);
    const str verb = str_slice(statement, 0, verb_end);
    if (!str_equal_nocase(verb, STR("INSTALL")) && !str_equal_nocase(verb, STR("LOAD"))) {
        return false;
    }
    const size_t start = sql_skip_space(statement, verb_end);
    *name = str_slice(statement, start, sql_skip_token(statement, start));
    if (name->size >= 2 && (name->data[0] == '\'' || name->data[0] == '"')) {
        *name = str_slice(*name, 1, name->size - 1);
    }
    return true;
}

// DuckDB's word for a setting or function of an extension that is not loaded: "… exists in the
// httpfs extension."  Of those that we pin; empty otherwise.
static str extension_asked_for(const struct error *err) {
    const str message = str_from(err->message);
    const str before = STR("exists in the ");
    const size_t at = str_find(message, before);
    if (at == SIZE_MAX) {
        return (str){0};
    }
    const str rest = str_from_offset(message, at + before.size);
    const str name = str_slice(rest, 0, sql_skip_token(rest, 0));
    return lake_extension_is_pinned(name) ? name : (str){0};
}

// Runs the statement; with the extension that it turns out to need, when there is one.
static enum error_code query_with_extension(struct lake_connection *connection, str statement,
                                            struct lake_result **result, struct error *err) {
    const enum error_code code = lake_query(connection, statement, LAKE_NO_VALUES, result, err);
    if (code == ERROR_NONE) {
        return code;
    }
    SCRATCH(scratch);
    const str extension = str_copy(&scratch, extension_asked_for(err));
    if (extension.size == 0) {
        return code;
    }
    TRY(lake_load_extension(connection, extension, err));
    return lake_query(connection, statement, LAKE_NO_VALUES, result, err);
}

static enum error_code run_one(struct lake_connection *connection,
                               const struct sql_statement *statement,
                               const struct script_observer *observer, struct error *err) {
    if (observer != NULL && observer->before != NULL) {
        TRY(observer->before(observer->self, statement, err));
    }
    str extension = {0};
    if (script_names_extension(statement->text, &extension)) {
        // Of one that we pin, our own file is meant; a built-in one is there already.
        if (lake_extension_is_built_in(extension)) {
            return ERROR_NONE;
        }
        if (lake_extension_is_pinned(extension)) {
            return lake_load_extension(connection, extension, err);
        }
    }
    TRY(lake_load_extensions_for(connection, statement->text, err));
    LAKE_RESULT result = NULL;
    TRY(query_with_extension(connection, statement->text, &result, err));
    if (observer != NULL && observer->statement != NULL) {
        TRY(observer->statement(observer->self, statement, result, err));
    }
    return ERROR_NONE;
}

enum error_code lake_script_run(struct lake_connection *connection, str file, str text,
                                const struct script_observer *observer, struct error *err) {
    SCRATCH(scratch);
    struct sql_statement_list statements = {0};
    sql_split(&scratch, text, &statements);
    for (size_t i = 0; i < statements.count; i++) {
        const enum error_code code = run_one(connection, &statements.items[i], observer, err);
        if (code != ERROR_NONE) {
            script_error_place(err, file, text, statements.items[i].offset);
            return code;
        }
    }
    return ERROR_NONE;
}
