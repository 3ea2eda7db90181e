#ifndef MODULES_FIXTURE_H
#define MODULES_FIXTURE_H

// A Starlark thread with the modules bound to it, in a temporary project, with a fake clock.

#include "base/context.h"
#include "base/environment.h"
#include "base/file.h"
#include "base/text.h"
#include "modules/modules.h"
#include "support/fake_clock.h"
#include "support/http_server.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// 2024-01-02T03:04:05Z
static const int64_t WALL_US = INT64_C(1704164645000000);

struct fixture {
    struct arena arena;
    struct fake_clock clock;
    struct environment environment;
    struct context context;
    struct http_server *server; // NULL until a test starts one
    struct http_config config;
    struct http_api *api;
    struct modules_options options;
    struct modules_host *host;
    struct star_thread *thread;
    char project[64];
    struct error err;
};

static void no_randomness(void *self, void *bytes, size_t size) {
    (void)self;
    memset(bytes, 0, size);
}

UNUSED static struct fixture *fixture_new(void) {
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    arena_init(&f->arena);
    environment_init(&f->environment, &f->arena, false);
    f->context = (struct context){.clock = fake_clock_init(&f->clock, WALL_US),
                                  .environment = &f->environment,
                                  .random = no_randomness};
    (void)snprintf(f->project, sizeof(f->project), "/tmp/coypu-modules-XXXXXX");
    assert_non_null(mkdtemp(f->project));
    f->options = (struct modules_options){
        .context = &f->context, .project_root = str_from(f->project), .file = STR("lib/x.star")};
    f->config.name = STR("lib/x.star");
    return f;
}

UNUSED static void fixture_serve(struct fixture *f, const struct http_server_step *steps,
                                 size_t count) {
    f->server = http_server_start(steps, count);
    f->config.base_url = str_from(http_server_url(f->server));
}

UNUSED static void fixture_file(struct fixture *f, const char *name, const char *content) {
    const str path = path_join(&f->arena, str_from(f->project), str_from(name));
    assert_int_equal(directory_create(path_directory(path), 0700, &f->err), ERROR_NONE);
    assert_int_equal(file_write_atomic(path, str_from(content), 0600, &f->err), ERROR_NONE);
}

static void fixture_ready(struct fixture *f) {
    if (f->thread != NULL) {
        return;
    }
    f->api = http_api_new(&f->config);
    f->options.api = f->api;
    f->host = modules_host_new(&f->options);
    f->thread = star_thread_new(&(struct star_thread_options){.limits = STAR_LIMITS_DEFAULT,
                                                              .user = f->host,
                                                              .print = modules_host_print,
                                                              .print_user = f->host});
    assert_non_null(f->thread);
}

UNUSED static void fixture_free(struct fixture *f) {
    if (f->thread != NULL) {
        star_thread_free(f->thread);
        modules_host_free(f->host);
        http_api_free(f->api);
    }
    if (f->server != NULL) {
        http_server_stop(f->server);
    }
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", f->project);
    (void)!system(command);
    environment_done(&f->environment);
    arena_done(&f->arena);
    free(f);
}

// Runs `def run(): BODY` and gives repr() of its result, or "error: MESSAGE".
UNUSED static str run_body(struct fixture *f, const char *body) {
    fixture_ready(f);
    const str text = str_format(&f->arena, "def run():\n    %s\n", body);
    const struct star_source source = {.file = "lib/x.star",
                                       .text = text.data,
                                       .size = text.size,
                                       .dialect = STAR_DIALECT_SCRIPT,
                                       .predeclared = modules_names()};
    struct star_diagnostics diagnostics = {0};
    struct star_program *program = star_compile(&source, &diagnostics);
    if (program == NULL) {
        fail_msg("does not compile: %s: %s", body,
                 diagnostics.count > 0 ? diagnostics.items[0].message : "");
    }
    struct star_binding bindings[MODULES_NAME_COUNT_MAX];
    const struct star_environment environment = {
        .predeclared = bindings, .predeclared_count = modules_bind(f->thread, bindings)};
    struct star_module *module = star_module_init(f->thread, program, &environment);
    assert_non_null(module);
    modules_call_begin(f->host, &(struct modules_call){.abort_allowed = true, .batch_number = 7});
    star_value result = star_call(f->thread, module, "run", NULL);
    str shown = {0};
    if (!star_is_error(result)) {
        result = star_repr(f->thread, result);
        assert_true(star_get_text(result, &shown.data, &shown.size));
        shown = str_copy(&f->arena, shown);
        if (modules_call_end(f->host, &f->err) != ERROR_NONE) {
            shown = str_format(&f->arena, "end: %s", f->err.message);
        }
    } else {
        const struct star_error *error = star_thread_error(f->thread);
        const char *kind = error->status == STAR_ABORTED ? "aborted" : "error";
        shown = str_format(&f->arena, "%s: %s", kind, error->message);
    }
    star_thread_reset(f->thread);
    star_module_free(module);
    star_program_free(program);
    star_diagnostics_free(&diagnostics);
    if (f->server != NULL) {
        const str host = str_format(&f->arena, "127.0.0.1:%d", http_server_port(f->server));
        shown = str_replace_all(&f->arena, shown, host, STR("HOST"));
    }
    return shown;
}

UNUSED static void expect_body(struct fixture *f, const char *body, const char *expected) {
    const str got = run_body(f, body);
    if (!str_equal(got, str_from(expected))) {
        fail_msg("%s\n  expected %s\n  got      " STR_FORMAT, body, expected, STR_ARGS(got));
    }
}

UNUSED static void expect_result(struct fixture *f, const char *expression, const char *expected) {
    const str body = str_format(&f->arena, "return %s", expression);
    expect_body(f, str_to_cstring(&f->arena, body), expected);
}

struct value_case {
    const char *expression;
    const char *expected;
};
UNUSED static void expect_results(const struct value_case *cases, size_t count) {
    struct fixture *f = fixture_new();
    for (size_t i = 0; i < count; i++) {
        expect_result(f, cases[i].expression, cases[i].expected);
    }
    fixture_free(f);
}
#define EXPECT_RESULTS(cases) expect_results(cases, ARRAY_COUNT(cases))

#endif
