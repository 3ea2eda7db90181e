#include "model/macro_text.h"

#include "base/arena.h"
#include "lake/attach.h"
#include "lake/script.h"
#include "project/config_file.h"

static str token_at(str text, size_t offset) {
    return str_slice(text, offset, sql_skip_token(text, offset));
}

static int depth_of(str token) {
    const char c = token.size == 1 ? token.data[0] : ' ';
    return c == '(' || c == '[' || c == '{' ? 1 : c == ')' || c == ']' || c == '}' ? -1 : 0;
}

// `*offset` at the parenthesis that opens: behind the one that closes it.
static void skip_group(str text, size_t *offset) {
    int depth = 0;
    for (size_t at = *offset; at < text.size; at = sql_skip_space(text, at)) {
        depth += depth_of(token_at(text, at));
        at = sql_skip_token(text, at);
        *offset = at;
        if (depth == 0) {
            return;
        }
    }
    *offset = text.size;
}

// Whether `(a, b) AS [TABLE]` stands at the offset: the head of an overload.
static bool take_head(str text, size_t *offset, bool *is_table) {
    size_t at = sql_skip_space(text, *offset);
    if (!str_equal(token_at(text, at), STR("("))) {
        return false;
    }
    skip_group(text, &at);
    if (!sql_take_word(text, &at, "AS")) {
        return false;
    }
    *is_table = sql_take_word(text, &at, "TABLE");
    *offset = at;
    return true;
}

// The names that stand first between the commas of a head.
static void read_parameters(struct arena *arena, str head, struct str_list *names) {
    int depth = 0;
    bool is_first = false;
    for (size_t at = sql_skip_space(head, 0); at < head.size; at = sql_skip_space(head, at)) {
        const str token = token_at(head, at);
        const int change = depth_of(token);
        depth += change;
        if (depth == 0) {
            return;
        }
        if (change == 0 && is_first) {
            str_list_push(arena, names, str_copy(arena, attach_text_unquote(arena, token)));
        }
        is_first = depth == 1 && (change == 1 || str_equal(token, STR(",")));
        at = sql_skip_token(head, at);
    }
}

// Offset of the comma before the next overload, or the end.  No expression has a comma outside of
// brackets, and no column of a query is called TABLE.
static size_t body_end(str text, size_t offset, bool is_table) {
    int depth = 0;
    for (size_t at = sql_skip_space(text, offset); at < text.size; at = sql_skip_space(text, at)) {
        const str token = token_at(text, at);
        size_t head = sql_skip_token(text, at);
        bool other_is_table = false;
        depth += depth_of(token);
        if (depth == 0 && str_equal(token, STR(",")) && take_head(text, &head, &other_is_table) &&
            other_is_table == is_table) {
            return at;
        }
        at = sql_skip_token(text, at);
    }
    return text.size;
}

bool macro_text_read(struct arena *arena, str statement, struct macro_text *macro) {
    *macro = (struct macro_text){0};
    if (!macro_name(arena, statement, &macro->name)) {
        return false;
    }
    size_t at = 0;
    while (at < statement.size && !str_equal(token_at(statement, at), STR("("))) {
        at = sql_skip_space(statement, sql_skip_token(statement, at));
    }
    while (at < statement.size) {
        struct macro_overload overload = {0};
        const size_t start = sql_skip_space(statement, at);
        if (!take_head(statement, &at, &overload.is_table)) {
            break;
        }
        const size_t end = body_end(statement, at, overload.is_table);
        read_parameters(arena, str_slice(statement, start, at), &overload.parameters);
        overload.body = str_trim(str_slice(statement, at, end));
        LIST_PUSH(arena, macro, overload);
        at = end < statement.size ? end + 1 : end;
    }
    return macro->count > 0;
}
