// Reading an ATTACH statement: ATTACH [DATABASE] [IF NOT EXISTS | OR REPLACE] 'path' [AS alias]
// [(…)].

#include "base/arena.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/script.h"

// The next token at *offset, which moves behind it.
static str next_token(str text, size_t *offset) {
    const size_t start = sql_skip_space(text, *offset);
    *offset = sql_skip_token(text, start);
    return str_slice(text, start, *offset);
}

str attach_text_unquote(struct arena *arena, str token) {
    if (token.size < 2 || (token.data[0] != '\'' && token.data[0] != '"')) {
        return token;
    }
    const char mark[] = {token.data[0], '\0'};
    const char pair[] = {token.data[0], token.data[0], '\0'};
    return str_replace_all(arena, str_slice(token, 1, token.size - 1), str_from(pair),
                           str_from(mark));
}

struct attach_text attach_text_parse(struct arena *arena, str statement) {
    struct attach_text out = {0};
    size_t offset = 0;
    if (!str_equal_nocase(next_token(statement, &offset), STR("ATTACH"))) {
        return out;
    }
    str token = next_token(statement, &offset);
    while (!str_is_empty(token) && token.data[0] != '\'') { // DATABASE, IF NOT EXISTS, OR REPLACE
        token = next_token(statement, &offset);
    }
    out.is_attach = !str_is_empty(token);
    out.path = attach_text_unquote(arena, token);
    out.path_end = offset;
    out.path_start = offset - token.size;
    token = next_token(statement, &offset);
    if (str_equal_nocase(token, STR("AS"))) {
        out.alias = attach_text_unquote(arena, next_token(statement, &offset));
        token = next_token(statement, &offset);
    }
    if (str_equal(token, STR("("))) {
        const size_t start = offset;
        while (!str_is_empty(token) && !str_equal(token, STR(")"))) {
            token = next_token(statement, &offset);
        }
        out.is_unclosed = str_is_empty(token);
        out.options_end = offset - token.size;
        out.options = str_slice(statement, start, out.options_end);
    }
    return out;
}

bool attach_path_has_password(str path) {
    SCRATCH(scratch);
    const str lower = str_to_lower(&scratch, path);
    if (str_find(lower, STR("password=")) != SIZE_MAX ||
        str_find(lower, STR("password =")) != SIZE_MAX) {
        return true;
    }
    // postgresql://user:password@host
    const size_t scheme = str_find(lower, STR("://"));
    if (scheme == SIZE_MAX) {
        return false;
    }
    const str rest = str_from_offset(lower, scheme + 3);
    const size_t at = str_find_char(rest, '@');
    const size_t colon = str_find_char(rest, ':');
    return at != SIZE_MAX && colon < at;
}
