// Two passes: the known secret values, longest first, then patterns that look like credentials.
// Redacting happens on what is about to be shown, so lines are short and a plain scan is enough.
#include "base/redact.h"

#include "base/arena.h"
#include "base/list.h"
#include "base/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct redactor {
    pthread_mutex_t lock;
    struct arena arena;
    struct str_list secrets; // longest first
};

struct redactor *redactor_new(void) {
    struct redactor *redactor = memory_alloc(sizeof(*redactor));
    *redactor = (struct redactor){.lock = PTHREAD_MUTEX_INITIALIZER};
    arena_init(&redactor->arena);
    return redactor;
}

void redactor_free(struct redactor *redactor) {
    if (redactor != NULL) {
        arena_done(&redactor->arena);
        (void)pthread_mutex_destroy(&redactor->lock);
        free(redactor);
    }
}

void redact_secret(struct redactor *redactor, str value) {
    if (redactor == NULL || value.size < REDACT_SECRET_SIZE_MIN) {
        return;
    }
    (void)pthread_mutex_lock(&redactor->lock);
    if (!str_list_has(&redactor->secrets, value)) {
        str_list_push(&redactor->arena, &redactor->secrets, str_copy(&redactor->arena, value));
        for (size_t i = redactor->secrets.count - 1; i > 0; i--) {
            str *items = redactor->secrets.items;
            if (items[i].size <= items[i - 1].size) {
                break;
            }
            const str moved = items[i];
            items[i] = items[i - 1];
            items[i - 1] = moved;
        }
    }
    (void)pthread_mutex_unlock(&redactor->lock);
}

static str redact_values(struct redactor *redactor, struct arena *arena, str text) {
    (void)pthread_mutex_lock(&redactor->lock);
    for (size_t i = 0; i < redactor->secrets.count; i++) {
        if (str_find(text, redactor->secrets.items[i]) != SIZE_MAX) {
            text = str_replace_all(arena, text, redactor->secrets.items[i], STR("[REDACTED]"));
        }
    }
    (void)pthread_mutex_unlock(&redactor->lock);
    return text;
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static bool is_value(char c) {
    return c > ' ' && c != '"' && c != '\'' && c != '&' && c != ',' && c != ';' && c != '}' &&
           c != ')' && c != ']' && c != '<';
}

// Names whose value is a secret wherever it stands (libs.md §11.3 c and d).
static bool is_telling(str name, bool in_url) {
    static const str anywhere[] = {
        STR_INIT("token"),         STR_INIT("secret"),        STR_INIT("password"),
        STR_INIT("api_key"),       STR_INIT("apikey"),        STR_INIT("access_token"),
        STR_INIT("client_secret"), STR_INIT("authorization"), STR_INIT("refresh_token")};
    static const str url_only[] = {STR_INIT("key"), STR_INIT("sig"), STR_INIT("signature")};
    for (size_t i = 0; i < ARRAY_COUNT(anywhere); i++) {
        if (str_equal_nocase(name, anywhere[i])) {
            return true;
        }
    }
    for (size_t i = 0; in_url && i < ARRAY_COUNT(url_only); i++) {
        if (str_equal_nocase(name, url_only[i])) {
            return true;
        }
    }
    return false;
}

// Where the value after `name` ("name=…", "name": "…", name: …) begins, or 0 when there is none.
static size_t value_start(str text, size_t end_of_name) {
    size_t at = end_of_name;
    if (at < text.size && (text.data[at] == '"' || text.data[at] == '\'')) {
        at++;
    }
    if (at < text.size && text.data[at] == '=') {
        at++;
    } else if (at < text.size && text.data[at] == ':') {
        at++;
        while (at < text.size && text.data[at] == ' ') {
            at++;
        }
    } else {
        return 0;
    }
    if (at < text.size && (text.data[at] == '"' || text.data[at] == '\'')) {
        at++;
    }
    return at;
}

static bool is_scheme(str word) {
    return str_equal_nocase(word, STR("bearer")) || str_equal_nocase(word, STR("basic")) ||
           str_equal_nocase(word, STR("digest"));
}

static size_t value_end(str text, size_t start) {
    size_t end = start;
    while (end < text.size && is_value(text.data[end])) {
        end++;
    }
    return end;
}

// `${NAME}` and no more: the name of a secret, which its reader is looking for.
static bool is_reference(str text, size_t start) {
    const str rest = str_from_offset(text, start);
    const size_t close = str_find_char(rest, '}');
    if (!str_starts_with(rest, STR("${")) || close == SIZE_MAX) {
        return false;
    }
    return str_is_identifier(str_slice(rest, 2, close)) &&
           (close + 1 == rest.size || !is_value(rest.data[close + 1]));
}

// The credential behind an authorization scheme is one long word; "Basic plan" is prose.
static bool looks_like_credential(str value) {
    return value.size >= 8;
}

static str redact_patterns(struct arena *arena, str text) {
    struct text out;
    text_init(&out, arena);
    size_t copied = 0;
    for (size_t at = 0; at < text.size;) {
        if (!is_word(text.data[at])) {
            at++;
            continue;
        }
        const size_t name_start = at;
        while (at < text.size && is_word(text.data[at])) {
            at++;
        }
        const str word = str_slice(text, name_start, at);
        const bool in_url = name_start > 0 &&
                            (text.data[name_start - 1] == '?' || text.data[name_start - 1] == '&');
        size_t start = 0;
        size_t end = 0;
        if (is_scheme(word) && at < text.size && text.data[at] == ' ') {
            start = at + 1;
            end = value_end(text, start);
            if (!looks_like_credential(str_slice(text, start, end))) {
                continue;
            }
        } else if (is_telling(word, in_url)) {
            start = value_start(text, at);
            end = start == 0 ? 0 : value_end(text, start);
            // "authorization: Bearer x": hide the scheme and what follows it.
            if (start != 0 && is_scheme(str_slice(text, start, end)) && end < text.size &&
                text.data[end] == ' ') {
                end = value_end(text, end + 1);
            }
        }
        if (end > start && !is_reference(text, start) &&
            !str_equal(str_slice(text, start, end), STR("[REDACTED")) &&
            !str_starts_with(str_from_offset(text, start), STR("[REDACTED]"))) {
            text_add(&out, str_slice(text, copied, start));
            text_add(&out, STR("[REDACTED]"));
            copied = end;
            at = end;
        }
    }
    if (copied == 0) {
        return text;
    }
    text_add(&out, str_from_offset(text, copied));
    return text_str(&out);
}

str redact_text(struct redactor *redactor, struct arena *arena, str text) {
    if (redactor != NULL) {
        text = redact_values(redactor, arena, text);
    }
    return redact_patterns(arena, text);
}
