// Any kind becomes any other (models.md §5.6), and any kind follows its query's columns (§7).
//
// One project holds a model for every case, so that a scenario is a few runs, whatever the number
// of cases.
#include "run/edits.h"

static const struct {
    const char *name;
    const char *header;
    const char *columns; // of its table over (id, name), sorted
} KINDS[] = {
    {"table", "-- @kind: table\n", "id,name"},
    {"append", "-- @kind: append\n", "id,name"},
    {"merge", "-- @kind: merge\n-- @unique_key: id\n", "id,name"},
    {"tracked", "-- @kind: tracked\n-- @group_key: id\n", "_content_hash,id,name"},
    {"scd2", "-- @kind: scd2\n-- @unique_key: id\n",
     "id,is_current,name,valid_from_snapshot,valid_to_snapshot"},
};
enum { KIND_COUNT = ARRAY_COUNT(KINDS) };

static void write_model(struct project_fixture *f, const char *name, size_t kind,
                        const char *select) {
    const str path = str_format(&f->arena, "models/mart/%s.sql", name);
    const str sql = str_format(&f->arena, "%s%s\n", KINDS[kind].header, select);
    project_write(f, str_to_cstring(&f->arena, path), str_to_cstring(&f->arena, sql));
}

static const char *name_of(struct project_fixture *f, const char *first, const char *second) {
    return str_to_cstring(&f->arena, str_format(&f->arena, "%s_%s", first, second));
}

// What every table of the schema holds: "name: columns: rows", closed versions left out.
static const char *tables(struct project_fixture *f, const char *columns) {
    struct text sql;
    text_init(&sql, &f->arena);
    const char *names = project_query(
        f, "SELECT string_agg(table_name, ' ' ORDER BY table_name) FROM duckdb_tables() WHERE "
           "schema_name = 'mart'");
    struct str_splitter splitter = {.rest = str_trim(str_from(names))};
    str name;
    while (str_split_next(&splitter, ' ', &name)) {
        text_format(&sql,
                    "%sSELECT '" STR_FORMAT "' AS t, (SELECT string_agg(column_name, ',' ORDER BY "
                    "column_name) FROM duckdb_columns() WHERE table_name = '" STR_FORMAT
                    "') AS c, (SELECT string_agg(r, ' ' ORDER BY r) FROM (SELECT concat_ws(',', %s)"
                    " AS r FROM mart." STR_FORMAT "%s)) AS rows",
                    sql.size > 0 ? " UNION ALL " : "", STR_ARGS(name), STR_ARGS(name), columns,
                    STR_ARGS(name), str_ends_with(name, STR("_scd2")) ? " WHERE is_current" : "");
    }
    return project_query(
        f, str_to_cstring(&f->arena, str_format(&f->arena, "FROM (" STR_FORMAT ") ORDER BY t",
                                                STR_ARGS(text_str(&sql)))));
}

// The lines that the pairs should give.
static const char *expected_of_pairs(struct project_fixture *f, const char *rows) {
    struct str_list lines = {0};
    for (size_t i = 0; i < KIND_COUNT; i++) {
        for (size_t j = 0; j < KIND_COUNT; j++) {
            if (i != j) {
                str_list_push(&f->arena, &lines,
                              str_format(&f->arena, "%s_%s|%s|%s\n", KINDS[i].name, KINDS[j].name,
                                         KINDS[j].columns, rows));
            }
        }
    }
    str_list_sort(&lines);
    return str_to_cstring(&f->arena, str_list_join(&f->arena, &lines, STR("")));
}

static void write_pairs(struct project_fixture *f, bool converted) {
    for (size_t i = 0; i < KIND_COUNT; i++) {
        for (size_t j = 0; j < KIND_COUNT; j++) {
            if (i != j) {
                write_model(f, name_of(f, KINDS[i].name, KINDS[j].name), converted ? j : i,
                            "SELECT * FROM raw.source");
            }
        }
    }
}

static void every_kind_becomes_every_other(void **state) {
    struct project_fixture *f = *state;
    write_pairs(f, false);
    write_source(f, "(1, 'a'), (2, 'b'), (4, 'd')");
    project_run(f);
    write_source(f, "(1, 'a'), (2, 'x'), (4, 'd')"); // history: 2 has two versions, rows or values
    project_run(f);
    assert_int_equal(f->summary.failed, 0);
    write_pairs(f, true);
    write_source(f, "(1, 'a'), (2, 'x'), (3, 'c')");
    const int64_t before = project_snapshots(f);
    project_run(f);
    if (f->summary.failed != 0) {
        fail_msg("%s", text_cstring(&f->messages));
    }
    // One snapshot for the source and one for every model.
    assert_int_equal(project_snapshots(f), before + 1 + KIND_COUNT * (KIND_COUNT - 1));
    assert_string_equal(tables(f, "id, name"), expected_of_pairs(f, "1,a 2,x 3,c"));
    assert_string_equal(
        project_query(f, "SELECT count(*) FROM mart.table_scd2 WHERE NOT is_current"), "0\n");
    const int64_t after = project_snapshots(f);
    project_run(f);
    assert_int_equal(project_snapshots(f), after);
    // And each goes on as what it is now.
    write_source(f, "(1, 'a'), (2, 'y'), (3, 'c')");
    project_run(f);
    assert_int_equal(f->summary.failed, 0);
    assert_string_equal(
        project_query(f, "SELECT string_agg(name, ' ' ORDER BY name), (SELECT count(*) FROM "
                         "mart.merge_scd2), (SELECT string_agg(name, ' ' ORDER BY name) FROM "
                         "mart.scd2_append), (SELECT count(*) FROM mart.tracked_merge) FROM "
                         "mart.append_tracked"),
        "a c y|4|a c x y|3\n");
}

// ── Columns ──

// Adds a query for "name|rows" of the table, closed versions left out.
static void ask_rows(struct text *sql, const char *name, size_t kind, const char *columns) {
    text_format(sql,
                "%sSELECT '%s', (SELECT string_agg(r, ' ' ORDER BY r) FROM (SELECT "
                "concat_ws(',', %s) AS r FROM mart.%s%s))",
                sql->size > 0 ? " UNION ALL " : "", name, columns, name,
                kind == KIND_COUNT - 1 ? " WHERE is_current" : "");
}

static const struct {
    const char *name;
    const char *before;
    const char *after;
    const char *rows;    // of id, n, extra where they are
    bool is_destructive; // refused by --no-destructive
    bool scd2_converts;  // but not there: the key's old values are kept
} CHANGES[] = {
    {"added", "SELECT id, id * 2 AS n FROM raw.source",
     "SELECT id, id * 2 AS n, name AS extra FROM raw.source", "1,2,a 2,4,b", false, false},
    {"removed", "SELECT id, id * 2 AS n, name AS extra FROM raw.source",
     "SELECT id, id * 2 AS n FROM raw.source", "1,2 2,4", true, false},
    {"widened", "SELECT id, (id * 2)::INTEGER AS n FROM raw.source",
     "SELECT id, (id * 2)::BIGINT AS n FROM raw.source", "1,2 2,4", false, false},
    {"retyped", "SELECT id, name AS n FROM raw.source", "SELECT id, id * 2 AS n FROM raw.source",
     "1,2 2,4", true, false},
    {"wider_key", "SELECT id::INTEGER AS id, id AS n FROM raw.source",
     "SELECT id::BIGINT AS id, id AS n FROM raw.source", "1,1 2,2", false, false},
    {"other_key", "SELECT id, id AS n FROM raw.source",
     "SELECT 'k' || id AS id, id AS n FROM raw.source", "k1,1 k2,2", true, true},
    {"reordered", "SELECT id, id AS n, name AS extra FROM raw.source",
     "SELECT name AS extra, id AS n, id FROM raw.source", "1,1,a 2,2,b", false, false},
};

static void write_changes(struct project_fixture *f, bool changed) {
    for (size_t i = 0; i < ARRAY_COUNT(CHANGES); i++) {
        for (size_t j = 0; j < KIND_COUNT; j++) {
            write_model(f, name_of(f, CHANGES[i].name, KINDS[j].name), j,
                        changed ? CHANGES[i].after : CHANGES[i].before);
        }
    }
}

static void every_kind_follows_the_columns_of_its_query(void **state) {
    struct project_fixture *f = *state;
    write_changes(f, false);
    write_source(f, "(1, 'a'), (2, 'b')");
    project_run(f);
    write_changes(f, true);
    (void)project_run_with(f, (struct run_options){.no_destructive = true});
    for (size_t i = 0; i < ARRAY_COUNT(CHANGES); i++) {
        for (size_t j = 0; j < KIND_COUNT; j++) {
            const bool refused =
                CHANGES[i].is_destructive && !(CHANGES[i].scd2_converts && j == KIND_COUNT - 1);
            const str line = str_format(&f->arena, "[%s] mart.%s_%s backfill",
                                        refused ? "error" : "ok", CHANGES[i].name, KINDS[j].name);
            if (strstr(text_cstring(&f->lines), str_to_cstring(&f->arena, line)) == NULL) {
                fail_msg(STR_FORMAT " expected in\n%s%s", STR_ARGS(line), text_cstring(&f->lines),
                         text_cstring(&f->messages));
            }
        }
    }
    project_run(f);
    assert_int_equal(f->summary.failed, 0);
    struct text sql;
    struct text expected;
    text_init(&sql, &f->arena);
    text_init(&expected, &f->arena);
    for (size_t i = 0; i < ARRAY_COUNT(CHANGES); i++) {
        for (size_t j = 0; j < KIND_COUNT; j++) {
            const bool extra = str_find(str_from(CHANGES[i].after), STR("extra")) != SIZE_MAX;
            ask_rows(&sql, name_of(f, CHANGES[i].name, KINDS[j].name), j,
                     extra ? "id, n, extra" : "id, n");
            text_format(&expected, "%s_%s|%s\n", CHANGES[i].name, KINDS[j].name, CHANGES[i].rows);
        }
    }
    assert_string_equal(project_query(f, text_cstring(&sql)), text_cstring(&expected));
    const int64_t after = project_snapshots(f);
    project_run(f);
    assert_int_equal(project_snapshots(f), after);
}

// The model's text stays; its source gets a column, loses one and changes the key's type.
static void every_kind_follows_the_columns_of_its_source(void **state) {
    struct project_fixture *f = *state;
    static const struct {
        const char *source;
        const char *rows; // of table, merge and tracked
        const char *append;
    } STEPS[] = {
        {"SELECT * FROM (VALUES (1, 'a'), (2, 'b'), (2, 'b')) v(id, name) QUALIFY row_number() "
         "OVER "
         "(PARTITION BY id) = 1",
         "1,a 2,b", "1,a 2,b"},
        {"SELECT *, id * 10 AS extra FROM (VALUES (1, 'a'), (2, 'x'), (3, 'c')) v(id, name)",
         "1,a,10 2,x,20 3,c,30", "1,a 2,b 2,x,20 3,c,30"},
        {"SELECT id, extra FROM (VALUES (1, 10), (2, 20), (3, 30), (4, 40)) v(id, extra)",
         "1,10 2,20 3,30 4,40", "1 2 2,20 3,30 4,40"},
        {"SELECT id::BIGINT AS id, extra FROM (VALUES (1, 10), (2, 20), (3, 30), (4, 41)) v(id, "
         "extra)",
         "1,10 2,20 3,30 4,41", "1 2 2,20 3,30 4,40 4,41"},
    };
    for (size_t j = 0; j < KIND_COUNT; j++) {
        write_model(f, KINDS[j].name, j, "SELECT * FROM raw.source");
    }
    for (size_t i = 0; i < ARRAY_COUNT(STEPS); i++) {
        project_write(f, "models/raw/source.sql", STEPS[i].source);
        project_run(f);
        if (f->summary.failed != 0) {
            fail_msg("step %zu: %s", i, text_cstring(&f->messages));
        }
        const char *columns = i == 1 ? "id, name, extra" : i == 0 ? "id, name" : "id, extra";
        struct text sql;
        struct text expected;
        text_init(&sql, &f->arena);
        text_init(&expected, &f->arena);
        for (size_t j = 0; j < KIND_COUNT; j++) {
            ask_rows(&sql, KINDS[j].name, j, columns);
            text_format(&expected, "%s|%s\n", KINDS[j].name,
                        j == 1 ? STEPS[i].append : STEPS[i].rows);
        }
        assert_string_equal(project_query(f, text_cstring(&sql)), text_cstring(&expected));
        const int64_t after = project_snapshots(f);
        project_run(f);
        assert_int_equal(project_snapshots(f), after);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_kind_becomes_every_other),
        TEST(every_kind_follows_the_columns_of_its_query),
        TEST(every_kind_follows_the_columns_of_its_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
