#include "http/headers.h"

#include "base/arena.h"
#include "base/list.h"
#include "base/text.h"
#include "http/url.h"

#include <string.h>

void http_headers_add(struct arena *arena, struct http_headers *headers, str name, str value) {
    LIST_PUSH(arena, headers, ((struct http_header){.name = name, .value = value}));
}

static struct http_header *find(const struct http_headers *headers, str name) {
    for (size_t i = 0; i < headers->count; i++) {
        if (str_equal_nocase(headers->items[i].name, name)) {
            return &headers->items[i];
        }
    }
    return NULL;
}

void http_headers_set(struct arena *arena, struct http_headers *headers, str name, str value) {
    size_t kept = 0;
    for (size_t i = 0; i < headers->count; i++) {
        if (!str_equal_nocase(headers->items[i].name, name)) {
            headers->items[kept++] = headers->items[i];
        }
    }
    headers->count = kept;
    http_headers_add(arena, headers, name, value);
}

bool http_headers_get(const struct http_headers *headers, str name, str *value) {
    const struct http_header *header = find(headers, name);
    if (header == NULL || header->removes) {
        return false;
    }
    *value = header->value;
    return true;
}

bool http_headers_has(const struct http_headers *headers, str name) {
    return find(headers, name) != NULL;
}

// RFC 9110 §5.6.2
static bool is_token_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(str text) {
    for (size_t i = 0; i < text.size; i++) {
        if (!is_token_char(text.data[i])) {
            return false;
        }
    }
    return text.size > 0;
}

str http_header_canonical(struct arena *arena, str name) {
    if (!is_token(name)) {
        return str_copy(arena, name);
    }
    char *data = arena_alloc_bytes(arena, name.size);
    bool capital = true;
    for (size_t i = 0; i < name.size; i++) {
        const char c = name.data[i];
        if (capital) {
            data[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        } else {
            data[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
        capital = c == '-';
    }
    return (str){data, name.size};
}

enum error_code http_header_check(str name, str value, struct error *err) {
    if (!is_token(name)) {
        return error_set(err, ERROR_INVALID, "\"" STR_FORMAT "\" is not a header name",
                         STR_ARGS(str_cut(name, 100)));
    }
    for (size_t i = 0; i < value.size; i++) {
        const char c = value.data[i];
        if (c == '\r' || c == '\n' || c == '\0') {
            return error_set(err, ERROR_INVALID,
                             "the value of header " STR_FORMAT " holds a line break or NUL",
                             STR_ARGS(name));
        }
    }
    return ERROR_NONE;
}

// A cursor over `name=value; name="quoted"` and the commas and angle brackets around them.
struct reader {
    str text;
    size_t at;
};

static void skip_spaces(struct reader *reader) {
    while (reader->at < reader->text.size &&
           (reader->text.data[reader->at] == ' ' || reader->text.data[reader->at] == '\t')) {
        reader->at++;
    }
}

static bool read_char(struct reader *reader, char c) {
    skip_spaces(reader);
    if (reader->at < reader->text.size && reader->text.data[reader->at] == c) {
        reader->at++;
        return true;
    }
    return false;
}

static str read_token(struct reader *reader) {
    skip_spaces(reader);
    const size_t start = reader->at;
    while (reader->at < reader->text.size && is_token_char(reader->text.data[reader->at])) {
        reader->at++;
    }
    return str_slice(reader->text, start, reader->at);
}

// A quoted string behind its opening quote, or whatever stands before the next ; or ,.
static str read_value(struct reader *reader, struct arena *arena) {
    struct text out;
    text_init(&out, arena);
    const str text = reader->text;
    if (read_char(reader, '"')) {
        while (reader->at < text.size && text.data[reader->at] != '"') {
            if (text.data[reader->at] == '\\' && reader->at + 1 < text.size) {
                reader->at++;
            }
            text_add_char(&out, text.data[reader->at++]);
        }
        (void)read_char(reader, '"');
        return text_str(&out);
    }
    const size_t start = reader->at;
    while (reader->at < text.size && text.data[reader->at] != ';' && text.data[reader->at] != ',') {
        reader->at++;
    }
    return str_trim(str_slice(text, start, reader->at));
}

bool http_header_parameter(struct arena *arena, str value, str name, str *parameter) {
    struct reader reader = {value, 0};
    while (reader.at < value.size && value.data[reader.at] != ';') {
        reader.at++;
    }
    while (read_char(&reader, ';')) {
        const str key = read_token(&reader);
        if (read_char(&reader, '=')) {
            const str found = read_value(&reader, arena);
            if (str_equal_nocase(key, name)) {
                *parameter = found;
                return true;
            }
        }
    }
    return false;
}

static bool links_have(const struct http_links *links, str rel) {
    for (size_t i = 0; i < links->count; i++) {
        if (str_equal(links->items[i].rel, rel)) {
            return true;
        }
    }
    return false;
}

static void add_relations(struct arena *arena, struct http_links *links, str words, str url) {
    struct str_splitter splitter = {.rest = words};
    str rel;
    while (str_split_next(&splitter, ' ', &rel)) {
        if (rel.size > 0 && !links_have(links, rel)) {
            LIST_PUSH(arena, links, ((struct http_link){str_copy(arena, rel), url}));
        }
    }
}

// `<url>; rel="next"; title="a, b", <url2>; rel=last`
static void parse_link_value(struct arena *arena, str value, str base, struct http_links *links) {
    struct reader reader = {value, 0};
    while (reader.at < value.size) {
        if (!read_char(&reader, '<')) {
            reader.at++;
            continue;
        }
        const size_t end = str_find_char(str_from_offset(value, reader.at), '>');
        if (end == SIZE_MAX) {
            return;
        }
        const str url = url_resolve(arena, base, str_slice(value, reader.at, reader.at + end));
        reader.at += end + 1;
        bool has_rel = false; // a second rel in one link does not count (RFC 8288 §3.3)
        while (read_char(&reader, ';')) {
            const str name = read_token(&reader);
            const str found = read_char(&reader, '=') ? read_value(&reader, arena) : (str){0};
            if (!has_rel && str_equal_nocase(name, STR("rel"))) {
                has_rel = true;
                add_relations(arena, links, found, url);
            }
        }
    }
}

void http_links_parse(struct arena *arena, const struct http_headers *headers, str base,
                      struct http_links *links) {
    for (size_t i = 0; i < headers->count; i++) {
        if (str_equal_nocase(headers->items[i].name, STR("Link"))) {
            parse_link_value(arena, headers->items[i].value, base, links);
        }
    }
}
