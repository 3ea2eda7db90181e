// Who gets the credentials, and who does not: patterns, hosts, redirects, digest.
#include "http/fixture.h"

#include <stdio.h>

static const struct http_server_step echo_step[] = {{.echo = 1}};

static enum error_code resolve(struct fixture *f, const struct http_auth_spec *spec) {
    return http_auth_resolve(spec, &f->environment, NULL, STR("lib/x.star"), &f->arena,
                             &f->config.auth, &f->err);
}

static void patterns_send_what_they_promise(void **state) {
    (void)state;
    static const struct {
        struct http_auth_spec spec;
        const char *sent;
    } cases[] = {
        {{.pattern = HTTP_AUTH_PATTERN_ENV, .key = {STR_INIT("K"), true}},
         "\r\nAuthorization: Bearer s3cret\r\n"},
        {{.pattern = HTTP_AUTH_PATTERN_ENV,
          .key = {STR_INIT("K"), true},
          .header = STR_INIT("X-Api-Key")},
         "\r\nX-Api-Key: s3cret\r\n"},
        {{.pattern = HTTP_AUTH_PATTERN_ENV,
          .key = {STR_INIT("K"), true},
          .header = STR_INIT("Authorization"),
          .prefix = STR_INIT("Token ")},
         "\r\nAuthorization: Token s3cret\r\n"},
        {{.pattern = HTTP_AUTH_PATTERN_ENV,
          .key = {STR_INIT("K"), true},
          .param = STR_INIT("api_key")},
         "GET /items?api_key=s3cret HTTP/1.1\r\n"},
        {{.pattern = HTTP_AUTH_PATTERN_USER,
          .user = {STR_INIT("Aladdin"), false},
          .pass = {STR_INIT("P"), true}},
         "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct fixture *f = START(echo_step);
        environment_set(&f->environment, STR("K"), STR("s3cret\n"));
        environment_set(&f->environment, STR("P"), STR("open sesame"));
        assert_int_equal(resolve(f, &cases[i].spec), ERROR_NONE);
        expect_sent(f, &GET, 200);
        expect_in_request(f, 0, cases[i].sent);
        assert_int_equal(str_find(f->response.url, STR("s3cret")), SIZE_MAX);
        fixture_stop(f);
    }
}

static void variables_must_be_set(void **state) {
    (void)state;
    struct fixture *f = START(echo_step);
    const struct http_auth_spec spec = {.pattern = HTTP_AUTH_PATTERN_ENV,
                                        .key = {STR("API_KEY"), true}};
    assert_int_equal(resolve(f, &spec), ERROR_INVALID);
    assert_string_equal(f->err.message, "auth: API_KEY is not set (lib/x.star)");
    assert_string_equal(f->err.hint, "set API_KEY in .env or in the environment");
    environment_set(&f->environment, STR("API_KEY"), STR(" \n"));
    assert_int_equal(resolve(f, &spec), ERROR_INVALID);
    fixture_stop(f);
}

static void grants_are_not_supported_yet(void **state) {
    (void)state;
    struct fixture *f = START(echo_step);
    const struct http_auth_spec spec = {.pattern = HTTP_AUTH_PATTERN_PROVIDER,
                                        .provider = STR("hubspot")};
    assert_int_equal(resolve(f, &spec), ERROR_INVALID);
    assert_string_equal(f->err.message, "auth: provider is not supported yet (lib/x.star)");
    fixture_stop(f);
}

static void a_call_with_its_own_authorization_keeps_it(void **state) {
    (void)state;
    struct fixture *f = START(echo_step);
    f->config.auth =
        (struct http_auth){.kind = HTTP_AUTH_PARAM, .name = STR("k"), .secret = STR("s")};
    struct http_header own = {.name = STR("authorization"), .value = STR("Mine")};
    struct http_request request = GET;
    request.headers = (struct http_headers){&own, 1, 1};
    expect_sent(f, &request, 200);
    expect_in_request(f, 0, "GET /items HTTP/1.1\r\n");
    expect_in_request(f, 0, "authorization: Mine\r\n");
    const struct http_auth none = {0};
    request = GET;
    request.auth = &none;
    expect_sent(f, &request, 200);
    expect_in_request(f, 1, "GET /items HTTP/1.1\r\n");
    fixture_stop(f);
}

static void note_warning(void *self, const struct error *warning) {
    struct fixture *f = self;
    f->err = *warning;
    fake_clock_turn(&f->clock, 1); // counts the warnings
}

static void foreign_hosts_get_no_credentials_unless_listed(void **state) {
    (void)state;
    struct fixture *f = START(echo_step);
    struct fixture *other = START(echo_step);
    f->config.auth = (struct http_auth){.kind = HTTP_AUTH_BEARER, .secret = STR("s3cret")};
    f->config.warn = note_warning;
    f->config.warn_self = f;
    const struct http_request request = {.method = STR("GET"),
                                         .url = str_from(http_server_url(other->server))};
    expect_sent(f, &request, 200);
    expect_sent(f, &request, 200);
    expect_not_in_request(other, 0, "Authorization");
    expect_not_in_request(other, 1, "Authorization");
    assert_string_equal(f->err.rule, "lib.auth_foreign_host");
    assert_string_equal(f->err.message,
                        "lib/x.star: requests to 127.0.0.1 are sent without the API's credentials");
    assert_string_equal(f->err.hint,
                        "add \"hosts\": [\"127.0.0.1\"] to API.auth if that host is to get them");
    assert_int_equal(atomic_load(&f->clock.monotonic_us), 1);
    // An absolute URL on the API's own host is as good as a relative one.
    const struct http_request own = {.method = STR("GET"),
                                     .url = str_from(http_server_url(f->server))};
    expect_sent(f, &own, 200);
    expect_in_request(f, 0, "Authorization: Bearer s3cret");
    http_api_free(f->api);
    f->api = NULL;
    str_list_push(&f->arena, &f->config.auth_hosts, STR("127.0.0.1"));
    expect_sent(f, &request, 200);
    expect_in_request(other, 2, "Authorization: Bearer s3cret");
    fixture_stop(other);
    fixture_stop(f);
}

static void without_base_url_every_request_gets_them(void **state) {
    (void)state;
    struct fixture *f = START(echo_step);
    f->config.base_url = (str){0};
    f->config.auth = (struct http_auth){.kind = HTTP_AUTH_BEARER, .secret = STR("s3cret")};
    const struct http_request request = {.method = STR("GET"),
                                         .url = str_from(http_server_url(f->server))};
    expect_sent(f, &request, 200);
    expect_in_request(f, 0, "Authorization: Bearer s3cret");
    fixture_stop(f);
}

static void redirects_follow_the_rules_of_their_status(void **state) {
    (void)state;
    static const struct {
        const char *reply;
        const char *line;
        bool has_body;
    } cases[] = {
        {STATUS("301 Moved", "Location: /b\r\n"), "GET /b HTTP/1.1", false},
        {STATUS("302 Found", "Location: b?c=1\r\n"), "GET /b?c=1 HTTP/1.1", false},
        {STATUS("303 Other", "Location: /b#x\r\n"), "GET /b HTTP/1.1", false},
        {STATUS("307 Temp", "Location: /b\r\n"), "POST /b HTTP/1.1", true},
        {STATUS("308 Perm", "Location: /b\r\n"), "POST /b HTTP/1.1", true},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct http_server_step steps[] = {{.reply = cases[i].reply}, {.reply = OK}};
        struct fixture *f = START(steps);
        f->config.auth = (struct http_auth){.kind = HTTP_AUTH_BEARER, .secret = STR("s3cret")};
        expect_sent(f,
                    &(struct http_request){.method = STR("POST"),
                                           .url = STR("/a"),
                                           .has_body = true,
                                           .body = STR("payload"),
                                           .content_type = STR("text/x")},
                    200);
        expect_in_request(f, 1, cases[i].line);
        expect_in_request(f, 1, "Authorization: Bearer s3cret");
        assert_int_equal(request_has(f, 1, "payload"), cases[i].has_body);
        assert_int_equal(request_has(f, 1, "text/x"), cases[i].has_body);
        fixture_stop(f);
    }
}

static void a_redirect_to_another_host_takes_no_credential_along(void **state) {
    (void)state;
    static const struct http_auth auths[] = {
        {.kind = HTTP_AUTH_BEARER, .secret = STR_INIT("s3cret")},
        {.kind = HTTP_AUTH_HEADER, .name = STR_INIT("X-Key"), .secret = STR_INIT("s3cret")},
        {.kind = HTTP_AUTH_PARAM, .name = STR_INIT("k"), .secret = STR_INIT("s3cret")},
        {.kind = HTTP_AUTH_BASIC, .user = STR_INIT("u"), .secret = STR_INIT("s3cret")},
    };
    for (size_t i = 0; i < ARRAY_COUNT(auths); i++) {
        struct fixture *other = START(echo_step);
        char reply[256];
        (void)snprintf(reply, sizeof(reply), STATUS("307 Temp", "Location: %s/there\r\n"),
                       http_server_url(other->server));
        const struct http_server_step steps[] = {{.reply = reply}};
        struct fixture *f = START(steps);
        f->config.auth = auths[i];
        http_headers_add(&f->arena, &f->config.headers, STR("X-Default-Key"), STR("d3fault"));
        struct http_header own[] = {{.name = STR("Cookie"), .value = STR("c00kie")},
                                    {.name = STR("Accept"), .value = STR("text/csv")}};
        struct http_request request = GET;
        request.headers = (struct http_headers){own, 2, 2};
        expect_sent(f, &request, 200);
        expect_in_request(other, 0, "GET /there HTTP/1.1\r\n");
        expect_in_request(other, 0, "Accept: text/csv\r\n");
        expect_not_in_request(other, 0, "s3cret");
        expect_not_in_request(other, 0, "d3fault");
        expect_not_in_request(other, 0, "c00kie");
        expect_not_in_request(other, 0, "Basic");
        fixture_stop(f);
        fixture_stop(other);
    }
}

static void redirects_end_after_ten(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {
        {.reply = STATUS("302 Found", "Location: /again\r\n")}};
    struct fixture *f = START(steps);
    f->config.retry = 2;
    assert_int_equal(send_request(f, &GET), ERROR_REMOTE);
    expect_message(f, "http.get http://HOST/items: more than 10 redirects after 1 attempt (0.0s)");
    assert_int_equal(http_server_request_count(f->server), 11);
    struct http_request request = GET;
    request.keep_redirects = true;
    expect_sent(f, &request, 302);
    fixture_stop(f);
}

static void redirects_out_of_http_are_refused(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {
        {.reply = STATUS("302 Found", "Location: file:///etc/passwd\r\n")}};
    struct fixture *f = START(steps);
    assert_int_equal(send_request(f, &GET), ERROR_REMOTE);
    expect_message(f,
                   "http.get http://HOST/items: redirected to \"file:///etc/passwd\", which is no "
                   "http URL after 1 attempt (0.0s)");
    fixture_stop(f);
}

#define CHALLENGE(nonce, more)                                                                     \
    STATUS("401 Who",                                                                              \
           "WWW-Authenticate: Digest realm=\"r\", nonce=\"" nonce "\", qop=\"auth\"" more "\r\n")

static void digest_answers_the_challenge_and_counts_the_nonce(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = CHALLENGE("one", "")},
                                                    {.reply = OK},
                                                    {.reply = OK},
                                                    {.reply = CHALLENGE("two", ", stale=true")},
                                                    {.reply = OK}};
    struct fixture *f = START(steps);
    const struct http_auth auth = {
        .kind = HTTP_AUTH_DIGEST, .user = STR("u\"ser"), .secret = STR("p")};
    struct http_request request = GET;
    request.url = STR("/items?a=1");
    request.auth = &auth;
    expect_sent(f, &request, 200);
    assert_int_equal(f->response.attempts, 1); // the challenge round is no retry
    expect_not_in_request(f, 0, "Authorization");
    expect_in_request(f, 1,
                      "Authorization: Digest username=\"u\\\"ser\", realm=\"r\", nonce=\"one\"");
    expect_in_request(f, 1, "uri=\"/items?a=1\"");
    expect_in_request(f, 1, "nc=00000001");
    expect_sent(f, &request, 200);
    expect_in_request(f, 2, "nonce=\"one\"");
    expect_in_request(f, 2, "nc=00000002");
    expect_sent(f, &request, 200);
    expect_in_request(f, 3, "nc=00000003");
    expect_in_request(f, 4, "nonce=\"two\"");
    expect_in_request(f, 4, "nc=00000001");
    fixture_stop(f);
}

static void digest_gives_up_on_a_wrong_password(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = CHALLENGE("one", "")}};
    struct fixture *f = START(steps);
    const struct http_auth auth = {.kind = HTTP_AUTH_DIGEST, .user = STR("u"), .secret = STR("p")};
    struct http_request request = GET;
    request.auth = &auth;
    expect_sent(f, &request, 401);
    assert_int_equal(http_server_request_count(f->server), 2);
    fixture_stop(f);
}

static enum error_code next_token(void *self, str refused, struct arena *arena, str *token,
                                  struct error *err) {
    (void)self;
    (void)arena;
    (void)err;
    *token = str_is_empty(refused) ? STR("old") : STR("new");
    return ERROR_NONE;
}

static void a_refused_token_is_replaced_once(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = STATUS("401 Who", "")},
                                                    {.reply = OK}};
    struct fixture *f = START(steps);
    f->config.auth = (struct http_auth){.kind = HTTP_AUTH_TOKEN, .source = {.get = next_token}};
    expect_sent(f, &GET, 200);
    expect_in_request(f, 0, "Authorization: Bearer old");
    expect_in_request(f, 1, "Authorization: Bearer new");
    fixture_stop(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_send_what_they_promise),
        cmocka_unit_test(variables_must_be_set),
        cmocka_unit_test(grants_are_not_supported_yet),
        cmocka_unit_test(a_call_with_its_own_authorization_keeps_it),
        cmocka_unit_test(foreign_hosts_get_no_credentials_unless_listed),
        cmocka_unit_test(without_base_url_every_request_gets_them),
        cmocka_unit_test(redirects_follow_the_rules_of_their_status),
        cmocka_unit_test(a_redirect_to_another_host_takes_no_credential_along),
        cmocka_unit_test(redirects_end_after_ten),
        cmocka_unit_test(redirects_out_of_http_are_refused),
        cmocka_unit_test(digest_answers_the_challenge_and_counts_the_nonce),
        cmocka_unit_test(digest_gives_up_on_a_wrong_password),
        cmocka_unit_test(a_refused_token_is_replaced_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
