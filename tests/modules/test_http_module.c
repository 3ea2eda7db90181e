// http.* as a script sees it: arguments, response fields, and the failure nobody asked about.
#include "modules/fixture.h"

#include <pthread.h>

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define BUSY "HTTP/1.1 503 Busy\r\nContent-Length: 15\r\n\r\n{\"err\": \"busy\"}"

static struct fixture *serve(const struct http_server_step *steps, size_t count) {
    struct fixture *f = fixture_new();
    fixture_serve(f, steps, count);
    return f;
}
#define SERVE(steps) serve(steps, ARRAY_COUNT(steps))

static void expect_request(struct fixture *f, size_t index, const char *part) {
    const char *request = http_server_request(f->server, index);
    assert_non_null(request);
    if (strstr(request, part) == NULL) {
        fail_msg("request %zu has no \"%s\":\n%s", index, part, request);
    }
}

static void response_fields(void **state) {
    (void)state;
    static const char body[] = "{\"id\": 9007199254740993, \"x\": 1.0, \"l\": [true, null]}";
    static char reply[512];
    (void)snprintf(reply, sizeof(reply),
                   "HTTP/1.1 200 OK\r\nx-rate-limit: 5\r\nSet-Cookie: a\r\nset-cookie: b\r\n"
                   "Link: </next>; rel=\"next\"\r\nContent-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
    static const struct http_server_step steps[] = {{.reply = reply}};
    struct fixture *f = SERVE(steps);
    expect_body(f, "r = http.get('/a'); return [r.status_code, r.ok, r.url]",
                "[200, True, \"http://HOST/a\"]");
    expect_result(f, "http.get('/a').json",
                  "{\"id\": 9007199254740993, \"x\": 1.0, \"l\": [True, None]}");
    expect_result(f, "http.get('/a').json['id'] + 1", "9007199254740994");
    expect_result(f, "http.get('/a').text[:5]", "\"{\\\"id\\\"\"");
    expect_result(f, "http.get('/a').bytes[:2]", "b\"{\\\"\"");
    expect_result(f, "http.get('/a').headers",
                  "{\"X-Rate-Limit\": \"5\", \"Set-Cookie\": [\"a\", \"b\"], \"Link\": "
                  "\"</next>; rel=\\\"next\\\"\", \"Content-Length\": \"53\", "
                  "\"_links\": {\"next\": \"http://HOST/next\"}}");
    fixture_free(f);
}

static void json_is_none_when_it_is_not_json(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = OK}};
    struct fixture *f = SERVE(steps);
    expect_result(f, "http.get('/a').json", "None");
    fixture_free(f);
}

static void bodies(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = OK}};
    struct fixture *f = SERVE(steps);
    expect_result(
        f, "http.post('/a', json={'b': 1, 'a': [1.0, 1e6, None, True, 2 << 70], 'é': (1,)}).ok",
        "True");
    expect_request(f, 0, "Content-Type: application/json\r\n");
    expect_request(
        f, 0, "\r\n\r\n{\"b\":1,\"a\":[1.0,1e+06,null,true,2361183241434822606848],\"é\":[1]}");
    expect_result(f, "http.put('/a', json='{}').ok", "True");
    expect_request(f, 1, "\r\n\r\n{}");
    expect_result(f, "http.post('/a', data={'b': 1, 'a': ['x y', True], 'n': None}).ok", "True");
    expect_request(f, 2, "Content-Type: application/x-www-form-urlencoded\r\n");
    expect_request(f, 2, "\r\n\r\nb=1&a=x+y&a=true");
    expect_result(f, "http.patch('/a', body=b'raw').ok", "True");
    expect_request(f, 3, "\r\n\r\nraw");
    expect_result(f, "http.request('purge', '/a', headers={'X-N': 5}, params=[('q', 1)]).ok",
                  "True");
    expect_request(f, 4, "PURGE /a?q=1 HTTP/1.1\r\n");
    expect_request(f, 4, "X-N: 5\r\n");
    expect_result(f, "http.get('/a', auth=('u', 'p')).ok", "True");
    expect_request(f, 5, "Authorization: Basic dTpw\r\n");
    fixture_free(f);
}

static void uploads(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = OK}};
    struct fixture *f = SERVE(steps);
    fixture_file(f, "rows.csv", "a,b");
    expect_result(f, "http.upload('/up', 'rows.csv', fields={'k': 1}).ok", "True");
    expect_request(f, 0, "POST /up HTTP/1.1\r\n");
    expect_request(f, 0, "name=\"file\"; filename=\"rows.csv\"");
    expect_request(f, 0, "name=\"k\"\r\n\r\n1\r\n");
    expect_result(f, "http.upload('/up', '/etc/passwd')",
                  "error: http.upload: file: /etc/passwd is outside the project; to allow it, set "
                  "COYPU_ALLOW_PATHS=/etc");
    fixture_free(f);
}

static void wrong_arguments_are_named(void **state) {
    (void)state;
    static const struct value_case cases[] = {
        {"http.get(1)", "error: http.get: url: got int, want string"},
        {"http.get('/a')", "error: http.get /a: \"/a\" is relative and the API has no base_url"},
        {"http.get('http://x', headers=[])", "error: http.get: headers: got list, want dict"},
        {"http.get('http://x', headers={'A': []})",
         "error: http.get: headers: got list, want string, int, float or bool"},
        {"http.get('http://x', params='a')",
         "error: http.get: params: got string, want dict or list of pairs"},
        {"http.get('http://x', params=[('a',)])", "error: http.get: params: item 0 is not a pair"},
        {"http.get('http://x', params={'a': float('nan')})",
         "error: http.get: params: cannot send a float that is not finite"},
        {"http.get('http://x', timeout=0)", "error: http.get: timeout: must be greater than 0"},
        {"http.get('http://x', timeout='5')", "error: http.get: timeout: got string, want number"},
        {"http.get('http://x', retry=-1)", "error: http.get: retry: must not be negative"},
        {"http.get('http://x', retry=1.5)", "error: http.get: retry: got float, want int"},
        {"http.get('http://x', auth='u')",
         "error: http.get: auth: want (user, password), (user, password, \"basic\" or \"digest\") "
         "or False"},
        {"http.post('http://x', json={}, body='')",
         "error: http.post: json, data and body exclude each other"},
        {"http.post('http://x', json={1: 2})",
         "error: http.post: json: dict has int key, want string"},
        {"http.post('http://x', json=[float('inf')])",
         "error: http.post: json: at list index 0: cannot encode non-finite float +inf"},
        {"http.post('http://x', json=[md5])", "error: http.post: json: at list index 0: cannot "
                                              "encode builtin_function_or_method as JSON"},
        {"http.get('http://x', raise_errors=1)",
         "error: http.get: raise_errors: got int, want bool"},
        {"http.get('http://x', cert='none.pem')", "error: http.get: cert: none.pem does not exist"},
        {"http.request('A B', 'http://x')", "error: http.request: \"A B\" is not a method"},
    };
    EXPECT_RESULTS(cases);
}

static void an_unknown_argument_is_an_error(void **state) {
    (void)state;
    struct fixture *f = fixture_new();
    const str got = run_body(f, "return http.get('http://x', jsn={})");
    assert_true(str_find(got, STR("http.get")) != SIZE_MAX);
    assert_true(str_find(got, STR("jsn")) != SIZE_MAX);
    fixture_free(f);
}

static void a_failure_nobody_asked_about_raises(void **state) {
    (void)state;
    static const char message[] = "http.post http://HOST/a: HTTP 503 after 1 attempt (0.0s): "
                                  "{\"err\": \"busy\"}";
    static const struct http_server_step steps[] = {{.reply = BUSY}};
    struct fixture *f = SERVE(steps);
    char error[256];
    char end[256];
    (void)snprintf(error, sizeof(error), "error: %s", message);
    (void)snprintf(end, sizeof(end), "end: %s", message);
    expect_result(f, "http.post('/a').json", error);
    expect_result(f, "http.post('/a').text", error);
    expect_result(f, "http.post('/a').headers", error);
    expect_body(f, "http.post('/a'); return 1", end);
    expect_result(f, "http.post('/a').url", end);
    expect_body(f, "r = http.post('/a'); r.ok; return r.json", "{\"err\": \"busy\"}");
    expect_result(f, "http.post('/a').status_code", "503");
    expect_result(f, "http.post('/a', raise_errors=True).ok", error);
    expect_result(f, "http.post('/a', raise_errors=False).text", "\"{\\\"err\\\": \\\"busy\\\"}\"");
    fixture_free(f);
}

static void transport_errors_are_errors_of_the_script(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = NULL, .then = HTTP_SERVER_CLOSE}};
    struct fixture *f = SERVE(steps);
    f->config.retry = 1;
    expect_result(
        f, "http.get('/a?token=abc')",
        "error: http.get http://HOST/a?token=[REDACTED]: the server closed the connection "
        "without an answer after 2 attempts (1.0s)");
    fixture_free(f);
}

enum { WORKERS = 4, CALLS = 25 };

struct worker {
    struct modules_options options;
    struct star_module *module;
    int done;
};

// A worker of a push: its own host and heap, over the module that another thread made.
static void *work(void *self) {
    struct worker *worker = self;
    struct modules_host *host = modules_host_new(&worker->options);
    struct star_thread *thread =
        star_thread_new(&(struct star_thread_options){.limits = STAR_LIMITS_DEFAULT, .user = host});
    for (int i = 0; i < CALLS; i++) {
        struct error err;
        modules_call_begin(host, &(struct modules_call){.batch_number = i});
        int64_t number = -1;
        const star_value result = star_call(thread, worker->module, "run", NULL);
        worker->done += star_get_int64(result, &number) && number == i &&
                        modules_call_end(host, &err) == ERROR_NONE;
        star_thread_reset(thread);
    }
    star_thread_free(thread);
    modules_host_free(host);
    return NULL;
}

static void workers_share_one_frozen_module(void **state) {
    (void)state;
    static const struct http_server_step steps[] = {{.reply = OK}};
    struct fixture *f = SERVE(steps);
    fixture_ready(f);
    static const char text[] = "def run():\n"
                               "    if http.post('/a', json={'n': sink.batch_number}).ok:\n"
                               "        return sink.batch_number\n";
    const struct star_source source = {.file = "lib/x.star",
                                       .text = text,
                                       .size = sizeof(text) - 1,
                                       .dialect = STAR_DIALECT_SCRIPT,
                                       .predeclared = modules_names()};
    struct star_program *program = star_compile(&source, NULL);
    assert_non_null(program);
    struct star_binding bindings[MODULES_NAME_COUNT_MAX];
    const size_t count = modules_bind(f->thread, bindings);
    const struct star_environment environment = {.predeclared = bindings,
                                                 .predeclared_count = count};
    struct star_module *module = star_module_init(f->thread, program, &environment);
    assert_non_null(module);
    star_thread_reset(f->thread);
    struct worker workers[WORKERS];
    pthread_t threads[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.options = f->options, .module = module};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < WORKERS; i++) {
        (void)pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].done, CALLS);
    }
    assert_int_equal(http_server_request_count(f->server), WORKERS * CALLS);
    assert_int_equal(http_server_connection_count(f->server), WORKERS);
    star_module_free(module);
    star_program_free(program);
    fixture_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(response_fields),
        cmocka_unit_test(json_is_none_when_it_is_not_json),
        cmocka_unit_test(bodies),
        cmocka_unit_test(uploads),
        cmocka_unit_test(wrong_arguments_are_named),
        cmocka_unit_test(an_unknown_argument_is_an_error),
        cmocka_unit_test(a_failure_nobody_asked_about_raises),
        cmocka_unit_test(workers_share_one_frozen_module),
        cmocka_unit_test(transport_errors_are_errors_of_the_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
