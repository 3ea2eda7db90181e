#ifndef TESTS_RUN_FIXTURE_H
#define TESTS_RUN_FIXTURE_H

// A project in a temporary folder, run for real on a SQLite-backed lake.

#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/error_render.h"
#include "base/file.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/lake.h"
#include "lake/result.h"
#include "run/run.h"

struct project_fixture {
    struct arena arena;
    struct environment environment;
    struct context context;
    char folder[64];
    struct run_summary summary;
    struct error_list errors; // of run_project
    struct text lines;        // one a model: "[ok] target type rows reason"
    struct text shapes;       // one a model that was evaluated: "target: affected keys"
    struct text messages;     // errors and warnings of the models, rendered
};

static inline void project_write(struct project_fixture *f, const char *path, const char *content) {
    struct error err;
    const str full = str_format(&f->arena, "%s/%s", f->folder, path);
    if (directory_create(path_directory(full), 0755, &err) != ERROR_NONE ||
        file_write_atomic(full, str_from(content), 0644, &err) != ERROR_NONE) {
        fail_msg("%s", err.message);
    }
}

static inline void project_remove(struct project_fixture *f, const char *path) {
    (void)unlink(str_to_cstring(&f->arena, str_format(&f->arena, "%s/%s", f->folder, path)));
}

static inline void project_init_fixture(struct project_fixture *f) {
    *f = (struct project_fixture){0};
    arena_init(&f->arena);
    environment_init(&f->environment, &f->arena, true);
    environment_set(&f->environment, STR("COYPU_DEPS_DIR"), STR(COYPU_DEPS_DIR));
    f->context = (struct context){.clock = clock_system(), .environment = &f->environment};
    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/coypu-model-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    project_write(f, "config/catalog.sql",
                  "ATTACH 'ducklake:sqlite:lake.sqlite' AS lake (DATA_PATH 'data/');\n");
}

static inline void project_done_fixture(struct project_fixture *f) {
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", f->folder);
    if (system(command) != 0) {
        print_error("%s is left behind\n", f->folder);
    }
    environment_done(&f->environment);
    arena_done(&f->arena);
}

static inline void project_result(void *self, const struct run_result *result) {
    struct project_fixture *f = self;
    text_format(&f->lines,
                "[" STR_FORMAT "] " STR_FORMAT " " STR_FORMAT " %lld " STR_FORMAT STR_FORMAT "\n",
                STR_ARGS(run_status_name(result->status)), STR_ARGS(result->model->target),
                STR_ARGS(run_type_name(result->run_type)), (long long)result->rows,
                STR_ARGS(result->skipped_because.size > 0 ? STR("because ") : result->reason),
                STR_ARGS(result->skipped_because));
    if (result->shape.size > 0) {
        text_format(&f->shapes, STR_FORMAT ": " STR_FORMAT "\n", STR_ARGS(result->model->target),
                    STR_ARGS(result->shape));
    }
    for (size_t i = 0; i < result->errors.count; i++) {
        error_render_text(&f->messages, &result->errors.items[i], "error");
    }
    for (size_t i = 0; i < result->warnings.count; i++) {
        error_render_text(&f->messages, &result->warnings.items[i], "warning");
    }
}

static inline enum error_code project_run_with(struct project_fixture *f,
                                               struct run_options options) {
    text_init(&f->lines, &f->arena);
    text_init(&f->shapes, &f->arena);
    text_init(&f->messages, &f->arena);
    error_list_init(&f->errors, &f->arena);
    options.context = &f->context;
    options.project = str_from(f->folder);
    options.events = (struct run_events){.finished = project_result, .self = f};
    return run_project(&options, &f->summary, &f->errors);
}

static inline void project_run(struct project_fixture *f) {
    if (project_run_with(f, (struct run_options){0}) != ERROR_NONE) {
        fail_msg("%s", f->errors.items[f->errors.count - 1].message);
    }
}

// The rows of a query on the project's lake, columns separated by | and rows by newlines.
static inline const char *project_query(struct project_fixture *f, const char *sql) {
    struct error err;
    struct lake *lake = NULL;
    struct lake_connection *connection = NULL;
    const struct lake_options options = {0};
    struct text out;
    text_init(&out, &f->arena);
    if (lake_open(&f->context, &options, &lake, &err) != ERROR_NONE ||
        lake_connect(lake, &connection, &err) != ERROR_NONE) {
        fail_msg("%s", err.message);
    }
    const str attach =
        str_format(&f->arena, "ATTACH 'ducklake:sqlite:%s/lake.sqlite' AS lake", f->folder);
    LAKE_RESULT result = NULL;
    if (lake_attach(connection, STR("config/catalog.sql"), attach, &(struct lake_attach_options){0},
                    &err) != ERROR_NONE ||
        lake_query(connection, str_from(sql), LAKE_NO_VALUES, &result, &err) != ERROR_NONE) {
        fail_msg("%s: %s", sql, err.message);
    }
    while (lake_result_next(result)) {
        for (size_t i = 0; i < lake_result_column_count(result); i++) {
            text_add(&out, i > 0 ? STR("|") : STR(""));
            text_add(&out,
                     lake_result_is_null(result, i) ? STR("NULL") : lake_result_text(result, i));
        }
        text_add_char(&out, '\n');
    }
    lake_result_free(result);
    result = NULL;
    lake_close(lake);
    return text_cstring(&out);
}

static inline int64_t project_snapshots(struct project_fixture *f) {
    return strtoll(project_query(f, "SELECT max(snapshot_id) FROM lake.snapshots()"), NULL, 10);
}

#define ASSERT_LINES(f, expected) assert_string_equal(text_cstring(&(f)->lines), expected)
#define ASSERT_SHAPES(f, expected) assert_string_equal(text_cstring(&(f)->shapes), expected)
#define ASSERT_MESSAGES(f, expected) assert_string_equal(text_cstring(&(f)->messages), expected)

#endif
