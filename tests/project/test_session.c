// A project from `coypu init` starts a session; config files run in order and fail with their line.

#include "../lake/fixture.h"
#include "base/redact.h"
#include "lake/snapshot.h"
#include "lake/transaction.h"
#include "project/config_file.h"
#include "project/project.h"

struct world {
    struct fixture f;
    struct project project;
    struct session session;
    str name;
};

static void write_project_file(struct world *w, const char *path, const char *content) {
    const str full = path_join(&w->f.arena, str_from(w->f.folder), str_from(path));
    ASSERT_OK(&w->f, directory_create(path_directory(full), 0777, &w->f.err));
    ASSERT_OK(&w->f, file_write_atomic(full, str_from(content), 0666, &w->f.err));
}

static void open_project(struct world *w) {
    ASSERT_OK(&w->f, project_open(&w->f.context, &w->f.arena, str_from(w->f.folder), &w->project,
                                  &w->f.err));
}

static enum error_code start(struct world *w, bool read_only) {
    const struct session_options options = {.read_only = read_only,
                                            .threads = 2,
                                            .run_id = STR("run-1"),
                                            .run_time_us = 1704164645000000};
    return session_start(&w->project, &options, &w->session, &w->f.err);
}

static int setup(void **state) {
    struct world *w = calloc(1, sizeof(*w));
    fixture_init(&w->f);
    environment_set(&w->f.environment, STR("COYPU_DEPS_DIR"), STR(COYPU_DEPS_DIR));
    environment_set(&w->f.environment, STR("XDG_CACHE_HOME"), str_from(w->f.folder));
    ASSERT_OK(&w->f,
              project_init(&w->f.context, &w->f.arena, str_from(w->f.folder), &w->name, &w->f.err));
    *state = w;
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    session_end(&w->session);
    if (chdir("/") != 0) {
        return 1;
    }
    fixture_done(&w->f);
    free(w);
    return 0;
}

static str session_text(struct world *w, const char *sql) {
    w->f.connection = w->session.connection;
    const str value = fixture_text(&w->f, sql);
    w->f.connection = NULL;
    return value;
}

static void new_project_starts(void **state) {
    struct world *w = *state;
    open_project(w);
    ASSERT_OK(&w->f, start(w, false));
    ASSERT_STR(session_text(w, "SELECT ondatra_now()"), "2024-01-02T03:04:05");
    ASSERT_STR(session_text(w, "SELECT ondatra_load_id()"), "run-1");
    ASSERT_STR(session_text(w, "SELECT [last_snapshot(), prev_snapshot(), dag_start_snapshot()]"),
               "[0,0,0]");
    ASSERT_STR(session_text(w, "SELECT [mask_email('ann@b.se'), mask_ssn('123-45-6789'), "
                               "redact('x'), redact(NULL)]"),
               "[\"a***@b.se\",\"***-**-6789\",\"[REDACTED]\",null]");
    ASSERT_STR(session_text(w, "SELECT safe_divide(1, 0)"), "");
    ASSERT_STR(session_text(w, "SELECT getvariable('alert_amount_threshold')"), "10000");
    ASSERT_STR(session_text(w, "SELECT current_setting('search_path')"), "lake.main,memory.main");
    assert_int_equal(lake_catalog_kind(w->session.lake), LAKE_CATALOG_SQLITE);
    str data_path = {0};
    ASSERT_OK(&w->f, lake_data_path(w->session.connection, &w->f.arena, &data_path, &w->f.err));
    assert_true(str_starts_with(data_path, STR("/")));
}

static void init_refuses_an_existing_project(void **state) {
    struct world *w = *state;
    str name = {0};
    assert_int_equal(
        project_init(&w->f.context, &w->f.arena, str_from(w->f.folder), &name, &w->f.err),
        ERROR_CONFLICT);
    assert_string_equal(w->f.err.message, "this folder has a project already: config/ exists");
}

static void macros_depend_on_one_another_in_any_order(void **state) {
    struct world *w = *state;
    write_project_file(w, "config/macros/a.sql",
                       "CREATE MACRO twice_net(x) AS TABLE\n  SELECT * FROM net(x);");
    write_project_file(w, "config/macros/b.sql",
                       "CREATE FUNCTION net(x) AS TABLE SELECT x / 2 AS v;");
    write_project_file(w, "config/macros/c.sql", "CREATE MACRO redact(v) AS '{{catalog}}';");
    open_project(w);
    ASSERT_OK(&w->f, start(w, false));
    ASSERT_STR(session_text(w, "FROM twice_net(5)"), "2.5");
    ASSERT_STR(session_text(w, "SELECT redact(1)"), "lake");
}

struct failure {
    const char *path;
    const char *content;
    int line;
    const char *message;
};
static const struct failure failures[] = {
    {"config/settings.sql", "-- ${NOT_LOOKED_AT}\nSET threads = 2;\nSET nope = 1;", 3,
     "unrecognized configuration parameter \"nope\""},
    {"config/secrets.sql", "SELECT 1;\nSELECT '${NO_SUCH}';", 2, "${NO_SUCH} is not defined"},
    {"config/variables/global.sql", "SET VARIABLE a = (SELECT x\n FROM no_such_table);", 2,
     "table with name no_such_table does not exist"},
    {"config/macros/bad.sql", "\nCREATE MACRO ok(x) AS x;\nCREATE MACRO bad(x) AS AS;", 3,
     "syntax error at or near \"AS\""},
    {"config/catalog.sql", "ATTACH 'plain.duckdb' AS shop;", 1,
     "\"shop\" is attached as duckdb, not as a DuckLake: models need its snapshots and time "
     "travel"},
    {"config/catalog.sql", "\nATTACH 'ducklake:mysql:db' AS lake;", 2,
     "a DuckLake catalog in MySQL is not supported"},
    {"config/catalog.sql", "SELECT 1;", 1, "no DuckLake catalog is attached"},
};

static void config_failure_names_file_and_line(void **state) {
    struct world *w = *state;
    for (size_t i = 0; i < ARRAY_COUNT(failures); i++) {
        const str path = path_join(&w->f.arena, str_from(w->f.folder), str_from(failures[i].path));
        str before = STR("");
        if (path_exists(path)) {
            ASSERT_OK(&w->f, file_read(&w->f.arena, path, &before, &w->f.err));
        }
        write_project_file(w, failures[i].path, failures[i].content);
        open_project(w);
        w->f.err = (struct error){0};
        assert_int_not_equal(start(w, false), ERROR_NONE);
        assert_string_equal(w->f.err.message, failures[i].message);
        assert_string_equal(w->f.err.pos.file, failures[i].path);
        assert_int_equal(w->f.err.pos.line, failures[i].line);
        write_project_file(w, failures[i].path, str_to_cstring(&w->f.arena, before));
    }
}

static void missing_catalog_names_the_path(void **state) {
    struct world *w = *state;
    const str path = path_join(&w->f.arena, str_from(w->f.folder), STR("config/catalog.sql"));
    assert_int_equal(unlink(str_to_cstring(&w->f.arena, path)), 0);
    open_project(w);
    assert_int_equal(start(w, false), ERROR_NOT_FOUND);
    const str expected =
        str_format(&w->f.arena, "%s/config/catalog.sql does not exist", w->f.folder);
    ASSERT_STR(expected, w->f.err.message);
}

static void reading_session_refuses_writes(void **state) {
    struct world *w = *state;
    open_project(w);
    ASSERT_OK(&w->f, start(w, false));
    session_end(&w->session);
    ASSERT_OK(&w->f, start(w, true));
    assert_true(lake_is_read_only(w->session.lake));
    assert_int_equal(lake_execute(w->session.connection, STR("CREATE TABLE t(a INTEGER)"),
                                  LAKE_NO_VALUES, NULL, &w->f.err),
                     ERROR_INVALID);
}

static void further_connection_has_the_variables(void **state) {
    struct world *w = *state;
    open_project(w);
    ASSERT_OK(&w->f, start(w, false));
    struct lake_connection *second = NULL;
    ASSERT_OK(&w->f, session_connect(&w->session, &second, &w->f.err));
    str value = {0};
    ASSERT_OK(&w->f, lake_query_text(second, &w->f.arena, STR("SELECT ondatra_now()"),
                                     LAKE_NO_VALUES, &value, NULL, &w->f.err));
    ASSERT_STR(value, "2024-01-02T03:04:05");
}

static void model_knows_its_previous_commit(void **state) {
    struct world *w = *state;
    open_project(w);
    ASSERT_OK(&w->f, start(w, false));
    ASSERT_OK(&w->f, session_enter_model(&w->session, STR("main.a"), 7, &w->f.err));
    ASSERT_STR(session_text(w, "SELECT getvariable('current_model') || ' ' || "
                               "getvariable('prev_model_snapshot')"),
               "main.a 7");
}

static void password_in_attach_is_a_warning(void **state) {
    (void)state;
    assert_true(attach_path_has_password(STR("ducklake:postgres:dbname=x password=secret")));
    assert_true(attach_path_has_password(STR("ducklake:postgres:postgresql://u:p@h/db")));
    assert_false(attach_path_has_password(STR("ducklake:postgres:postgresql://u@h:5432/db")));
    assert_false(attach_path_has_password(STR("ducklake:sqlite:catalog.sqlite")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(new_project_starts, setup, teardown),
        cmocka_unit_test_setup_teardown(init_refuses_an_existing_project, setup, teardown),
        cmocka_unit_test_setup_teardown(macros_depend_on_one_another_in_any_order, setup, teardown),
        cmocka_unit_test_setup_teardown(config_failure_names_file_and_line, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_catalog_names_the_path, setup, teardown),
        cmocka_unit_test_setup_teardown(reading_session_refuses_writes, setup, teardown),
        cmocka_unit_test_setup_teardown(further_connection_has_the_variables, setup, teardown),
        cmocka_unit_test_setup_teardown(model_knows_its_previous_commit, setup, teardown),
        cmocka_unit_test(password_in_attach_is_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
