// http_send against a real server that follows a script; only the clock is fake.
#include "http/fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void get_gives_status_headers_and_body(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {
        {.reply = "HTTP/1.1 201 Created\r\nx-a: 1\r\nX-A:  2 \r\nContent-Length: 5\r\n\r\nhello"}};
    struct fixture *f = START(steps);
    expect_sent(f, &GET, 201);
    assert_int_equal(f->response.body_size, 5);
    assert_memory_equal(f->response.body, "hello\0\0\0\0", 9);
    assert_true(str_equal(f->response.headers.items[0].name, STR("X-A")));
    assert_true(str_equal(f->response.headers.items[1].value, STR("2")));
    assert_true(str_equal(f->response.reason, STR("Created")));
    expect_in_request(f, 0, "GET /items HTTP/1.1\r\n");
    expect_in_request(f, 0, "User-Agent: coypu/" COYPU_VERSION "\r\n");
    expect_in_request(f, 0, "Accept-Encoding: gzip, deflate\r\n");
    expect_not_in_request(f, 0, "Content-Type");
    fixture_stop(f);
}

static void one_connection_serves_many_requests(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = OK}};
    struct fixture *f = START(steps);
    for (int i = 0; i < 5; i++) {
        expect_sent(f, &GET, 200);
    }
    assert_int_equal(http_server_connection_count(f->server), 1);
    assert_int_equal(http_server_request_count(f->server), 5);
    fixture_stop(f);
}

static void bodies_are_sent_as_they_are(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = OK}};
    struct fixture *f = START(steps);
    expect_sent(f,
                &(struct http_request){.method = STR("POST"),
                                       .url = STR("/items?a=1"),
                                       .has_body = true,
                                       .body = STR("{\"b\":2}"),
                                       .content_type = STR("application/json")},
                200);
    expect_in_request(f, 0, "POST /items?a=1 HTTP/1.1\r\n");
    expect_in_request(f, 0, "Content-Type: application/json\r\n");
    expect_in_request(f, 0, "Content-Length: 7\r\n");
    expect_in_request(f, 0, "\r\n\r\n{\"b\":2}");
    expect_sent(f, &(struct http_request){.method = STR("PUT"), .url = STR("/x")}, 200);
    expect_in_request(f, 1, "PUT /x HTTP/1.1\r\n");
    expect_in_request(f, 1, "Content-Length: 0\r\n");
    expect_not_in_request(f, 1, "Content-Type");
    expect_sent(f, &(struct http_request){.method = STR("DELETE"), .url = STR("/x")}, 200);
    expect_in_request(f, 2, "DELETE /x HTTP/1.1\r\n");
    fixture_stop(f);
}

static void head_has_no_body(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {
        {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"}};
    struct fixture *f = START(steps);
    expect_sent(f, &(struct http_request){.method = STR("HEAD"), .url = STR("/x")}, 200);
    assert_int_equal(f->response.body_size, 0);
    fixture_stop(f);
}

static void headers_of_the_call_win(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = OK}};
    struct fixture *f = START(steps);
    http_headers_add(&f->arena, &f->config.headers, STR("Accept"), STR("text/csv"));
    http_headers_add(&f->arena, &f->config.headers, STR("X-Keep"), STR("1"));
    http_headers_add(&f->arena, &f->config.headers, STR("X-Gone"), STR("1"));
    struct http_header own[] = {{.name = STR("accept"), .value = STR("text/xml")},
                                {.name = STR("x-gone"), .removes = true},
                                {.name = STR("User-Agent"), .value = STR("me")},
                                {.name = STR("X-Empty"), .value = STR("")}};
    struct http_request request = GET;
    request.headers = (struct http_headers){own, ARRAY_COUNT(own), ARRAY_COUNT(own)};
    expect_sent(f, &request, 200);
    expect_in_request(f, 0, "accept: text/xml\r\n");
    expect_not_in_request(f, 0, "text/csv");
    expect_in_request(f, 0, "X-Keep: 1\r\n");
    expect_not_in_request(f, 0, "X-Gone");
    expect_in_request(f, 0, "User-Agent: me\r\n");
    expect_in_request(f, 0, "X-Empty:\r\n");
    own[0].value = STR("a\nb: c");
    assert_int_equal(send_request(f, &request), ERROR_INVALID);
    expect_message(f, "http.get http://HOST/items: the value of header accept holds a line break "
                      "or NUL");
    assert_int_equal(http_server_request_count(f->server), 1);
    fixture_stop(f);
}

static void statuses_429_and_5xx_are_retried_with_backoff(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {
        {.reply = STATUS("500 Oops", "")},
        {.reply = STATUS("429 Slow", ""), .then = HTTP_SERVER_CLOSE},
        {.reply = NULL, .then = HTTP_SERVER_CLOSE},
        {.reply = OK},
    };
    struct fixture *f = START(steps);
    f->config.retry = 3;
    expect_sent(f, &GET, 200);
    assert_int_equal(f->response.attempts, 4);
    assert_int_equal(atomic_load(&f->clock.sleep_count), 3);
    assert_int_equal(f->clock.sleeps_us[0], 1000000);
    assert_int_equal(f->clock.sleeps_us[1], 2000000);
    assert_int_equal(f->clock.sleeps_us[2], 4000000);
    fixture_stop(f);
}

static void the_last_failure_status_is_a_response(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {
        {.reply = "HTTP/1.1 503 Busy\r\nContent-Length: 15\r\n\r\n{\"err\": \"busy\"}"}};
    struct fixture *f = START(steps);
    const struct http_request request = {
        .method = STR("POST"), .url = STR("/v1?token=abc"), .has_retry = true, .retry = 3};
    expect_sent(f, &request, 503);
    assert_int_equal(http_status_error(&request, &f->response, &f->err), ERROR_REMOTE);
    expect_message(f,
                   "http.post http://HOST/v1?token=[REDACTED]: HTTP 503 after 4 attempts (7.0s): "
                   "{\"err\": \"busy\"}");
    fixture_stop(f);
}

static void other_statuses_are_not_retried(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = STATUS("404 No", "")}};
    struct fixture *f = START(steps);
    f->config.retry = 3;
    expect_sent(f, &GET, 404);
    assert_int_equal(http_server_request_count(f->server), 1);
    fixture_stop(f);
}

static void an_explicit_retry_of_0_turns_retry_off(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = STATUS("500 Oops", "")}};
    struct fixture *f = START(steps);
    f->config.retry = 3;
    struct http_request request = GET;
    request.has_retry = true;
    expect_sent(f, &request, 500);
    assert_int_equal(http_server_request_count(f->server), 1);
    fixture_stop(f);
}

static void retry_after_is_waited_for_in_all_its_forms(void **state) {
    (void)state;
    static const struct {
        const char *reply;
        int64_t wait_us;
    } cases[] = {
        {STATUS("429 Slow", "Retry-After: 7\r\n"), 7000000},
        {STATUS("503 Busy", "Retry-After: Tue, 02 Jan 2024 03:04:35 GMT\r\n"), 30000000},
        {STATUS("503 Busy", "Retry-After: Tuesday, 02-Jan-24 03:04:35 GMT\r\n"), 30000000},
        {STATUS("503 Busy", "Retry-After: Tue Jan  2 03:04:35 2024\r\n"), 30000000},
        {STATUS("503 Busy", "Retry-After: Mon, 01 Jan 2024 00:00:00 GMT\r\n"), 0},
        {STATUS("503 Busy", "Retry-After: soon\r\n"), 1000000},
        {STATUS("500 Oops", "Retry-After: 7\r\n"), 1000000},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct http_server_step steps[] = {{.reply = cases[i].reply}, {.reply = OK}};
        struct fixture *f = START(steps);
        f->config.retry = 1;
        expect_sent(f, &GET, 200);
        if (f->clock.sleeps_us[0] != cases[i].wait_us) {
            fail_msg("%s: waited %lld us", cases[i].reply, (long long)f->clock.sleeps_us[0]);
        }
        fixture_stop(f);
    }
}

static void a_retry_after_beyond_five_minutes_fails_at_once(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {
        {.reply = STATUS("429 Slow", "Retry-After: 3600\r\n")}};
    struct fixture *f = START(steps);
    f->config.retry = 3;
    assert_int_equal(send_request(f, &GET), ERROR_REMOTE);
    expect_message(f, "http.get http://HOST/items: HTTP 429 asks to wait 3600s, more than the 300s "
                      "we wait, after 1 attempt (0.0s)");
    struct http_request request = GET;
    request.keep_statuses = true;
    expect_sent(f, &request, 429);
    assert_int_equal(atomic_load(&f->clock.sleep_count), 0);
    fixture_stop(f);
}

static void transport_failures_say_what_happened(void **state) {
    (void)state;
    static const struct {
        struct http_server_step step;
        const char *cause;
    } cases[] = {
        {{.reply = NULL, .then = HTTP_SERVER_CLOSE},
         "the server closed the connection without an answer"},
        {{.reply = NULL, .then = HTTP_SERVER_RESET}, "connection reset"},
        {{.reply = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", .then = HTTP_SERVER_CLOSE},
         "the response was cut off after 3 bytes"},
        {{.reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
          .then = HTTP_SERVER_CLOSE},
         "the response was cut off after 2 bytes"},
        {{.reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
          .then = HTTP_SERVER_CLOSE},
         "the response was cut off after 2 bytes"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct fixture *f = fixture_start(&cases[i].step, 1);
        f->config.retry = 1;
        assert_int_equal(send_request(f, &GET), ERROR_NETWORK);
        const str expected = str_format(
            &f->arena, "http.get http://HOST/items: %s after 2 attempts (1.0s)", cases[i].cause);
        expect_message(f, str_to_cstring(&f->arena, expected));
        fixture_stop(f);
    }
}

static void a_closed_port_is_a_refused_connection(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = OK}};
    struct fixture *gone = START(steps);
    char url[64];
    (void)snprintf(url, sizeof(url), "%s", http_server_url(gone->server));
    fixture_stop(gone);
    struct fixture *f = START(steps);
    const struct http_request request = {.method = STR("GET"), .url = str_from(url)};
    assert_int_equal(send_request(f, &request), ERROR_NETWORK);
    assert_non_null(strstr(f->err.message, ": connection refused after 1 attempt (0.0s)"));
    fixture_stop(f);
}

static void an_idle_connection_closed_by_the_server_is_opened_again(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = OK, .then = HTTP_SERVER_CLOSE},
                                                    {.reply = OK}};
    struct fixture *f = START(steps);
    expect_sent(f, &GET, 200);
    expect_sent(f, &GET, 200);
    assert_int_equal(http_server_request_count(f->server), 2);
    fixture_stop(f);
}

static void a_silent_server_times_out(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {
        {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nslo", .then = HTTP_SERVER_HANG}};
    struct fixture *f = START(steps);
    f->config.timeout_us = 60000;
    assert_int_equal(send_request(f, &GET), ERROR_TIMEOUT);
    expect_message(f, "http.get http://HOST/items: timed out after 1 attempt (0.0s)");
    fixture_stop(f);
}

static void *raise_when_asked(void *self) {
    struct fixture *f = self;
    while (http_server_request_count(f->server) == 0) {
        (void)usleep(1000);
    }
    interrupt_raise(&f->interrupt);
    return NULL;
}

static void an_interrupt_ends_a_request_at_once(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = NULL, .then = HTTP_SERVER_HANG}};
    struct fixture *f = START(steps);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, raise_when_asked, f), 0);
    const struct clock clock = clock_system();
    const int64_t start_us = clock_monotonic_us(&clock);
    assert_int_equal(send_request(f, &GET), ERROR_CANCELLED);
    assert_true(clock_monotonic_us(&clock) - start_us < 900000);
    expect_message(f, "http.get http://HOST/items: interrupted after 1 attempt (0.0s)");
    (void)pthread_join(thread, NULL);
    fixture_stop(f);
}

static void a_body_over_the_limit_is_an_error(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = OK}};
    struct fixture *f = START(steps);
    f->config.body_size_max = 1;
    f->config.retry = 3;
    assert_int_equal(send_request(f, &GET), ERROR_LIMIT);
    expect_message(f, "http.get http://HOST/items: the response is larger than 1 bytes after 1 "
                      "attempt (0.0s)");
    fixture_stop(f);
}

static void gzip_is_decoded(void **state) {
    (void)state;
    static const char reply[] =
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 25\r\n"
        "\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xcb\x48\xcd\xc9\xc9"
        "\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00";
    static const struct http_server_step steps[] = {
        {.reply = reply, .reply_size = sizeof(reply) - 1}};
    struct fixture *f = START(steps);
    expect_sent(f, &GET, 200);
    assert_int_equal(f->response.body_size, 5);
    assert_memory_equal(f->response.body, "hello", 5);
    fixture_stop(f);
}

static void text_is_decoded_by_charset(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {
        {.reply = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=ISO-8859-1\r\n"
                  "Content-Length: 3\r\n\r\na\xe5!"},
        {.reply = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\xe5!"}};
    struct fixture *f = START(steps);
    expect_sent(f, &GET, 200);
    assert_true(str_equal(http_response_text(&f->response, &f->arena), STR("aå!")));
    expect_sent(f, &GET, 200);
    assert_true(str_equal(http_response_text(&f->response, &f->arena), STR("a\xEF\xBF\xBD!")));
    fixture_stop(f);
}

static void uploads_stream_a_file_behind_its_fields(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = OK}};
    struct fixture *f = START(steps);
    char path[] = "/tmp/coypu-upload-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, "a,b\n", 4) == 4);
    (void)close(fd);
    struct http_upload upload = {
        .path = str_from(path), .field = STR("data"), .filename = STR("rows.csv")};
    url_params_add(&f->arena, &upload.fields, STR("first"), STR("1"));
    url_params_add(&f->arena, &upload.fields, STR("second"), STR("2"));
    expect_sent(
        f,
        &(struct http_request){
            .label = "http.upload", .method = STR("POST"), .url = STR("/up"), .upload = &upload},
        200);
    expect_in_request(f, 0, "Content-Type: multipart/form-data; boundary=");
    expect_in_request(f, 0, "Content-Disposition: form-data; name=\"data\"; filename=\"rows.csv\"");
    expect_in_request(f, 0, "Content-Type: text/csv\r\n");
    const char *request = http_server_request(f->server, 0);
    assert_true(strstr(request, "first") < strstr(request, "second"));
    assert_true(strstr(request, "second") < strstr(request, "a,b\n"));
    (void)unlink(path);
    fixture_stop(f);
}

static void every_request_takes_a_place_in_the_rate_limit(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {
        {.reply = STATUS("500 Oops", "")},
        {.reply = STATUS("302 Go", "Location: /there\r\n")},
        {.reply = OK}};
    struct fixture *f = START(steps);
    f->config.rate_limit = rate_limit_new(1, 10000000);
    f->config.retry = 1;
    expect_sent(f, &GET, 200);
    // backoff 1 s, then 9 s and 10 s for the two further places
    assert_int_equal(f->clock.sleeps_us[0], 1000000);
    assert_int_equal(f->clock.sleeps_us[1], 9000000);
    assert_int_equal(f->clock.sleeps_us[2], 10000000);
    rate_limit_free(f->config.rate_limit);
    fixture_stop(f);
}

static void proxies_come_from_the_environment(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = OK}};
    struct fixture *f = START(steps);
    environment_set(&f->environment, STR("HTTP_PROXY"), str_from(http_server_url(f->server)));
    environment_set(&f->environment, STR("NO_PROXY"), STR("direct.invalid"));
    const struct http_request request = {.method = STR("GET"), .url = STR("http://api.invalid/x")};
    expect_sent(f, &request, 200);
    expect_in_request(f, 0, "GET http://api.invalid/x HTTP/1.1\r\n");
    const struct http_request direct = {.method = STR("GET"),
                                        .url = STR("http://direct.invalid/x")};
    assert_int_equal(send_request(f, &direct), ERROR_NETWORK);
    expect_message(f,
                   "http.get http://direct.invalid/x: cannot resolve host direct.invalid after 1 "
                   "attempt (0.0s)");
    expect_sent(f, &GET, 200); // loopback never goes through a proxy
    expect_in_request(f, 1, "GET /items HTTP/1.1\r\n");
    fixture_stop(f);
}

static void a_certificate_needs_its_key(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = OK}};
    struct fixture *f = START(steps);
    struct http_request request = GET;
    request.cert = STR("/c.pem");
    assert_int_equal(send_request(f, &request), ERROR_INVALID);
    expect_message(f, "http.get http://HOST/items: cert and key must be given together");
    fixture_stop(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_gives_status_headers_and_body),
        cmocka_unit_test(one_connection_serves_many_requests),
        cmocka_unit_test(bodies_are_sent_as_they_are),
        cmocka_unit_test(head_has_no_body),
        cmocka_unit_test(headers_of_the_call_win),
        cmocka_unit_test(statuses_429_and_5xx_are_retried_with_backoff),
        cmocka_unit_test(the_last_failure_status_is_a_response),
        cmocka_unit_test(other_statuses_are_not_retried),
        cmocka_unit_test(an_explicit_retry_of_0_turns_retry_off),
        cmocka_unit_test(retry_after_is_waited_for_in_all_its_forms),
        cmocka_unit_test(a_retry_after_beyond_five_minutes_fails_at_once),
        cmocka_unit_test(transport_failures_say_what_happened),
        cmocka_unit_test(a_closed_port_is_a_refused_connection),
        cmocka_unit_test(an_idle_connection_closed_by_the_server_is_opened_again),
        cmocka_unit_test(a_silent_server_times_out),
        cmocka_unit_test(an_interrupt_ends_a_request_at_once),
        cmocka_unit_test(a_body_over_the_limit_is_an_error),
        cmocka_unit_test(gzip_is_decoded),
        cmocka_unit_test(text_is_decoded_by_charset),
        cmocka_unit_test(uploads_stream_a_file_behind_its_fields),
        cmocka_unit_test(proxies_come_from_the_environment),
        cmocka_unit_test(a_certificate_needs_its_key),
        cmocka_unit_test(every_request_takes_a_place_in_the_rate_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
