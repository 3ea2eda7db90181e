#include "sql/scan.h"

static size_t find_from(str sql, size_t start, str needle) {
    const size_t at = str_find(str_from_offset(sql, start), needle);
    return at == SIZE_MAX ? SIZE_MAX : start + at;
}

static bool starts_at(str sql, size_t start, str prefix) {
    return str_starts_with(str_from_offset(sql, start), prefix);
}

static size_t line_comment_end(str sql, size_t start) {
    const size_t end = find_from(sql, start, STR("\n"));
    return end == SIZE_MAX ? sql.size : end;
}

// DuckDB nests block comments.
static size_t block_comment_end(str sql, size_t start) {
    size_t depth = 0;
    for (size_t i = start; i < sql.size; i++) {
        if (starts_at(sql, i, STR("/*"))) {
            depth++;
            i++;
        } else if (starts_at(sql, i, STR("*/"))) {
            depth--;
            i++;
            if (depth == 0) {
                return i + 1;
            }
        }
    }
    return sql.size;
}

// A doubled quote stays inside; with `backslash`, so does an escaped one.
static size_t quoted_end(str sql, size_t start, bool backslash) {
    const char quote = sql.data[start];
    for (size_t i = start + 1; i < sql.size; i++) {
        if (backslash && sql.data[i] == '\\') {
            i++;
        } else if (sql.data[i] == quote) {
            if (i + 1 < sql.size && sql.data[i + 1] == quote) {
                i++;
            } else {
                return i + 1;
            }
        }
    }
    return sql.size;
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// $$…$$ and $tag$…$tag$; `$1` is a parameter.
static size_t dollar_end(str sql, size_t start) {
    size_t i = start + 1;
    while (i < sql.size && is_word(sql.data[i])) {
        i++;
    }
    const bool is_parameter =
        start + 1 < sql.size && sql.data[start + 1] >= '0' && sql.data[start + 1] <= '9';
    if (i >= sql.size || sql.data[i] != '$' || is_parameter) {
        return start + 1;
    }
    const str tag = str_slice(sql, start, i + 1);
    const size_t end = find_from(sql, i + 1, tag);
    return end == SIZE_MAX ? sql.size : end + tag.size;
}

enum sql_token sql_token_at(str sql, size_t start, size_t *end) {
    *end = start + 1;
    const char c = sql.data[start];
    const bool is_word_start = start == 0 || !is_word(sql.data[start - 1]);
    if (starts_at(sql, start, STR("--"))) {
        *end = line_comment_end(sql, start);
        return SQL_TOKEN_COMMENT;
    }
    if (starts_at(sql, start, STR("/*"))) {
        *end = block_comment_end(sql, start);
        return SQL_TOKEN_COMMENT;
    }
    if (c == '\'' || c == '"') {
        *end = quoted_end(sql, start, false);
        return SQL_TOKEN_LITERAL;
    }
    if ((c == 'e' || c == 'E') && is_word_start && starts_at(sql, start + 1, STR("'"))) {
        *end = quoted_end(sql, start + 1, true);
        return SQL_TOKEN_LITERAL;
    }
    if (c == '$' && is_word_start) {
        *end = dollar_end(sql, start);
        return *end > start + 1 ? SQL_TOKEN_LITERAL : SQL_TOKEN_PLAIN;
    }
    return SQL_TOKEN_PLAIN;
}
