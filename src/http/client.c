// One http_send is a loop of three depths, from the outside in:
//
//   attempts    1 + retry; between them a wait (backoff or Retry-After); each has the whole timeout
//   hops        the request and up to ten redirects; leaving the first origin drops every
//   credential
//               for the rest of the attempt, also when a later hop leads back
//   exchanges   one request on the wire, or two: a digest challenge or an expired token is answered
//
// Only exchanges count against the rate limit, and each does.
#include "base/clock.h"
#include "base/context.h"
#include "base/redact.h"
#include "base/text.h"
#include "http/api.h"
#include "http/digest.h"
#include "http/http.h"
#include "http/wire.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// The challenge of the server we last talked digest with, so that later requests answer it at once.
struct digest_session {
    struct arena arena;
    bool known;
    str origin;
    str user;
    struct http_digest challenge;
    uint32_t nonce_count;
};

struct http_client {
    const struct context *context;
    struct http_wire *wire;
    struct digest_session digest;
};

// One http_send.
struct call {
    struct http_client *client;
    const struct http_config *config;
    const struct http_request *request;
    const struct http_auth *auth;
    struct arena *scratch;
    str url; // with base URL and params, without credentials
    struct url origin;
    int64_t timeout_us;
    int64_t started_us;
    int attempts;
};

// One request of the chain of redirects.
struct hop {
    str method;
    str url;
    bool sends_body;
    bool trusted; // still where the credentials belong
    int64_t timeout_us;
};

struct http_client *http_client_new(const struct context *context) {
    struct http_client *client = memory_alloc(sizeof(*client));
    *client = (struct http_client){.context = context, .wire = http_wire_new(context)};
    arena_init(&client->digest.arena);
    return client;
}

void http_client_free(struct http_client *client) {
    if (client != NULL) {
        http_wire_free(client->wire);
        arena_done(&client->digest.arena);
        free(client);
    }
}

void http_response_done(struct http_response *response) {
    free(response->body);
    arena_done(&response->arena);
    *response = (struct http_response){0};
}

// Ready for another answer; the memory of the arena is kept.
static void response_clear(struct http_response *response) {
    free(response->body);
    arena_reset(&response->arena);
    *response = (struct http_response){.arena = response->arena};
}

bool http_response_ok(const struct http_response *response) {
    return response->status >= 200 && response->status <= 299;
}

bool http_status_is_failure(int status) {
    return status == 429 || (status >= 500 && status <= 599);
}

static str call_label(struct arena *arena, const struct http_request *request) {
    if (request->label != NULL) {
        return str_from(request->label);
    }
    return str_format(arena, "http." STR_FORMAT, STR_ARGS(str_to_lower(arena, request->method)));
}

static str shown_url(const struct call *call, str url) {
    return redact_text(call->client->context->redactor, call->scratch,
                       url_redact(call->scratch, url));
}

// ` after 4 attempts (12.3s)`
static str effort(struct arena *arena, int attempts, int64_t elapsed_us) {
    return str_format(arena, "after %d attempt%s (%.1fs)", attempts, attempts == 1 ? "" : "s",
                      (double)elapsed_us / 1e6);
}

static int64_t now_us(const struct call *call) {
    return clock_monotonic_us(&call->client->context->clock);
}

// Puts the call and its URL before the cause, and the effort behind it when something was sent.
static enum error_code call_failed(const struct call *call, enum error_code code,
                                   struct error *err) {
    const str label = call_label(call->scratch, call->request);
    const str url = shown_url(call, call->url);
    const str cause = str_copy(call->scratch, str_from(err->message));
    if (call->attempts == 0 || code == ERROR_INVALID || code == ERROR_NOT_FOUND) {
        return error_set(err, code, STR_FORMAT " " STR_FORMAT ": " STR_FORMAT, STR_ARGS(label),
                         STR_ARGS(url), STR_ARGS(cause));
    }
    const str tried = effort(call->scratch, call->attempts, now_us(call) - call->started_us);
    return error_set(err, code, STR_FORMAT " " STR_FORMAT ": " STR_FORMAT " " STR_FORMAT,
                     STR_ARGS(label), STR_ARGS(url), STR_ARGS(cause), STR_ARGS(tried));
}

enum error_code http_status_error(const struct http_request *request,
                                  const struct http_response *response, struct error *err) {
    SCRATCH(scratch);
    const str label = call_label(&scratch, request);
    const str url = url_redact(&scratch, response->url);
    const str tried = effort(&scratch, response->attempts, response->elapsed_us);
    const str text = str_trim(http_response_text(response, &scratch));
    const str excerpt = str_cut(text, HTTP_ERROR_EXCERPT_SIZE);
    return error_rule(err, ERROR_REMOTE, "http.status",
                      STR_FORMAT " " STR_FORMAT ": HTTP %d " STR_FORMAT "%s" STR_FORMAT "%s",
                      STR_ARGS(label), STR_ARGS(url), response->status, STR_ARGS(tried),
                      excerpt.size > 0 ? ": " : "", STR_ARGS(excerpt),
                      excerpt.size < text.size ? "…" : "");
}

// --- one exchange --------------------------------------------------------------------------------

static void add_headers(const struct call *call, const struct hop *hop,
                        const struct http_headers *from, const struct http_headers *over,
                        struct http_headers *to) {
    for (size_t i = 0; i < from->count; i++) {
        const struct http_header *header = &from->items[i];
        const bool replaced = over != NULL && http_headers_has(over, header->name);
        const bool about_body = str_equal_nocase(str_slice(header->name, 0, 8), STR("Content-"));
        if (!header->removes && !replaced && (hop->sends_body || !about_body) &&
            (hop->trusted || http_header_is_harmless(header->name))) {
            http_headers_add(call->scratch, to, header->name, header->value);
        }
    }
}

static struct http_headers hop_headers(const struct call *call, const struct hop *hop) {
    struct http_headers headers = {0};
    add_headers(call, hop, &call->config->headers, &call->request->headers, &headers);
    add_headers(call, hop, &call->request->headers, NULL, &headers);
    const str type = call->request->content_type;
    if (hop->sends_body && type.size > 0 && !http_headers_has(&headers, STR("Content-Type"))) {
        http_headers_add(call->scratch, &headers, STR("Content-Type"), type);
    }
    if (!http_headers_has(&headers, STR("User-Agent")) &&
        !http_headers_has(&call->request->headers, STR("User-Agent"))) {
        http_headers_add(call->scratch, &headers, STR("User-Agent"), STR("coypu/" COYPU_VERSION));
    }
    return headers;
}

static enum error_code send_on_wire(const struct call *call, struct hop *hop,
                                    const struct http_headers *headers, str url,
                                    struct http_response *response, struct error *err) {
    const struct http_request *request = call->request;
    const struct http_wire_request wire = {
        .method = hop->method,
        .url = url,
        .headers = *headers,
        .has_body = hop->sends_body && request->has_body,
        .body = hop->sends_body ? request->body : (str){0},
        .upload = hop->sends_body ? request->upload : NULL,
        .timeout_us = hop->timeout_us,
        .body_size_max =
            call->config->body_size_max > 0 ? call->config->body_size_max : HTTP_BODY_SIZE_MAX,
        .cert = hop->trusted ? request->cert : (str){0},
        .key = hop->trusted ? request->key : (str){0},
        .ca = request->ca,
    };
    int64_t ticket = 0;
    response_clear(response);
    TRY(rate_limit_wait(call->config->rate_limit, call->client->context, &ticket, err));
    const int64_t start_us = now_us(call);
    const enum error_code code = http_wire_send(call->client->wire, &wire, response, err);
    hop->timeout_us -= now_us(call) - start_us;
    rate_limit_done(call->config->rate_limit, call->client->context, ticket);
    return code;
}

static str origin_of(str url) {
    const size_t scheme = str_find(url, STR("://"));
    const size_t slash = str_find_char(str_from_offset(url, scheme + 3), '/');
    return slash == SIZE_MAX ? url : str_slice(url, 0, scheme + 3 + slash);
}

static str digest_header(const struct call *call, const struct hop *hop) {
    struct digest_session *session = &call->client->digest;
    unsigned char random[16];
    context_random(call->client->context, random, sizeof(random));
    struct url url;
    struct error ignored;
    (void)!url_parse(hop->url, &url, &ignored);
    const str path = url.path.size > 0 ? url.path : STR("/");
    const str uri = url.has_query ? str_format(call->scratch, STR_FORMAT "?" STR_FORMAT,
                                               STR_ARGS(path), STR_ARGS(url.query))
                                  : path;
    const struct http_digest_call answer = {
        .method = hop->method,
        .uri = uri,
        .user = call->auth->user,
        .password = call->auth->secret,
        .body = hop->sends_body ? call->request->body : (str){0},
        .body_is_known = !hop->sends_body || call->request->upload == NULL,
        .nonce_count = ++session->nonce_count,
        .cnonce = hex_encode(call->scratch, random, sizeof(random)),
    };
    return http_digest_answer(call->scratch, &session->challenge, &answer);
}

// Takes the challenge of a 401 over; false when there is none we can answer.
static bool digest_learn(const struct call *call, const struct hop *hop,
                         const struct http_response *response) {
    struct digest_session *session = &call->client->digest;
    struct http_digest challenge;
    if (response->status != 401 ||
        !http_digest_parse(call->scratch, &response->headers, &challenge)) {
        return false;
    }
    arena_reset(&session->arena);
    session->known = http_digest_parse(&session->arena, &response->headers, &session->challenge);
    session->origin = str_copy(&session->arena, origin_of(hop->url));
    session->user = str_copy(&session->arena, call->auth->user);
    session->nonce_count = 0;
    return true;
}

static enum error_code exchange_digest(const struct call *call, struct hop *hop,
                                       struct http_headers *headers, struct http_response *response,
                                       struct error *err) {
    const struct digest_session *session = &call->client->digest;
    const bool at_once = session->known && str_equal(session->origin, origin_of(hop->url)) &&
                         str_equal(session->user, call->auth->user);
    if (at_once) {
        http_headers_set(call->scratch, headers, STR("Authorization"), digest_header(call, hop));
    }
    const str answered = at_once ? str_copy(call->scratch, session->challenge.nonce) : (str){0};
    TRY(send_on_wire(call, hop, headers, hop->url, response, err));
    // An answer to the same nonce again would be refused again: the password is wrong.
    if (!digest_learn(call, hop, response) || str_equal(answered, session->challenge.nonce)) {
        return ERROR_NONE;
    }
    http_headers_set(call->scratch, headers, STR("Authorization"), digest_header(call, hop));
    TRY(send_on_wire(call, hop, headers, hop->url, response, err));
    call->client->digest.known = response->status != 401;
    return ERROR_NONE;
}

static str bearer(const struct call *call, str token) {
    return str_format(call->scratch, "Bearer " STR_FORMAT, STR_ARGS(token));
}

static enum error_code exchange_token(const struct call *call, struct hop *hop,
                                      struct http_headers *headers, struct http_response *response,
                                      struct error *err) {
    const struct http_token_source *source = &call->auth->source;
    str token = {0};
    TRY(source->get(source->self, (str){0}, call->scratch, &token, err));
    http_headers_set(call->scratch, headers, STR("Authorization"), bearer(call, token));
    TRY(send_on_wire(call, hop, headers, hop->url, response, err));
    if (response->status != 401) {
        return ERROR_NONE;
    }
    TRY(source->get(source->self, token, call->scratch, &token, err));
    http_headers_set(call->scratch, headers, STR("Authorization"), bearer(call, token));
    return send_on_wire(call, hop, headers, hop->url, response, err);
}

static enum error_code exchange(const struct call *call, struct hop *hop,
                                struct http_response *response, struct error *err) {
    const struct http_auth *auth = call->auth;
    struct arena *scratch = call->scratch;
    struct http_headers headers = hop_headers(call, hop);
    str url = hop->url;
    switch (hop->trusted ? auth->kind : HTTP_AUTH_NONE) {
    case HTTP_AUTH_NONE:
        break;
    case HTTP_AUTH_BEARER:
        http_headers_set(scratch, &headers, STR("Authorization"), bearer(call, auth->secret));
        break;
    case HTTP_AUTH_HEADER:
        http_headers_set(scratch, &headers, auth->name,
                         str_format(scratch, STR_FORMAT STR_FORMAT, STR_ARGS(auth->prefix),
                                    STR_ARGS(auth->secret)));
        break;
    case HTTP_AUTH_PARAM: {
        struct url_params params = {0};
        url_params_add(scratch, &params, auth->name, auth->secret);
        url = url_with_params(scratch, url, &params);
        break;
    }
    case HTTP_AUTH_BASIC: {
        const str pair = str_format(scratch, STR_FORMAT ":" STR_FORMAT, STR_ARGS(auth->user),
                                    STR_ARGS(auth->secret));
        http_headers_set(
            scratch, &headers, STR("Authorization"),
            str_format(scratch, "Basic " STR_FORMAT, STR_ARGS(base64_encode(scratch, pair))));
        break;
    }
    case HTTP_AUTH_DIGEST:
        return exchange_digest(call, hop, &headers, response, err);
    case HTTP_AUTH_TOKEN:
        return exchange_token(call, hop, &headers, response, err);
    }
    return send_on_wire(call, hop, &headers, url, response, err);
}

// --- redirects -----------------------------------------------------------------------------------

// The next hop; false when the response is the answer.
static enum error_code next_hop(const struct call *call, const struct http_response *response,
                                struct hop *hop, bool *goes_on, struct error *err) {
    static const int followed[] = {301, 302, 303, 307, 308};
    bool is_redirect = false;
    for (size_t i = 0; i < ARRAY_COUNT(followed); i++) {
        is_redirect |= response->status == followed[i];
    }
    str location;
    *goes_on = is_redirect && !call->request->keep_redirects &&
               http_headers_get(&response->headers, STR("Location"), &location);
    if (!*goes_on) {
        return ERROR_NONE;
    }
    const str target = url_resolve(call->scratch, hop->url, location);
    struct url to;
    if (url_build(call->scratch, (str){0}, target, &hop->url, err) != ERROR_NONE ||
        url_parse(hop->url, &to, err) != ERROR_NONE) {
        const str shown = shown_url(call, str_cut(target, 200));
        return error_set(err, ERROR_REMOTE,
                         "redirected to \"" STR_FORMAT "\", which is no http URL", STR_ARGS(shown));
    }
    hop->trusted = hop->trusted && http_redirect_is_trusted(&call->origin, &to);
    if (response->status <= 303) {
        hop->method = str_equal(hop->method, STR("HEAD")) ? hop->method : STR("GET");
        hop->sends_body = false;
    }
    return ERROR_NONE;
}

static enum error_code attempt(const struct call *call, struct http_response *response,
                               struct error *err) {
    const struct http_request *request = call->request;
    struct hop hop = {.method = request->method,
                      .url = call->url,
                      .sends_body = request->has_body || request->upload != NULL,
                      .trusted = true,
                      .timeout_us = call->timeout_us};
    for (int hops = 0; hops <= HTTP_REDIRECTS_MAX; hops++) {
        TRY(exchange(call, &hop, response, err));
        response->url = str_copy(&response->arena, hop.url);
        bool goes_on = false;
        TRY(next_hop(call, response, &hop, &goes_on, err));
        if (!goes_on) {
            return ERROR_NONE;
        }
        if (hop.timeout_us <= 0) {
            return error_set(err, ERROR_TIMEOUT, "timed out");
        }
    }
    return error_set(err, ERROR_REMOTE, "more than %d redirects", HTTP_REDIRECTS_MAX);
}

// --- retries -------------------------------------------------------------------------------------

// What the server asks us to wait; false when it says nothing we understand.
static bool retry_after_us(const struct call *call, const struct http_response *response,
                           int64_t *wait_us) {
    str value;
    if ((response->status != 429 && response->status != 503) ||
        !http_headers_get(&response->headers, STR("Retry-After"), &value)) {
        return false;
    }
    int64_t seconds = 0;
    int64_t date_us = 0;
    if (str_parse_int64(value, &seconds)) {
        const int64_t most = INT64_MAX / 1000000;
        *wait_us = (seconds < 0 ? 0 : seconds > most ? most : seconds) * 1000000;
        return true;
    }
    if (time_parse_http(value, &date_us)) {
        const int64_t left_us = date_us - clock_wall_us(&call->client->context->clock);
        *wait_us = left_us > 0 ? left_us : 0;
        return true;
    }
    return false;
}

// backoff × 2^(attempt-1), and 0–50 % on top so that workers do not come back together.
static int64_t backoff_us(const struct call *call) {
    const struct http_request *request = call->request;
    int64_t wait_us =
        call->config->has_backoff ? call->config->backoff_us : HTTP_BACKOFF_DEFAULT_US;
    wait_us = request->has_backoff ? request->backoff_us : wait_us;
    for (int i = 1; i < call->attempts && wait_us < HTTP_WAIT_MAX_US; i++) {
        wait_us *= 2;
    }
    uint16_t random = 0;
    context_random(call->client->context, &random, sizeof(random));
    wait_us = wait_us < HTTP_WAIT_MAX_US ? wait_us : HTTP_WAIT_MAX_US;
    wait_us += wait_us / 2 * random / UINT16_MAX;
    return wait_us < HTTP_WAIT_MAX_US ? wait_us : HTTP_WAIT_MAX_US;
}

static enum error_code wait_for_retry(const struct call *call, enum error_code code,
                                      const struct http_response *response, struct error *err) {
    int64_t wait_us = 0;
    if (code != ERROR_NONE || !retry_after_us(call, response, &wait_us)) {
        wait_us = backoff_us(call);
    } else if (wait_us > HTTP_WAIT_MAX_US) {
        return error_rule(err, ERROR_REMOTE, "http.retry_after",
                          "HTTP %d asks to wait %" PRId64 "s, more than the 300s we wait,",
                          response->status, wait_us / 1000000);
    }
    return clock_sleep_us(&call->client->context->clock, wait_us, call->client->context->interrupt,
                          err);
}

static bool is_retried(enum error_code code, const struct http_response *response) {
    return code == ERROR_NETWORK || code == ERROR_TIMEOUT ||
           (code == ERROR_NONE && http_status_is_failure(response->status));
}

static enum error_code send_with_retries(struct call *call, struct http_response *response,
                                         struct error *err) {
    const struct http_request *request = call->request;
    const int64_t retry = request->has_retry ? request->retry : call->config->retry;
    for (;;) {
        call->attempts++;
        const enum error_code code = attempt(call, response, err);
        if (!is_retried(code, response) || call->attempts > retry) {
            return code;
        }
        int64_t asked_us = 0;
        if (code == ERROR_NONE && request->keep_statuses &&
            retry_after_us(call, response, &asked_us) && asked_us > HTTP_WAIT_MAX_US) {
            return ERROR_NONE;
        }
        TRY(wait_for_retry(call, code, response, err));
    }
}

static enum error_code check_headers(const struct http_headers *headers, struct error *err) {
    for (size_t i = 0; i < headers->count; i++) {
        TRY(http_header_check(headers->items[i].name, headers->items[i].value, err));
    }
    return ERROR_NONE;
}

// Everything that can be wrong before a byte is sent.
static enum error_code prepare(struct call *call, struct http_api *api, struct error *err) {
    const struct http_request *request = call->request;
    call->url = request->url;
    TRY(url_build(call->scratch, call->config->base_url, request->url, &call->url, err));
    call->url = url_with_params(call->scratch, call->url, &request->params);
    TRY(url_parse(call->url, &call->origin, err));
    TRY(check_headers(&call->config->headers, err));
    TRY(check_headers(&request->headers, err));
    if (str_is_empty(request->cert) != str_is_empty(request->key)) {
        return error_set(err, ERROR_INVALID, "cert and key must be given together");
    }
    call->auth = http_api_credentials(api, request, &call->origin);
    if (call->auth->kind == HTTP_AUTH_HEADER) {
        TRY(http_header_check(call->auth->name, call->auth->secret, err));
    }
    if (call->auth->kind == HTTP_AUTH_BEARER) {
        TRY(http_header_check(STR("Authorization"), call->auth->secret, err));
    }
    return ERROR_NONE;
}

enum error_code http_send(struct http_client *client, struct http_api *api,
                          const struct http_request *request, struct http_response *response,
                          struct error *err) {
    SCRATCH(scratch);
    const struct http_config *config = http_api_config(api);
    struct call call = {
        .client = client, .config = config, .request = request, .scratch = &scratch};
    call.timeout_us = request->timeout_us > 0  ? request->timeout_us
                      : config->timeout_us > 0 ? config->timeout_us
                                               : HTTP_TIMEOUT_DEFAULT_US;
    call.started_us = now_us(&call);
    *response = (struct http_response){0};
    arena_init(&response->arena);
    enum error_code code = prepare(&call, api, err);
    if (code == ERROR_NONE) {
        code = send_with_retries(&call, response, err);
    }
    if (code != ERROR_NONE) {
        http_response_done(response);
        return call_failed(&call, code, err);
    }
    response->attempts = call.attempts;
    response->elapsed_us = now_us(&call) - call.started_us;
    return ERROR_NONE;
}
