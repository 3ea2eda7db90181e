#ifndef TESTS_RUN_EDITS_H
#define TESTS_RUN_EDITS_H

// Tests of a kind as a table of edits to its source: what the table holds after each of them, what
// the run line says and what the change feed carries.

#include "run/fixture.h"

static inline int setup(void **state) {
    struct project_fixture *f = malloc(sizeof(*f));
    assert_non_null(f);
    project_init_fixture(f);
    *state = f;
    return 0;
}

static inline int teardown(void **state) {
    project_done_fixture(*state);
    free(*state);
    return 0;
}

// The source of the kinds' tests: rows as VALUES.
static inline void write_source(struct project_fixture *f, const char *values) {
    const str sql = str_format(&f->arena, "SELECT * FROM (VALUES %s) AS v(id, name)\n", values);
    project_write(f, "models/raw/source.sql", str_to_cstring(&f->arena, sql));
}

struct edit {
    const char *name;
    const char *values;
    const char *table;     // contents afterwards
    const char *line;      // of the model under test
    bool writes_snapshots; // also the source's
};

// The changes of mart.t in its last commit, ordered.
static inline const char *last_changes(struct project_fixture *f) {
    const char *last = project_query(f, "SELECT max(snapshot_id) FROM lake.snapshots() WHERE "
                                        "commit_extra_info::JSON->>'model' = 'mart.t'");
    const long long id = strtoll(last, NULL, 10);
    const str sql =
        str_format(&f->arena,
                   "SELECT COLUMNS(c -> c NOT IN ('snapshot_id', 'rowid', '_content_hash')) FROM "
                   "ducklake_table_changes('lake', 'mart', 't', %lld, %lld) "
                   "ORDER BY ALL",
                   id, id);
    return project_query(f, str_to_cstring(&f->arena, sql));
}

// Runs the edits one after another; a run after each of them changes nothing.
static inline void run_edits(struct project_fixture *f, const char *model, const struct edit *edits,
                             size_t count) {
    project_write(f, "models/mart/t.sql", model);
    for (size_t i = 0; i < count; i++) {
        const int64_t before = i == 0 ? 0 : project_snapshots(f);
        write_source(f, edits[i].values);
        project_run(f);
        const char *table =
            project_query(f, "SELECT COLUMNS(c -> c <> '_content_hash') FROM mart.t ORDER BY ALL");
        if (strcmp(table, edits[i].table) != 0) {
            fail_msg("%s: the table is\n%s", edits[i].name, table);
        }
        if (strstr(text_cstring(&f->lines), edits[i].line) == NULL) {
            fail_msg("%s: expected %s, got\n%s", edits[i].name, edits[i].line,
                     text_cstring(&f->lines));
        }
        const int64_t after = project_snapshots(f);
        if ((after > before) != edits[i].writes_snapshots) {
            fail_msg("%s: snapshots %lld to %lld", edits[i].name, (long long)before,
                     (long long)after);
        }
        project_run(f);
        assert_int_equal(project_snapshots(f), after);
    }
}

// Runs statements on the project's lake, as another program would.
static inline void execute_on_lake(struct project_fixture *f, const char *const *statements,
                                   size_t count) {
    struct error err;
    struct lake *lake = NULL;
    struct lake_connection *connection = NULL;
    const str attach =
        str_format(&f->arena, "ATTACH 'ducklake:sqlite:%s/lake.sqlite' AS lake", f->folder);
    if (lake_open(&f->context, &(struct lake_options){0}, &lake, &err) != ERROR_NONE ||
        lake_connect(lake, &connection, &err) != ERROR_NONE ||
        lake_attach(connection, STR("config/catalog.sql"), attach, &(struct lake_attach_options){0},
                    &err) != ERROR_NONE) {
        fail_msg("%s", err.message);
    }
    for (size_t i = 0; i < count; i++) {
        if (lake_execute(connection, str_from(statements[i]), LAKE_NO_VALUES, NULL, &err) !=
            ERROR_NONE) {
            fail_msg("%s: %s", statements[i], err.message);
        }
    }
    lake_close(lake);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
