#include "modules/response.h"

#include "base/text.h"
#include "http/url.h"
#include "modules/argument.h"
#include "modules/host.h"

#include <stdlib.h>

struct response {
    struct http_response http;
    struct unasked *unasked; // NULL: nothing to ask about; lives as long as the call
    bool made[3];            // which slots hold their value
};

enum { SLOT_TEXT, SLOT_JSON, SLOT_HEADERS, SLOT_COUNT };

static const struct star_type response_type;

static star_value make_text(struct star_thread *thread, const struct response *response) {
    SCRATCH(scratch);
    return value_from_str(thread, http_response_text(&response->http, &scratch));
}

// What the script makes of None is its own error; this says where the None came from.
static void note_not_json(struct modules_host *host, const struct http_response *http, str body) {
    enum { EXCERPT_SIZE = 100 };
    SCRATCH(scratch);
    host->note = str_format(&host->call_arena,
                            "the body of " STR_FORMAT
                            " (HTTP %d) is not JSON, so .json is None: " STR_FORMAT,
                            STR_ARGS(url_redact(&scratch, http->url)), http->status,
                            STR_ARGS(str_printable(&scratch, str_cut(body, EXCERPT_SIZE))));
}

static star_value make_json(struct star_thread *thread, const struct response *response) {
    str body = {response->http.body, response->http.body_size};
    if (str_starts_with(body, STR("\xEF\xBB\xBF"))) {
        body = str_from_offset(body, 3);
    }
    if (str_is_empty(str_trim(body))) {
        return STAR_NONE;
    }
    const star_value value = star_json_lazy(thread, body.data, body.size);
    if (star_is_error(value) && star_thread_error(thread)->status == STAR_FAILED) {
        note_not_json(modules_host_of(thread), &response->http, body);
        return STAR_NONE;
    }
    return value;
}

static bool has_earlier(const struct http_headers *headers, size_t index) {
    for (size_t i = 0; i < index; i++) {
        if (str_equal(headers->items[i].name, headers->items[index].name)) {
            return true;
        }
    }
    return false;
}

// One value as a string, several of one name as a list.
static star_value header_value(struct star_thread *thread, const struct http_headers *headers,
                               size_t index) {
    const struct http_header *first = &headers->items[index];
    star_value list = STAR_UNSET;
    const star_value value = value_from_str(thread, first->value);
    for (size_t i = index + 1; i < headers->count && !star_is_error(value); i++) {
        if (str_equal(headers->items[i].name, first->name)) {
            if (star_is_unset(list)) {
                list = star_list(thread, &value, 1);
            }
            const star_value next = value_from_str(thread, headers->items[i].value);
            if (star_is_error(list) || star_is_error(next) ||
                !star_list_append(thread, list, next)) {
                return STAR_ERROR;
            }
        }
    }
    return star_is_unset(list) ? value : list;
}

static bool set_text(struct star_thread *thread, star_value dict, str key, star_value value) {
    const star_value name = star_string_intern(thread, key.data, key.size);
    return !star_is_error(name) && !star_is_error(value) &&
           star_dict_set(thread, dict, name, value);
}

static bool add_links(struct star_thread *thread, const struct response *response,
                      star_value dict) {
    SCRATCH(scratch);
    struct http_links links = {0};
    http_links_parse(&scratch, &response->http.headers, response->http.url, &links);
    if (links.count == 0) {
        return true;
    }
    const star_value map = star_dict(thread);
    for (size_t i = 0; i < links.count && !star_is_error(map); i++) {
        const star_value url = value_from_str(thread, links.items[i].url);
        if (!set_text(thread, map, links.items[i].rel, url)) {
            return false;
        }
    }
    return set_text(thread, dict, STR("_links"), map);
}

static star_value make_headers(struct star_thread *thread, const struct response *response) {
    const struct http_headers *headers = &response->http.headers;
    const star_value dict = star_dict(thread);
    for (size_t i = 0; i < headers->count && !star_is_error(dict); i++) {
        if (!has_earlier(headers, i) &&
            !set_text(thread, dict, headers->items[i].name, header_value(thread, headers, i))) {
            return STAR_ERROR;
        }
    }
    return star_is_error(dict) || !add_links(thread, response, dict) ? STAR_ERROR : dict;
}

typedef star_value (*maker)(struct star_thread *thread, const struct response *response);

// The content of a slot, made at its first touch.
static star_value content(struct star_thread *thread, star_value self, struct response *response,
                          size_t slot, maker make) {
    if (!response->made[slot]) {
        const star_value value = make(thread, response);
        if (star_is_error(value)) {
            return value;
        }
        star_host_slots(self)[slot] = value;
        response->made[slot] = true;
    }
    return star_host_slots(self)[slot];
}

static star_value content_attribute(struct star_thread *thread, star_value self,
                                    struct response *response, str name) {
    if (response->unasked != NULL && !response->unasked->asked) {
        response->unasked->asked = true; // raised once is enough
        return star_fail_host(thread, STAR_HOST, ERROR_REMOTE, STR_FORMAT,
                              STR_ARGS(response->unasked->message));
    }
    if (str_equal(name, STR("json"))) {
        return content(thread, self, response, SLOT_JSON, make_json);
    }
    if (str_equal(name, STR("text"))) {
        return content(thread, self, response, SLOT_TEXT, make_text);
    }
    if (str_equal(name, STR("headers"))) {
        return content(thread, self, response, SLOT_HEADERS, make_headers);
    }
    return star_bytes(thread, response->http.body_size > 0 ? response->http.body : "",
                      response->http.body_size);
}

static star_value attribute(struct star_thread *thread, star_value self, const char *name_data,
                            size_t name_size) {
    static const str contents[] = {STR_INIT("json"), STR_INIT("text"), STR_INIT("headers"),
                                   STR_INIT("bytes")};
    struct response *response = star_host_data(self, &response_type);
    const str name = {name_data, name_size};
    for (size_t i = 0; i < ARRAY_COUNT(contents); i++) {
        if (str_equal(name, contents[i])) {
            return content_attribute(thread, self, response, name);
        }
    }
    const bool asks = str_equal(name, STR("ok")) || str_equal(name, STR("status_code"));
    if (asks && response->unasked != NULL) {
        response->unasked->asked = true;
    }
    if (str_equal(name, STR("ok"))) {
        return star_bool(http_response_ok(&response->http));
    }
    if (str_equal(name, STR("status_code"))) {
        return star_int(thread, response->http.status);
    }
    if (str_equal(name, STR("url"))) {
        return value_from_str(thread, response->http.url);
    }
    if (str_equal(name, STR("elapsed"))) {
        return star_float((double)response->http.elapsed_us / 1e6);
    }
    return STAR_UNSET;
}

static bool describe(struct star_thread *thread, star_value self, struct star_text *out) {
    (void)thread;
    const struct response *response = star_host_data(self, &response_type);
    SCRATCH(scratch);
    const str text = str_format(&scratch, "<response %d>", response->http.status);
    return star_text_add(out, text.data, text.size);
}

static void release(void *data) {
    struct response *response = data;
    http_response_done(&response->http);
    free(response);
}

static const char *const attribute_names[] = {"bytes",       "elapsed", "headers", "json", "ok",
                                              "status_code", "text",    "url",     NULL};

static const struct star_type response_type = {
    .name = "response",
    .attribute = attribute,
    .attribute_names = attribute_names,
    .string = describe,
    .free = release,
};

star_value response_new(struct star_thread *thread, const struct http_request *request,
                        struct http_response *response, bool watched) {
    struct response *owned = memory_alloc(sizeof(*owned));
    *owned = (struct response){.http = *response};
    *response = (struct http_response){0};
    if (watched && http_status_is_failure(owned->http.status)) {
        struct error err;
        (void)!http_status_error(request, &owned->http, &err);
        owned->unasked = modules_note_unasked(modules_host_of(thread), str_from(err.message));
    }
    const star_value value = star_host_new(thread, &response_type, owned, SLOT_COUNT, 0);
    if (star_is_error(value)) {
        release(owned);
    }
    return value;
}
