#include "base/environment.h"
#include "base/file.h"
#include "state/store.h"

// Where the store lies (libs.md §7.2).
//
// Without config/state.sql: `.coypu/state.db`.  With it, the file of an existing project is read
// but never executed: its one `ATTACH '…' AS state` names a file, and our `coypu-state.db` lies in
// that file's folder.

static const str state_sql_path = STR_INIT("config/state.sql");

// A token of SQL as far as we must know it: word, 'string', or one character of punctuation.
struct token {
    enum { TOKEN_END, TOKEN_WORD, TOKEN_STRING, TOKEN_MARK } type;
    str text;      // of a string: without its quotes, '' still doubled
    size_t offset; // in the file
};

static size_t skip_blank(str sql, size_t at) {
    while (at < sql.size) {
        const str rest = str_from_offset(sql, at);
        const char c = sql.data[at];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            at++;
        } else if (str_starts_with(rest, STR("--"))) {
            const size_t end = str_find_char(rest, '\n');
            at = end == SIZE_MAX ? sql.size : at + end;
        } else if (str_starts_with(rest, STR("/*"))) {
            const size_t end = str_find(rest, STR("*/"));
            at = end == SIZE_MAX ? sql.size : at + end + 2;
        } else {
            break;
        }
    }
    return at;
}

static bool is_word_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static struct token token_string(str sql, size_t start, size_t *at) {
    const char quote = sql.data[start];
    size_t end = start + 1;
    while (end < sql.size) {
        if (sql.data[end] != quote) {
            end++;
        } else if (end + 1 < sql.size && sql.data[end + 1] == quote) {
            end += 2;
        } else {
            break;
        }
    }
    *at = end < sql.size ? end + 1 : end;
    return (struct token){.type = quote == '\'' ? TOKEN_STRING : TOKEN_WORD,
                          .text = str_slice(sql, start + 1, end),
                          .offset = start};
}

static struct token token_next(str sql, size_t *at) {
    const size_t start = skip_blank(sql, *at);
    if (start >= sql.size) {
        *at = start;
        return (struct token){.type = TOKEN_END, .offset = start};
    }
    const char c = sql.data[start];
    if (c == '\'' || c == '"') {
        return token_string(sql, start, at);
    }
    size_t end = start + 1;
    if (!is_word_char(c)) {
        *at = end;
        return (struct token){TOKEN_MARK, str_slice(sql, start, end), start};
    }
    while (end < sql.size && is_word_char(sql.data[end])) {
        end++;
    }
    *at = end;
    return (struct token){TOKEN_WORD, str_slice(sql, start, end), start};
}

static bool token_is(const struct token *token, const char *word) {
    return token->type != TOKEN_STRING && str_equal_nocase(token->text, str_from(word));
}

struct attach {
    bool found;
    str path;
    str type; // of the TYPE option; empty when there is none
    size_t offset;
};

// Reads what follows `ATTACH`; `attach` is filled when the alias is `state`.
static void read_attach(str sql, size_t *at, struct attach *attach) {
    struct token token = token_next(sql, at);
    while (token.type == TOKEN_WORD) { // DATABASE, IF NOT EXISTS, OR REPLACE
        token = token_next(sql, at);
    }
    if (token.type != TOKEN_STRING) {
        return;
    }
    const struct token path = token;
    token = token_next(sql, at);
    if (!token_is(&token, "as")) {
        return;
    }
    token = token_next(sql, at);
    if (!token_is(&token, "state")) {
        return;
    }
    *attach = (struct attach){.found = true, .path = path.text, .offset = path.offset};
    bool type_follows = false;
    for (token = token_next(sql, at); token.type != TOKEN_END && !token_is(&token, ";");
         token = token_next(sql, at)) {
        if (type_follows) {
            attach->type = token.text;
        }
        type_follows = token_is(&token, "type");
    }
}

static struct attach find_attach(str sql) {
    struct attach attach = {0};
    size_t at = 0;
    for (struct token token = token_next(sql, &at); token.type != TOKEN_END && !attach.found;
         token = token_next(sql, &at)) {
        if (token_is(&token, "attach")) {
            read_attach(sql, &at, &attach);
        }
    }
    return attach;
}

static enum error_code refuse(str sql, size_t offset, struct error *err, const char *what) {
    error_rule(err, ERROR_INVALID, "config.state", "%s", what);
    error_at_offset(err, state_sql_path, sql, offset);
    error_hint(err, "attach a file or a PostgreSQL database AS state, or delete config/state.sql");
    return ERROR_INVALID;
}

// "sqlite:x.db" is a file, "mysql:…" is not; a single letter before the colon is no scheme.
static enum error_code attach_file(str sql, const struct attach *attach, str *path,
                                   struct error *err) {
    *path = attach->path;
    const size_t colon = str_find_char(*path, ':');
    if (colon != SIZE_MAX) {
        const str scheme = str_slice(*path, 0, colon);
        if (str_equal_nocase(scheme, STR("postgres")) ||
            str_equal_nocase(scheme, STR("postgresql"))) {
            return refuse(sql, attach->offset, err,
                          "state in PostgreSQL is not part of this version of coypu");
        }
        if (!str_equal_nocase(scheme, STR("sqlite")) && !str_equal_nocase(scheme, STR("duckdb"))) {
            return refuse(sql, attach->offset, err,
                          "state.sql must attach a file or a PostgreSQL database");
        }
        *path = str_from_offset(*path, colon + 1);
    }
    if (str_starts_with(attach->type, STR("postgres")) ||
        str_starts_with(attach->type, STR("POSTGRES"))) {
        return refuse(sql, attach->offset, err,
                      "state in PostgreSQL is not part of this version of coypu");
    }
    const bool is_file = str_is_empty(attach->type) ||
                         str_equal_nocase(attach->type, STR("sqlite")) ||
                         str_equal_nocase(attach->type, STR("duckdb"));
    if (!is_file || str_is_empty(*path)) {
        return refuse(sql, attach->offset, err,
                      "state.sql must attach a file or a PostgreSQL database");
    }
    return ERROR_NONE;
}

static enum error_code location_from_sql(const struct context *context, struct arena *arena,
                                         str project, str sql, str *location, struct error *err) {
    struct attach attach = find_attach(sql);
    if (!attach.found) {
        return refuse(sql, 0, err, "state.sql has no ATTACH … AS state");
    }
    TRY(environment_expand(context->environment, arena, state_sql_path, attach.path, &attach.path,
                           err));
    attach.path = str_replace_all(arena, attach.path, STR("''"), STR("'"));
    str path = {0};
    TRY(attach_file(sql, &attach, &path, err));
    if (!path_is_absolute(path)) {
        path = path_join(arena, project, path);
    }
    *location = path_join(arena, path_directory(path), STR("coypu-state.db"));
    return ERROR_NONE;
}

enum error_code location_find(const struct context *context, struct arena *arena, str project,
                              str *location, struct error *err) {
    const str file = path_join(arena, project, state_sql_path);
    if (!path_exists(file)) {
        *location = path_join(arena, project, STR(".coypu/state.db"));
        return ERROR_NONE;
    }
    str sql = {0};
    TRY(file_read(arena, file, &sql, err));
    return location_from_sql(context, arena, project, sql, location, err);
}
