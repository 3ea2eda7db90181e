#ifndef TESTS_LAKE_FIXTURE_H
#define TESTS_LAKE_FIXTURE_H

// A real DuckDB in a temporary folder, with a DuckLake attached when asked for.

#include "base/arena.h"
#include "base/environment.h"
#include "base/file.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/lake.h"
#include "lake/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// clang-format off: cmocka.h wants these four before it
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

struct fixture {
    struct arena arena;
    struct environment environment;
    struct context context;
    struct error err;
    char folder[64];
    struct lake *lake;
    struct lake_connection *connection;
};

// cmocka shows what failed and why.
#define ASSERT_OK(fixture, call)                                                                   \
    do {                                                                                           \
        if ((call) != ERROR_NONE) {                                                                \
            fail_msg("%s: %s", #call, (fixture)->err.message);                                     \
        }                                                                                          \
    } while (0)
#define ASSERT_STR(actual, expected)                                                               \
    do {                                                                                           \
        const str actual_ = (actual);                                                              \
        char text_[4096];                                                                          \
        snprintf(text_, sizeof(text_), STR_FORMAT, STR_ARGS(actual_));                             \
        assert_string_equal(text_, expected);                                                      \
    } while (0)

static inline void fixture_init(struct fixture *f) {
    *f = (struct fixture){0};
    arena_init(&f->arena);
    environment_init(&f->environment, &f->arena, false);
    f->context = (struct context){.clock = clock_system(), .environment = &f->environment};
    snprintf(f->folder, sizeof(f->folder), "/tmp/coypu-lake-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
}

static inline void fixture_open(struct fixture *f) {
    const struct lake_options options = {
        .threads = 2,
        .library_path = STR(COYPU_DEPS_DIR "/lib/libduckdb.so"),
        .extension_directory = STR(COYPU_DEPS_DIR "/extensions"),
        .cache_directory = str_from(f->folder),
    };
    ASSERT_OK(f, lake_open(&f->context, &options, &f->lake, &f->err));
    ASSERT_OK(f, lake_connect(f->lake, &f->connection, &f->err));
}

// `kind` is "sqlite:" or "" (a DuckDB file).
static inline str fixture_attach_text(struct fixture *f, const char *kind) {
    return str_format(&f->arena, "ATTACH 'ducklake:%s%s/catalog' AS lake (DATA_PATH '%s/data/');",
                      kind, f->folder, f->folder);
}

static inline void fixture_attach(struct fixture *f, const char *kind) {
    fixture_open(f);
    ASSERT_OK(f, lake_attach(f->connection, STR("config/catalog.sql"), fixture_attach_text(f, kind),
                             &(struct lake_attach_options){0}, &f->err));
}

static inline void fixture_close(struct fixture *f) {
    lake_close(f->lake);
    f->lake = NULL;
    f->connection = NULL;
}

static inline void fixture_done(struct fixture *f) {
    fixture_close(f);
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", f->folder);
    if (system(command) != 0) {
        print_error("%s is left behind\n", f->folder);
    }
    environment_done(&f->environment);
    arena_done(&f->arena);
}

static inline void fixture_execute(struct fixture *f, const char *sql) {
    if (lake_execute(f->connection, str_from(sql), LAKE_NO_VALUES, NULL, &f->err) != ERROR_NONE) {
        fail_msg("%s: %s", sql, f->err.message);
    }
}

static inline int64_t fixture_int64(struct fixture *f, const char *sql) {
    int64_t value = 0;
    if (lake_query_int64(f->connection, str_from(sql), LAKE_NO_VALUES, &value, NULL, &f->err) !=
        ERROR_NONE) {
        fail_msg("%s: %s", sql, f->err.message);
    }
    return value;
}

static inline str fixture_text(struct fixture *f, const char *sql) {
    str value = {0};
    if (lake_query_text(f->connection, &f->arena, str_from(sql), LAKE_NO_VALUES, &value, NULL,
                        &f->err) != ERROR_NONE) {
        fail_msg("%s: %s", sql, f->err.message);
    }
    return value;
}

#endif
