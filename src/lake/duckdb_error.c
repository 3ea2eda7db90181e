// DuckDB's errors as ours.
//
// Connections run with errors_as_json, so an error is "[Type Error: ]{"exception_type":…,
// "exception_message":…,"position":"14","name":…}" and its position is exact.  A position inside a
// macro or a view counts from the beginning of *its* text; such a position is recognised by the
// name that does not stand there, and dropped.

#include "base/text.h"
#include "lake/duckdb_api.h"

#include <yyjson.h>

struct type_code {
    str type; // exception_type
    enum error_code code;
};
static const struct type_code type_codes[] = {
    {STR_INIT("IO"), ERROR_IO},
    {STR_INIT("HTTP"), ERROR_NETWORK},
    {STR_INIT("Connection"), ERROR_NETWORK},
    {STR_INIT("Network"), ERROR_NETWORK},
    {STR_INIT("INTERRUPT"), ERROR_CANCELLED},
    {STR_INIT("Interrupt"), ERROR_CANCELLED},
    {STR_INIT("Out of Memory"), ERROR_LIMIT},
    {STR_INIT("INTERNAL"), ERROR_INTERNAL},
    {STR_INIT("FATAL"), ERROR_INTERNAL},
};

// What the losing side of a race is told, by DuckDB, DuckLake, SQLite and PostgreSQL.
static const str conflict_signs[] = {
    STR_INIT("database is locked"),
    STR_INIT("Could not set lock on file"),
    STR_INIT("Transaction conflict"),
    STR_INIT("write-write conflict"),
    STR_INIT("Conflict on"),
    STR_INIT("Exceeded the maximum retry count"),
    STR_INIT("could not serialize access"),
};

static bool says_conflict(str message) {
    for (size_t i = 0; i < ARRAY_COUNT(conflict_signs); i++) {
        if (str_find(message, conflict_signs[i]) != SIZE_MAX) {
            return true;
        }
    }
    return false;
}

static enum error_code code_of(str type, str subtype, str message) {
    if (says_conflict(message)) {
        return ERROR_CONFLICT;
    }
    if (str_equal(type, STR("Catalog")) && str_equal(subtype, STR("MISSING_ENTRY"))) {
        return ERROR_NOT_FOUND;
    }
    for (size_t i = 0; i < ARRAY_COUNT(type_codes); i++) {
        if (str_equal(type, type_codes[i].type)) {
            return type_codes[i].code;
        }
    }
    return ERROR_INVALID;
}

// Newlines and tabs become single spaces; the first letter of a sentence is lowered; no full stop.
static str tidy(struct arena *arena, str message) {
    struct text out;
    text_init(&out, arena);
    message = str_trim(message);
    bool space = false;
    for (size_t i = 0; i < message.size; i++) {
        const char c = message.data[i];
        if (c == '\n' || c == '\t' || c == '\r' || c == ' ') {
            space = true;
            continue;
        }
        if (space) {
            text_add_char(&out, ' ');
            space = false;
        }
        text_add_char(&out, c);
    }
    const bool is_sentence = out.size > 1 && out.data[0] >= 'A' && out.data[0] <= 'Z' &&
                             ((out.data[1] >= 'a' && out.data[1] <= 'z') || out.data[1] == ' ');
    if (is_sentence) {
        out.data[0] = (char)(out.data[0] - 'A' + 'a');
    }
    while (out.size > 0 && (out.data[out.size - 1] == '!' || out.data[out.size - 1] == '.')) {
        out.size--;
    }
    return text_str(&out);
}

// DuckDB appends its advice behind the first sentence.
static size_t advice_start(str message) {
    static const str signs[] = {
        STR_INIT("\nDid you mean"), STR_INIT("\n\nDid you mean"), STR_INIT("\nCandidate bindings"),
        STR_INIT("\n\tCandidate"),  STR_INIT("\nCandidate"),      STR_INIT("\nHINT"),
    };
    size_t start = message.size;
    for (size_t i = 0; i < ARRAY_COUNT(signs); i++) {
        const size_t found = str_find(message, signs[i]);
        start = found < start ? found : start;
    }
    return start;
}

static bool name_stands_at(struct arena *arena, str sql, size_t offset, str name) {
    enum { NEAR_SIZE = 256 };
    const str near = str_slice(sql, offset, offset + NEAR_SIZE);
    return str_find(str_to_lower(arena, near), str_to_lower(arena, name)) != SIZE_MAX;
}

// Empty when there is no object, or no such text in it.
static str json_text(yyjson_val *object, const char *key) {
    if (object == NULL) {
        return (str){0};
    }
    yyjson_val *value = yyjson_obj_get(object, key);
    return yyjson_is_str(value) ? (str){yyjson_get_str(value), yyjson_get_len(value)} : (str){0};
}

static void place(struct arena *arena, str sql, str position, str name, struct error *err) {
    uint64_t offset = 0;
    if (!str_parse_uint64(position, &offset) || offset > sql.size) {
        return;
    }
    if (!str_is_empty(name) && !name_stands_at(arena, sql, (size_t)offset, name)) {
        return;
    }
    error_at_offset(err, (str){0}, sql, (size_t)offset);
}

// The JSON object that begins somewhere in the message; NULL when there is none.
static yyjson_doc *read_json(str message) {
    const size_t brace = str_find_char(message, '{');
    return brace == SIZE_MAX ? NULL
                             : yyjson_read(message.data + brace, message.size - brace,
                                           YYJSON_READ_STOP_WHEN_DONE);
}

// DuckLake puts the whole JSON of an inner error into its own sentence: only what it says is kept.
static str unwrap(struct arena *arena, str text) {
    const size_t start = str_find(text, STR("{\"exception_type\""));
    yyjson_doc *inner = start == SIZE_MAX ? NULL : read_json(str_from_offset(text, start));
    if (inner == NULL) {
        return text;
    }
    const str message = json_text(yyjson_doc_get_root(inner), "exception_message");
    const size_t end = start + yyjson_doc_get_read_size(inner);
    const bool touches = start > 0 && text.data[start - 1] == '"';
    const str whole = str_format(arena, STR_FORMAT "%s" STR_FORMAT STR_FORMAT,
                                 STR_ARGS(str_slice(text, 0, start)), touches ? ": " : "",
                                 STR_ARGS(message), STR_ARGS(str_from_offset(text, end)));
    yyjson_doc_free(inner);
    return whole;
}

// Errors that come out of an inner query show a part of it, "LINE 1: SELECT …" with a caret below:
// SQL that the user has not written.
static str without_excerpt(struct arena *arena, str text) {
    static const str sign = STR_INIT("\nLINE ");
    const size_t start = str_find(text, sign);
    const str behind = str_from_offset(text, start == SIZE_MAX ? text.size : start + sign.size);
    const size_t digits = str_find_char(behind, ':');
    uint64_t number = 0;
    if (digits == SIZE_MAX || !str_parse_uint64(str_slice(behind, 0, digits), &number)) {
        return text;
    }
    size_t end = str_find_char(behind, '\n');
    end = end == SIZE_MAX ? behind.size : end + 1;
    while (end < behind.size && (behind.data[end] == ' ' || behind.data[end] == '^')) {
        end++;
    }
    return str_format(arena, STR_FORMAT STR_FORMAT, STR_ARGS(str_slice(text, 0, start)),
                      STR_ARGS(str_from_offset(behind, end)));
}

enum error_code duckdb_error_read(str sql, const char *message, struct error *err) {
    SCRATCH(scratch);
    const str all = str_from(message == NULL ? "unknown error" : message);
    yyjson_doc *document = read_json(all);
    yyjson_val *root = document == NULL ? NULL : yyjson_doc_get_root(document);
    str text = json_text(root, "exception_message");
    if (str_is_empty(text)) { // an error that does not come from a statement: plain text
        text = all;
    }
    text = without_excerpt(&scratch, unwrap(&scratch, text));
    const size_t advice = advice_start(text);
    const str first = tidy(&scratch, str_slice(text, 0, advice));
    const enum error_code code =
        code_of(json_text(root, "exception_type"), json_text(root, "error_subtype"), text);
    (void)error_set(err, code, STR_FORMAT, STR_ARGS(first));
    if (advice < text.size) {
        const str hint = tidy(&scratch, str_from_offset(text, advice));
        error_hint(err, STR_FORMAT, STR_ARGS(hint));
    }
    place(&scratch, sql, json_text(root, "position"), json_text(root, "name"), err);
    yyjson_doc_free(document);
    return code;
}

enum error_code lake_fail(struct lake_connection *connection, const struct error *err) {
    if (connection->in_transaction && !connection->has_failed) {
        connection->has_failed = true;
        connection->failure = *err;
    }
    return err->code;
}

enum error_code lake_error(struct lake_connection *connection, str sql, const char *message,
                           struct error *err) {
    if (lake_source_error(connection->lake, str_from(message), err)) {
        return lake_fail(connection, err);
    }
    (void)duckdb_error_read(sql, message, err);
    if (err->code == ERROR_CANCELLED) {
        (void)error_set(err, ERROR_CANCELLED, "interrupted");
    }
    return lake_fail(connection, err);
}
