#include "http/api.h"

#include <pthread.h>
#include <stdlib.h>

struct http_api {
    struct http_config config; // never changes
    pthread_mutex_t lock;
    struct { // any thread, under `lock`
        struct arena arena;
        struct str_list warned_hosts;
    } shared;
};

struct http_api *http_api_new(const struct http_config *config) {
    struct http_api *api = memory_alloc(sizeof(*api));
    *api = (struct http_api){.config = *config, .lock = PTHREAD_MUTEX_INITIALIZER};
    arena_init(&api->shared.arena);
    return api;
}

void http_api_free(struct http_api *api) {
    if (api != NULL) {
        arena_done(&api->shared.arena);
        (void)pthread_mutex_destroy(&api->lock);
        free(api);
    }
}

const struct http_config *http_api_config(const struct http_api *api) {
    static const struct http_config none = {0};
    return api != NULL ? &api->config : &none;
}

static void warn_foreign_host(struct http_api *api, const struct url *target) {
    const struct http_config *config = &api->config;
    (void)pthread_mutex_lock(&api->lock);
    const bool is_new = !str_list_has_nocase(&api->shared.warned_hosts, target->host);
    if (is_new) {
        str_list_push(&api->shared.arena, &api->shared.warned_hosts,
                      str_copy(&api->shared.arena, target->host));
    }
    (void)pthread_mutex_unlock(&api->lock);
    if (!is_new || config->warn == NULL) {
        return;
    }
    struct error warning;
    error_rule(&warning, ERROR_INVALID, "lib.auth_foreign_host",
               STR_FORMAT ": requests to " STR_FORMAT " are sent without the API's credentials",
               STR_ARGS(config->name), STR_ARGS(target->host));
    error_hint(&warning,
               "add \"hosts\": [\"" STR_FORMAT "\"] to API.auth if that host is to get them",
               STR_ARGS(target->host));
    config->warn(config->warn_self, &warning);
}

// Same host and port as base_url, and not out of TLS into plain text.
static bool is_base_host(const struct http_config *config, const struct url *target) {
    struct url base;
    struct error ignored;
    if (url_parse(config->base_url, &base, &ignored) != ERROR_NONE ||
        !str_equal_nocase(base.host, target->host)) {
        return false;
    }
    const bool default_ports = base.port == 0 && target->port == 0;
    return url_same_origin(&base, target) || (default_ports && url_is_https(target));
}

const struct http_auth *http_api_credentials(struct http_api *api,
                                             const struct http_request *request,
                                             const struct url *target) {
    static const struct http_auth none = {0};
    const struct http_config *config = http_api_config(api);
    if (request->auth != NULL) {
        return request->auth;
    }
    if (config->auth.kind == HTTP_AUTH_NONE ||
        http_headers_has(&request->headers, STR("Authorization"))) {
        return &none;
    }
    if (str_is_empty(config->base_url) || !url_is_absolute(str_trim(request->url)) ||
        is_base_host(config, target) || url_host_matches(target, &config->auth_hosts)) {
        return &config->auth;
    }
    warn_foreign_host(api, target);
    return &none;
}

bool http_redirect_is_trusted(const struct url *from, const struct url *to) {
    const bool upgrade = str_equal_nocase(from->host, to->host) && !url_is_https(from) &&
                         url_is_https(to) && url_port(from) == 80 && url_port(to) == 443;
    return upgrade || url_same_origin(from, to);
}

bool http_header_is_harmless(str name) {
    static const str harmless[] = {
        STR_INIT("Accept"),           STR_INIT("Accept-Language"),  STR_INIT("Content-Type"),
        STR_INIT("Content-Language"), STR_INIT("Content-Encoding"), STR_INIT("User-Agent"),
    };
    for (size_t i = 0; i < ARRAY_COUNT(harmless); i++) {
        if (str_equal_nocase(name, harmless[i])) {
            return true;
        }
    }
    return false;
}
