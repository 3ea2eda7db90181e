#include "http/url.h"

#include "base/arena.h"
#include "base/text.h"

#include <string.h>

static bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void add_escape(struct text *out, char c) {
    static const char digits[] = "0123456789ABCDEF";
    const unsigned char byte = (unsigned char)c;
    text_add_char(out, '%');
    text_add_char(out, digits[byte >> 4]);
    text_add_char(out, digits[byte & 15]);
}

static bool is_scheme(str text) {
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.data[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'))) {
            return false;
        }
    }
    return text.size > 0;
}

// "user@host:port" → its parts.
static enum error_code parse_authority(str authority, struct url *url, struct error *err) {
    const size_t at = str_find_last_char(authority, '@');
    if (at != SIZE_MAX) {
        url->userinfo = str_slice(authority, 0, at);
        authority = str_from_offset(authority, at + 1);
    }
    str port = {0};
    if (str_starts_with(authority, STR("["))) {
        const size_t end = str_find_char(authority, ']');
        if (end == SIZE_MAX) {
            return error_set(err, ERROR_INVALID, "URL has no ] after its IPv6 address");
        }
        url->host = str_slice(authority, 1, end);
        port = str_from_offset(authority, end + 1);
    } else {
        const size_t colon = str_find_char(authority, ':');
        url->host = str_slice(authority, 0, colon);
        port = colon == SIZE_MAX ? (str){0} : str_from_offset(authority, colon);
    }
    if (port.size > 1) {
        int64_t number = 0;
        if (port.data[0] != ':' || !str_parse_int64(str_from_offset(port, 1), &number) ||
            number < 1 || number > 65535) {
            return error_set(err, ERROR_INVALID, "URL has a bad port \"" STR_FORMAT "\"",
                             STR_ARGS(str_from_offset(port, 1)));
        }
        url->port = (int)number;
    }
    return ERROR_NONE;
}

enum error_code url_parse(str text, struct url *url, struct error *err) {
    *url = (struct url){0};
    const size_t hash = str_find_char(text, '#');
    if (hash != SIZE_MAX) {
        url->fragment = str_from_offset(text, hash + 1);
        text = str_slice(text, 0, hash);
    }
    const size_t question = str_find_char(text, '?');
    if (question != SIZE_MAX) {
        url->has_query = true;
        url->query = str_from_offset(text, question + 1);
        text = str_slice(text, 0, question);
    }
    const size_t colon = str_find_char(text, ':');
    if (colon != SIZE_MAX && is_scheme(str_slice(text, 0, colon)) &&
        str_find_char(text, '/') > colon) {
        url->scheme = str_slice(text, 0, colon);
        text = str_from_offset(text, colon + 1);
    }
    if (str_starts_with(text, STR("//"))) {
        text = str_from_offset(text, 2);
        const size_t slash = str_find_char(text, '/');
        TRY(parse_authority(str_slice(text, 0, slash), url, err));
        text = slash == SIZE_MAX ? (str){0} : str_from_offset(text, slash);
    }
    url->path = text;
    return ERROR_NONE;
}

bool url_is_https(const struct url *url) {
    return str_equal_nocase(url->scheme, STR("https"));
}

int url_port(const struct url *url) {
    if (url->port != 0) {
        return url->port;
    }
    return url_is_https(url) ? 443 : 80;
}

static bool starts_with_nocase(str text, str prefix) {
    return str_equal_nocase(str_slice(text, 0, prefix.size), prefix);
}

bool url_is_absolute(str text) {
    return starts_with_nocase(text, STR("http://")) || starts_with_nocase(text, STR("https://"));
}

bool url_same_origin(const struct url *a, const struct url *b) {
    return str_equal_nocase(a->scheme, b->scheme) && str_equal_nocase(a->host, b->host) &&
           url_port(a) == url_port(b);
}

// Escapes what may not stand in a URL at all; a "%" stays, as the text is encoded already or meant
// so.
static void add_url_text(struct text *out, str text) {
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.data[i];
        if ((unsigned char)c <= ' ' || (unsigned char)c >= 0x7f || c == '"' || c == '<' ||
            c == '>' || c == '\\' || c == '^' || c == '`' || c == '{' || c == '|' || c == '}') {
            add_escape(out, c);
        } else {
            text_add_char(out, c);
        }
    }
}

static str without_fragment(str text) {
    return str_slice(text, 0, str_find_char(text, '#'));
}

enum error_code url_build(struct arena *arena, str base, str reference, str *url,
                          struct error *err) {
    struct text out;
    text_init(&out, arena);
    reference = str_trim(without_fragment(reference));
    if (base.size > URL_SIZE_MAX || reference.size > URL_SIZE_MAX) {
        return error_set(err, ERROR_INVALID, "URL is longer than %d bytes", URL_SIZE_MAX);
    }
    if (!url_is_absolute(reference)) {
        if (str_is_empty(base)) {
            const str shown = url_redact(arena, str_cut(reference, 200));
            return error_set(err, ERROR_INVALID,
                             "\"" STR_FORMAT "\" is relative and the API has no base_url",
                             STR_ARGS(shown));
        }
        base = without_fragment(base);
        while (str_ends_with(base, STR("/"))) {
            base = str_slice(base, 0, base.size - 1);
        }
        add_url_text(&out, base);
        while (str_starts_with(reference, STR("/"))) {
            reference = str_from_offset(reference, 1);
        }
        if (!str_is_empty(reference) && reference.data[0] != '?') {
            text_add_char(&out, '/');
        }
    }
    add_url_text(&out, reference);
    *url = text_str(&out);
    struct url parts;
    TRY(url_parse(*url, &parts, err));
    if (!url_is_absolute(*url) || str_is_empty(parts.host)) {
        const str shown = url_redact(arena, str_cut(*url, 200));
        return error_set(err, ERROR_INVALID, "\"" STR_FORMAT "\" is not an http or https URL",
                         STR_ARGS(shown));
    }
    return ERROR_NONE;
}

static void add_origin(struct text *out, const struct url *url) {
    const bool ipv6 = str_find_char(url->host, ':') != SIZE_MAX;
    text_format(out, STR_FORMAT "://%s" STR_FORMAT "%s", STR_ARGS(url->scheme), ipv6 ? "[" : "",
                STR_ARGS(url->host), ipv6 ? "]" : "");
    if (url->port != 0) {
        text_format(out, ":%d", url->port);
    }
}

// RFC 3986 §5.2.4: takes "." and ".." out of an absolute path.
static str path_without_dots(struct arena *arena, str path) {
    struct text out;
    text_init(&out, arena);
    struct str_splitter splitter = {.rest = path};
    str part;
    bool first = true;
    bool open = false; // the path ends in a slash
    while (str_split_next(&splitter, '/', &part)) {
        if (first) {
            first = false;
            continue; // what stands before the leading slash
        }
        open = str_equal(part, STR(".")) || str_equal(part, STR(".."));
        if (str_equal(part, STR(".."))) {
            const size_t parent = str_find_last_char(text_str(&out), '/');
            out.size = parent == SIZE_MAX ? 0 : parent;
        } else if (!open) {
            text_add_char(&out, '/');
            text_add(&out, part);
        }
    }
    if (open || out.size == 0) {
        text_add_char(&out, '/');
    }
    return text_str(&out);
}

static void add_path_and_query(struct text *out, str path, const struct url *query_of) {
    add_url_text(out, path_without_dots(out->arena, path));
    if (query_of->has_query) {
        text_add_char(out, '?');
        add_url_text(out, query_of->query);
    }
}

str url_resolve(struct arena *arena, str base, str reference) {
    struct error ignored;
    struct url from;
    struct url to;
    reference = str_trim(reference);
    if (url_parse(base, &from, &ignored) != ERROR_NONE ||
        url_parse(reference, &to, &ignored) != ERROR_NONE) {
        return str_copy(arena, reference); // url_build says what is wrong with it
    }
    struct text out;
    text_init(&out, arena);
    if (!str_is_empty(to.scheme)) {
        add_url_text(&out, without_fragment(reference));
    } else if (!str_is_empty(to.host)) {
        text_format(&out, STR_FORMAT ":", STR_ARGS(from.scheme));
        add_url_text(&out, without_fragment(reference));
    } else if (str_is_empty(to.path)) {
        add_origin(&out, &from);
        add_path_and_query(&out, from.path, to.has_query ? &to : &from);
    } else if (str_starts_with(to.path, STR("/"))) {
        add_origin(&out, &from);
        add_path_and_query(&out, to.path, &to);
    } else {
        add_origin(&out, &from);
        const size_t slash = str_find_last_char(from.path, '/');
        const str folder = slash == SIZE_MAX ? STR("/") : str_slice(from.path, 0, slash + 1);
        const str path =
            str_format(arena, STR_FORMAT STR_FORMAT, STR_ARGS(folder), STR_ARGS(to.path));
        add_path_and_query(&out, path, &to);
    }
    return text_str(&out);
}

void url_params_add(struct arena *arena, struct url_params *params, str name, str value) {
    LIST_PUSH(arena, params, ((struct url_param){name, value}));
}

// The name and value of one "a=b", still encoded.
static struct url_param split_pair(str pair) {
    const size_t equals = str_find_char(pair, '=');
    return (struct url_param){str_slice(pair, 0, equals),
                              equals == SIZE_MAX ? (str){0} : str_from_offset(pair, equals + 1)};
}

void url_params_parse(struct arena *arena, str query, struct url_params *params) {
    struct str_splitter splitter = {.rest = query};
    str pair;
    while (str_split_next(&splitter, '&', &pair)) {
        if (pair.size > 0) {
            const struct url_param param = split_pair(pair);
            url_params_add(arena, params, url_form_decode(arena, param.name),
                           url_form_decode(arena, param.value));
        }
    }
}

void url_form_encode(struct text *out, str value) {
    for (size_t i = 0; i < value.size; i++) {
        const char c = value.data[i];
        if (is_unreserved(c)) {
            text_add_char(out, c);
        } else if (c == ' ') {
            text_add_char(out, '+');
        } else {
            add_escape(out, c);
        }
    }
}

void url_params_encode(struct text *out, const struct url_params *params) {
    for (size_t i = 0; i < params->count; i++) {
        if (i > 0) {
            text_add_char(out, '&');
        }
        url_form_encode(out, params->items[i].name);
        text_add_char(out, '=');
        url_form_encode(out, params->items[i].value);
    }
}

str url_form_decode(struct arena *arena, str value) {
    struct text out;
    text_init(&out, arena);
    for (size_t i = 0; i < value.size; i++) {
        const char c = value.data[i];
        const int high = c == '%' && i + 2 < value.size ? hex_value(value.data[i + 1]) : -1;
        const int low = high >= 0 ? hex_value(value.data[i + 2]) : -1;
        if (low >= 0) {
            text_add_char(&out, (char)(high * 16 + low));
            i += 2;
        } else {
            text_add_char(&out, c == '+' ? ' ' : c);
        }
    }
    return text_str(&out);
}

static bool params_have(const struct url_params *params, str name) {
    for (size_t i = 0; i < params->count; i++) {
        if (str_equal(params->items[i].name, name)) {
            return true;
        }
    }
    return false;
}

str url_with_params(struct arena *arena, str url, const struct url_params *params) {
    if (params->count == 0) {
        return url;
    }
    url = without_fragment(url);
    const size_t question = str_find_char(url, '?');
    struct text out;
    text_init(&out, arena);
    text_add(&out, str_slice(url, 0, question));
    text_add_char(&out, '?');
    const size_t start = out.size;
    struct str_splitter splitter = {
        .rest = question == SIZE_MAX ? (str){0} : str_from_offset(url, question + 1)};
    str pair;
    while (str_split_next(&splitter, '&', &pair)) {
        if (pair.size > 0 && !params_have(params, url_form_decode(arena, split_pair(pair).name))) {
            if (out.size > start) {
                text_add_char(&out, '&');
            }
            text_add(&out, pair);
        }
    }
    if (out.size > start) {
        text_add_char(&out, '&');
    }
    url_params_encode(&out, params);
    return text_str(&out);
}

// The parameter names whose values errors hide (libs.md §11.3 c and d).
static bool is_secret_name(str name) {
    static const str exact[] = {STR_INIT("key"), STR_INIT("sig"), STR_INIT("signature"),
                                STR_INIT("authorization")};
    static const char *const parts[] = {"token",  "secret",  "password", "api_key",
                                        "apikey", "api-key", "passwd"};
    for (size_t i = 0; i < ARRAY_COUNT(exact); i++) {
        if (str_equal_nocase(name, exact[i])) {
            return true;
        }
    }
    SCRATCH(scratch);
    const str lower = str_to_lower(&scratch, name);
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        if (str_find(lower, str_from(parts[i])) != SIZE_MAX) {
            return true;
        }
    }
    return false;
}

str url_redact(struct arena *arena, str url) {
    struct text out;
    text_init(&out, arena);
    const size_t question = str_find_char(url, '?');
    const str head = str_slice(url, 0, question);
    const size_t slashes = str_find(head, STR("://"));
    const str after = slashes == SIZE_MAX ? (str){0} : str_from_offset(head, slashes + 3);
    const str authority = str_slice(after, 0, str_find_char(after, '/'));
    const size_t at = str_find_last_char(authority, '@');
    if (at != SIZE_MAX) {
        text_add(&out, str_slice(head, 0, slashes + 3));
        text_add(&out, str_from_offset(head, slashes + 3 + at + 1));
    } else {
        text_add(&out, head);
    }
    if (question == SIZE_MAX) {
        return text_str(&out);
    }
    struct str_splitter splitter = {.rest = str_from_offset(url, question + 1)};
    str pair;
    char separator = '?';
    while (str_split_next(&splitter, '&', &pair)) {
        text_add_char(&out, separator);
        separator = '&';
        const struct url_param param = split_pair(pair);
        if (!str_is_empty(param.value) && is_secret_name(url_form_decode(arena, param.name))) {
            text_format(&out, STR_FORMAT "=[REDACTED]", STR_ARGS(param.name));
        } else {
            text_add(&out, pair);
        }
    }
    return text_str(&out);
}

static bool host_matches(const struct url *url, str pattern) {
    if (str_equal(pattern, STR("*"))) {
        return true;
    }
    const size_t colon = str_find_last_char(pattern, ':');
    int64_t port = 0;
    if (colon != SIZE_MAX && str_parse_int64(str_from_offset(pattern, colon + 1), &port)) {
        if (port != url_port(url)) {
            return false;
        }
        pattern = str_slice(pattern, 0, colon);
    }
    if (str_starts_with(pattern, STR("*."))) {
        const str suffix = str_from_offset(pattern, 1);
        return url->host.size > suffix.size &&
               str_equal_nocase(str_from_offset(url->host, url->host.size - suffix.size), suffix);
    }
    return str_equal_nocase(url->host, pattern);
}

bool url_host_matches(const struct url *url, const struct str_list *patterns) {
    for (size_t i = 0; i < patterns->count; i++) {
        if (host_matches(url, patterns->items[i])) {
            return true;
        }
    }
    return false;
}
