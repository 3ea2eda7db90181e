#ifndef TESTS_LIB_FIXTURE_H
#define TESTS_LIB_FIXTURE_H

// A project folder with lib files, a real DuckDB without a lake, and one fetch run through SQL.

#include "base/environment.h"
#include "base/file.h"
#include "base/text.h"
#include "lake/lake.h"
#include "lake/result.h"
#include "lib/fetch.h"
#include "lib/lib.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
    struct arena arena;
    struct environment environment;
    struct context context;
    struct error err;
    char folder[64];
    struct lib_set libs;
    bool has_libs;
    struct lake *lake;
    struct lake_connection *connection;
    struct fetch_sources *sources;
};

#define ASSERT_OK(fixture, call)                                                                   \
    do {                                                                                           \
        if ((call) != ERROR_NONE) {                                                                \
            fail_msg("%s: %s\n%s", #call, (fixture)->err.message, (fixture)->err.trace);           \
        }                                                                                          \
    } while (0)

static inline void fixture_init(struct fixture *f) {
    *f = (struct fixture){0};
    arena_init(&f->arena);
    environment_init(&f->environment, &f->arena, false);
    f->context = (struct context){.clock = clock_system(), .environment = &f->environment};
    snprintf(f->folder, sizeof(f->folder), "/tmp/coypu-lib-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
}

static inline void fixture_write(struct fixture *f, const char *path, const char *text) {
    str whole = str_format(&f->arena, "%s/%s", f->folder, path);
    ASSERT_OK(f, directory_create(path_directory(whole), 0755, &f->err));
    ASSERT_OK(f, file_write_atomic(whole, str_from(text), 0644, &f->err));
}

static inline void fixture_scan(struct fixture *f) {
    const struct lib_scan_options options = {
        .context = &f->context, .project = str_from(f->folder), .catalog = STR("lake")};
    ASSERT_OK(f, lib_scan(&f->arena, &options, &f->libs, &f->err));
    f->has_libs = true;
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
    ASSERT_OK(f, fetch_sources_new(f->connection, &f->libs, &f->sources, &f->err));
}

static inline void fixture_done(struct fixture *f) {
    lake_disconnect(f->connection);
    lake_close(f->lake);
    fetch_sources_free(f->sources);
    if (f->has_libs) {
        lib_set_done(&f->libs);
    }
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", f->folder);
    if (system(command) != 0) {
        print_error("%s is left behind\n", f->folder);
    }
    environment_done(&f->environment);
    arena_done(&f->arena);
}

// All errors of the scan, "FILE:LINE:COL: MESSAGE [HINT]" a line.
static inline const char *fixture_errors(struct fixture *f, const struct error_list *errors) {
    struct text text;
    text_init(&text, &f->arena);
    for (size_t i = 0; i < errors->count; i++) {
        const struct error *err = &errors->items[i];
        text_format(&text, "%s:%d:%d: %s", err->pos.file, err->pos.line, err->pos.column,
                    err->message);
        if (err->hint[0] != '\0') {
            text_format(&text, " [%s]", err->hint);
        }
        text_add_char(&text, '\n');
    }
    return text_cstring(&text);
}

#endif
