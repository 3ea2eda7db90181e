#include "sql/pivot.h"

#include "base/text.h"
#include "lake/script.h"

// A word, a quoted text or one byte; `depth`: in so many parentheses, an opening one outside of
// itself, and so a closing one.
struct token {
    str text;
    size_t start;
    size_t end;
    int depth;
};

struct token_list {
    struct token *items;
    size_t count;
    size_t capacity;
};

struct pivot_reader {
    struct arena *arena;
    str sql;
    str prefix;
    struct token_list tokens;
    struct sql_pivot_list *pivots;
    struct text out;
    size_t written; // so much of the text
};

static void read_tokens(struct pivot_reader *reader) {
    const str sql = reader->sql;
    int depth = 0;
    for (size_t at = sql_skip_space(sql, 0); at < sql.size;) {
        const size_t end = sql_skip_token(sql, at);
        const char c = sql.data[at];
        depth -= c == ')' || c == ']' || c == '}' ? 1 : 0;
        const struct token token = {str_slice(sql, at, end), at, end, depth};
        LIST_PUSH(reader->arena, &reader->tokens, token);
        depth += c == '(' || c == '[' || c == '{' ? 1 : 0;
        at = sql_skip_space(sql, end);
    }
}

static bool is_word(const struct token *token, const char *word) {
    return str_equal_nocase(token->text, str_from(word));
}

// Behind the closing parenthesis that belongs to the opening one.
static size_t skip_group(const struct token_list *tokens, size_t open) {
    size_t i = open + 1;
    while (i < tokens->count && tokens->items[i].depth > tokens->items[open].depth) {
        i++;
    }
    return i + 1;
}

// FROM t PIVOT (sum(x) FOR c IN (…))
static bool is_behind_table(const struct token_list *tokens, size_t pivot) {
    const struct token *open = &tokens->items[pivot + 1];
    if (!is_word(open, "(")) {
        return false;
    }
    const size_t end = skip_group(tokens, pivot + 1);
    for (size_t i = pivot + 2; i < end && i < tokens->count; i++) {
        if (tokens->items[i].depth == open->depth + 1 && is_word(&tokens->items[i], "FOR")) {
            return true;
        }
    }
    return false;
}

static bool ends_pivot(const struct token *token) {
    static const char *const WORDS[] = {"USING", "GROUP",  "ORDER",     "LIMIT",
                                        "UNION", "EXCEPT", "INTERSECT", ";"};
    for (size_t i = 0; i < ARRAY_COUNT(WORDS); i++) {
        if (is_word(token, WORDS[i])) {
            return true;
        }
    }
    return false;
}

// *on: the ON of the PIVOT, which may stand behind those of joins; false: it has none.
static bool find_on(const struct token_list *tokens, size_t pivot, size_t *on, size_t *end) {
    const int depth = tokens->items[pivot].depth;
    bool found = false;
    size_t i = pivot + 1;
    for (; i < tokens->count && tokens->items[i].depth >= depth; i++) {
        if (tokens->items[i].depth > depth) {
            continue;
        }
        if (is_word(&tokens->items[i], "ON")) {
            *on = i;
            found = true;
        } else if (found && ends_pivot(&tokens->items[i])) {
            break;
        }
    }
    *end = i;
    return found;
}

// `WITH a AS (…), b AS (…)` as far as it stands before the PIVOT: its source may be one of them.
static str ctes_before(const struct pivot_reader *reader, size_t pivot) {
    const struct token_list *tokens = &reader->tokens;
    size_t end = 0;
    if (!is_word(&tokens->items[0], "WITH")) {
        return (str){0};
    }
    for (size_t i = 1; i + 1 < pivot; i++) {
        if (tokens->items[i].depth > 0 || !is_word(&tokens->items[i], "AS")) {
            continue;
        }
        while (i < pivot && !is_word(&tokens->items[i], "(")) { // NOT MATERIALIZED
            i++;
        }
        i = skip_group(tokens, i);
        end = i <= pivot ? tokens->items[i - 1].end : end;
        if (i >= pivot || !is_word(&tokens->items[i], ",")) {
            break;
        }
    }
    return str_slice(reader->sql, 0, end);
}

static void name_type(struct pivot_reader *reader, size_t pivot, size_t on, size_t first,
                      size_t last) {
    const struct token *tokens = reader->tokens.items;
    const str source = str_slice(reader->sql, tokens[pivot].end, tokens[on].start);
    const str value = str_slice(reader->sql, tokens[first].start, tokens[last].end);
    const str ctes = ctes_before(reader, pivot);
    const struct sql_pivot named = {
        .type = str_format(reader->arena, STR_FORMAT "%zu", STR_ARGS(reader->prefix),
                           reader->pivots->count + 1),
        .values = str_format(reader->arena,
                             STR_FORMAT "\nSELECT DISTINCT CAST(" STR_FORMAT
                                        " AS VARCHAR) FROM" STR_FORMAT "WHERE (" STR_FORMAT
                                        ") IS NOT NULL ORDER BY 1",
                             STR_ARGS(ctes), STR_ARGS(value), STR_ARGS(source), STR_ARGS(value)),
    };
    LIST_PUSH(reader->arena, reader->pivots, named);
    text_add(&reader->out, str_slice(reader->sql, reader->written, tokens[last].end));
    text_format(&reader->out, " IN " STR_FORMAT, STR_ARGS(named.type));
    reader->written = tokens[last].end;
}

// `a, b || c, d IN (…)`: each that says no values.
static void name_types(struct pivot_reader *reader, size_t pivot, size_t on, size_t end) {
    const struct token_list *tokens = &reader->tokens;
    const int depth = tokens->items[pivot].depth;
    size_t first = on + 1;
    bool has_values = false;
    for (size_t i = on + 1; i <= end; i++) {
        const bool is_over =
            i == end || (tokens->items[i].depth == depth && is_word(&tokens->items[i], ","));
        if (is_over && i > first && !has_values) {
            name_type(reader, pivot, on, first, i - 1);
        }
        has_values =
            !is_over &&
            (has_values || (tokens->items[i].depth == depth && is_word(&tokens->items[i], "IN")));
        first = is_over ? i + 1 : first;
    }
}

str sql_pivot_name_types(struct arena *arena, str sql, str prefix, struct sql_pivot_list *pivots) {
    struct pivot_reader reader = {.arena = arena, .sql = sql, .prefix = prefix, .pivots = pivots};
    text_init(&reader.out, arena);
    read_tokens(&reader);
    for (size_t i = 0; i + 1 < reader.tokens.count; i++) {
        size_t on = 0;
        size_t end = 0;
        // One inside of another's source is left: its values would be needed for those of the
        // other.
        if (is_word(&reader.tokens.items[i], "PIVOT") &&
            reader.tokens.items[i].start >= reader.written && !is_behind_table(&reader.tokens, i) &&
            find_on(&reader.tokens, i, &on, &end)) {
            name_types(&reader, i, on, end);
        }
    }
    text_add(&reader.out, str_from_offset(sql, reader.written));
    return text_str(&reader.out);
}
