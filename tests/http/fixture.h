#ifndef HTTP_FIXTURE_H
#define HTTP_FIXTURE_H

// A client, an API and a scripted server, with a fake clock; for the tests of http/ alone.

#include "base/clock.h"
#include "base/context.h"
#include "base/environment.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "http/http.h"
#include "support/fake_clock.h"
#include "support/http_server.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define STATUS(line, more) "HTTP/1.1 " line "\r\n" more "Content-Length: 0\r\n\r\n"

// 2024-01-02T03:04:05Z
UNUSED static const int64_t WALL_US = INT64_C(1704164645000000);

struct fixture {
    struct arena arena;
    struct fake_clock clock;
    struct environment environment;
    struct interrupt interrupt;
    struct context context;
    struct http_client *client;
    struct http_server *server;
    struct http_config config;
    struct http_api *api;
    struct http_response response;
    struct error err;
};

static void no_randomness(void *self, void *bytes, size_t size) {
    (void)self;
    memset(bytes, 0, size);
}

UNUSED static struct fixture *fixture_start(const struct http_server_step *steps, size_t count) {
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    arena_init(&f->arena);
    environment_init(&f->environment, &f->arena, false);
    interrupt_init(&f->interrupt);
    f->context = (struct context){.clock = fake_clock_init(&f->clock, WALL_US),
                                  .environment = &f->environment,
                                  .interrupt = &f->interrupt,
                                  .random = no_randomness};
    f->client = http_client_new(&f->context);
    f->server = http_server_start(steps, count);
    f->config.name = STR("lib/x.star");
    f->config.base_url = str_from(http_server_url(f->server));
    return f;
}
#define START(steps) fixture_start(steps, ARRAY_COUNT(steps))

UNUSED static void fixture_stop(struct fixture *f) {
    http_response_done(&f->response);
    http_client_free(f->client);
    http_api_free(f->api);
    http_server_stop(f->server);
    interrupt_done(&f->interrupt);
    environment_done(&f->environment);
    arena_done(&f->arena);
    free(f);
}

UNUSED static enum error_code send_request(struct fixture *f, const struct http_request *request) {
    http_response_done(&f->response);
    if (f->api == NULL) {
        f->api = http_api_new(&f->config);
    }
    return http_send(f->client, f->api, request, &f->response, &f->err);
}

UNUSED static void expect_sent(struct fixture *f, const struct http_request *request, int status) {
    const enum error_code code = send_request(f, request);
    if (code != ERROR_NONE || f->response.status != status) {
        fail_msg("expected status %d, got %d, error \"%s\"", status, f->response.status,
                 code != ERROR_NONE ? f->err.message : "");
    }
}

// The message with this server's port as PORT and times as 0.0s.
UNUSED static void expect_message(struct fixture *f, const char *expected) {
    const str port = str_format(&f->arena, "127.0.0.1:%d", http_server_port(f->server));
    const str got = str_replace_all(&f->arena, str_from(f->err.message), port, STR("HOST"));
    if (!str_equal(got, str_from(expected))) {
        fail_msg("expected \"%s\", got \"" STR_FORMAT "\"", expected, STR_ARGS(got));
    }
}

UNUSED static bool request_has(struct fixture *f, size_t index, const char *part) {
    const char *request = http_server_request(f->server, index);
    assert_non_null(request);
    return strstr(request, part) != NULL;
}

UNUSED static void expect_in_request(struct fixture *f, size_t index, const char *part) {
    if (!request_has(f, index, part)) {
        fail_msg("request %zu has no \"%s\":\n%s", index, part,
                 http_server_request(f->server, index));
    }
}

UNUSED static void expect_not_in_request(struct fixture *f, size_t index, const char *part) {
    if (request_has(f, index, part)) {
        fail_msg("request %zu has \"%s\":\n%s", index, part, http_server_request(f->server, index));
    }
}

UNUSED static const struct http_request GET = {.method = STR_INIT("GET"),
                                               .url = STR_INIT("/items")};

#endif
