// Which model files are read when one model is asked for (models.md §10.1), and what is known of
// the others.
#include "model/model.h"

#include "base/environment.h"
#include "base/file.h"
#include "base/text.h"
#include "lake/lake.h"
#include "lake/script.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
    struct arena arena;
    struct environment environment;
    struct context context;
    struct lake *lake;
    struct lake_connection *connection;
    char folder[64];
    struct error err;
};

static const char *const FILES[][2] = {
    {"config/macros/m.sql", "CREATE MACRO newest() AS TABLE SELECT max(id) AS id FROM raw.b;"},
    {"config/sources.sql", "CREATE VIEW all_a AS SELECT id FROM raw.a;"},
    {"models/raw/a.sql", "SELECT 1 AS id"},
    {"models/raw/b.sql", "SELECT 2 AS id"},
    {"models/raw/unused.sql", "SELEC nonsense"},
    {"models/mart/direct.sql", "SELECT id FROM RAW.A"},
    {"models/mart/deep.sql", "WITH a AS (SELECT 1 AS id) SELECT id FROM mart.direct, a"},
    {"models/mart/by_view.sql", "SELECT id FROM all_a"},
    {"models/mart/by_macro.sql", "SELECT id FROM newest()"},
    {"models/mart/variable.sql", "SELECT getvariable('x') AS id"},
    {"models/mart/broken.sql", "-- @kind: table\nSELECT id FROM raw.a WHERE"},
    {"models/mart/behind_broken.sql", "SELECT id FROM mart.broken"},
    {"models/mart/1bad.sql", "SELECT 1 AS id"},
};

#define ASSERT_OK(f, call)                                                                         \
    do {                                                                                           \
        if ((call) != ERROR_NONE) {                                                                \
            fail_msg("%s", (f)->err.message);                                                      \
        }                                                                                          \
    } while (false)

static int setup(void **state) {
    struct fixture *f = memory_alloc(sizeof(*f));
    *f = (struct fixture){0};
    arena_init(&f->arena);
    environment_init(&f->environment, &f->arena, true);
    environment_set(&f->environment, STR("COYPU_DEPS_DIR"), STR(COYPU_DEPS_DIR));
    f->context = (struct context){.clock = clock_system(), .environment = &f->environment};
    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/coypu-read-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    for (size_t i = 0; i < ARRAY_COUNT(FILES); i++) {
        const str path = str_format(&f->arena, "%s/%s", f->folder, FILES[i][0]);
        ASSERT_OK(f, directory_create(path_directory(path), 0755, &f->err));
        ASSERT_OK(f, file_write_atomic(path, str_from(FILES[i][1]), 0644, &f->err));
    }
    ASSERT_OK(f, lake_open(&f->context, &(struct lake_options){.threads = 1}, &f->lake, &f->err));
    ASSERT_OK(f, lake_connect(f->lake, &f->connection, &f->err));
    ASSERT_OK(f, lake_script_run(f->connection, STR("setup"),
                                 STR("CREATE SCHEMA raw; CREATE TABLE raw.b AS SELECT 1 AS id; "
                                     "CREATE MACRO newest() AS TABLE "
                                     "SELECT max(id) AS id FROM raw.b;"),
                                 NULL, &f->err));
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    lake_disconnect(f->connection);
    lake_close(f->lake);
    (void)!directory_remove(str_from(f->folder), &f->err);
    environment_done(&f->environment);
    arena_done(&f->arena);
    free(f);
    return 0;
}

static void read_only(struct fixture *f, const char *only, struct models *models) {
    struct error err;
    const struct models_options options = {
        .context = &f->context,
        .project = str_from(f->folder),
        .connection = f->connection,
        .catalog = STR("memory"),
        .only = str_from(only),
    };
    if (models_read(&f->arena, &options, models, &err) != ERROR_NONE) {
        fail_msg("%s: %s", only, err.message);
    }
}

// The targets that were read, in their order, with a space behind each.
static const char *targets_read(struct fixture *f, const struct models *models) {
    struct text text;
    text_init(&text, &f->arena);
    for (size_t i = 0; i < models->count; i++) {
        if (models->items[i]->is_read) {
            text_format(&text, STR_FORMAT " ", STR_ARGS(models->items[i]->target));
        }
    }
    return text_cstring(&text);
}

static void one_model_reads_its_ancestors_alone(void **state) {
    static const struct {
        const char *only;
        const char *expected;
    } CASES[] = {
        {"raw.a", "raw.a "},
        {"Raw.A", "raw.a "},
        {"mart.direct", "mart.direct raw.a "},
        {"mart.deep", "mart.deep mart.direct raw.a "},
        {"mart.by_view", "mart.by_view raw.a "},
        {"mart.by_macro", "mart.by_macro raw.b "},
        {"mart.variable", "mart.variable "},
        {"mart.broken", "mart.broken "},
        {"mart.behind_broken", "mart.behind_broken mart.broken "},
        {"mart.nobody", ""},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(CASES); i++) {
        struct models models;
        read_only(f, CASES[i].only, &models);
        const char *found = targets_read(f, &models);
        if (strcmp(found, CASES[i].expected) != 0) {
            fail_msg("%s: expected \"%s\", got \"%s\"", CASES[i].only, CASES[i].expected, found);
        }
        // Of the others, what the path tells.
        assert_int_equal(models.count, 10);
        assert_non_null(models_find(&models, STR("raw.unused")));
        assert_false(models_find(&models, STR("raw.unused"))->broken);
    }
}

static void without_a_target_all_are_read(void **state) {
    struct fixture *f = *state;
    struct models models;
    read_only(f, "", &models);
    for (size_t i = 0; i < models.count; i++) {
        assert_true(models.items[i]->is_read);
    }
    assert_true(models_find(&models, STR("raw.unused"))->broken);
    assert_int_equal(models_find(&models, STR("raw.a"))->read_by.count, 2);
    assert_int_equal(models.order.count, models.count);
    assert_int_equal(models.orphans.count, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_model_reads_its_ancestors_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_target_all_are_read, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
