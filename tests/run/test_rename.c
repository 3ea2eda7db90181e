// Columns that change their name (models.md §7), in every kind: what is renamed keeps its values
// and its history, and increments go on from there.  What counts as a rename is in test_lineage.c.
//
// One project holds a model for every case and kind, so that all of it is four runs.
#include "run/edits.h"

static const struct {
    const char *name;
    const char *header; // the key for %s
} KINDS[] = {
    {"table", ""},
    {"append", "-- @kind: append\n"},
    {"merge", "-- @kind: merge\n-- @unique_key: %s\n"},
    {"tracked", "-- @kind: tracked\n-- @group_key: %s\n"},
    {"scd2", "-- @kind: scd2\n-- @unique_key: %s\n"},
};

struct version {
    const char *key;
    const char *directives;
    const char *select;
};

#define MASK(column) "-- @column: " column " = | mask_email\n"
#define CURRENT "1,11,a@x.y 2,21,b@x.y 3,30,c@x.y"
#define MASKED "1,11,a***@x.y 2,21,b***@x.y 3,30,c***@x.y"
#define CLOSED "1,10,a@x.y 2,20,b@x.y"
#define CLOSED_MASKED "1,10,a***@x.y 2,20,b***@x.y"
// All of them were closed when the values came anew, and the increment closed one more.
#define CLOSED_ALL "1,NULL,a@x.y 1,NULL,a@x.y 2,20,b@x.y 2,NULL,b@x.y 3,NULL,c@x.y"

static const struct rename_case {
    const char *name;
    struct version before; // runs 1 and 2
    struct version after;  // run 3, over the same rows
    struct version last;   // run 4, with one row changed; no select: as before it
    const char *warning;   // of run 3; empty: the columns are as they were
    const char *columns;   // what is compared
    const char *current;
    const char *closed; // versions of scd2
} CASES[] = {
    {"value",
     {"id", "", "SELECT id, v, w FROM raw.s"},
     {"id", "", "SELECT id, v AS value, w FROM raw.s"},
     {0},
     "renamed v → value",
     "id, value, w",
     CURRENT,
     CLOSED},
    {"first_in_alphabet", // the hash of a tracked group is over the columns by name
     {"id", "", "SELECT id, v, w FROM raw.s"},
     {"id", "", "SELECT id, v, w AS a FROM raw.s"},
     {0},
     "renamed w → a",
     "id, v, a",
     CURRENT,
     CLOSED},
    {"back",
     {"id", "", "SELECT id, v, w FROM raw.s"},
     {"id", "", "SELECT id, v AS value, w FROM raw.s"},
     {"id", "", "SELECT id, v, w FROM raw.s"},
     "renamed v → value",
     "id, v, w",
     CURRENT,
     CLOSED},
    {"wider",
     {"id", "", "SELECT id, v, w FROM raw.wider"},
     {"id", "", "SELECT id, v AS value, w FROM raw.wider"},
     {0},
     "renamed v → value; value: INTEGER → BIGINT",
     "id, value, w",
     CURRENT,
     CLOSED},
    {"another_type",
     {"id", "", "SELECT id, v, w FROM raw.text"},
     {"id", "", "SELECT id, v AS value, w FROM raw.text"},
     {0},
     "renamed v → value; value: INTEGER → VARCHAR",
     "id, value, w",
     CURRENT,
     CLOSED_ALL},
    {"swapped",
     {"id", "", "SELECT id, v AS a, v * 2 AS b, w FROM raw.s"},
     {"id", "", "SELECT id, v * 2 AS a, v AS b, w FROM raw.s"},
     {0},
     "",
     "id, a, b",
     "1,22,11 2,42,21 3,60,30",
     "1,10,20 1,11,22 2,20,40 2,40,20 3,30,60"},
    {"key",
     {"id", "", "SELECT id, v, w FROM raw.s"},
     {"number", "", "SELECT id AS number, v, w FROM raw.s"},
     {0},
     "renamed id → number",
     "number, v, w",
     CURRENT,
     CLOSED},
    {"masked",
     {"id", MASK("w"), "SELECT id, v, w FROM raw.s"},
     {"id", MASK("mail"), "SELECT id, v, w AS mail FROM raw.s"},
     {0},
     "renamed w → mail",
     "id, v, mail",
     MASKED,
     CLOSED_MASKED},
    {"masked_now", // what is closed stays as it was, and the run says so
     {"id", "", "SELECT id, v, w FROM raw.s"},
     {"id", MASK("mail"), "SELECT id, v, w AS mail FROM raw.s"},
     {0},
     "renamed w → mail",
     "id, v, mail",
     MASKED,
     "1,10,a@x.y 1,11,a@x.y 2,20,b***@x.y 2,20,b@x.y 3,30,c@x.y"},
    {"checked",
     {"id", "-- @constraint: not_null(v)\n-- @audit: max(v, <, 100)\n",
      "SELECT id, v, w FROM raw.s"},
     {"id", "-- @constraint: not_null(value)\n-- @audit: max(value, <, 100)\n",
      "SELECT id, v AS value, w FROM raw.s"},
     {0},
     "renamed v → value",
     "id, value, w",
     CURRENT,
     CLOSED},
};

static void write_models(struct project_fixture *f, int run) {
    for (size_t i = 0; i < ARRAY_COUNT(CASES); i++) {
        const struct rename_case *c = &CASES[i];
        const struct version *version = run < 3                           ? &c->before
                                        : run == 4 && c->last.key != NULL ? &c->last
                                                                          : &c->after;
        for (size_t j = 0; j < ARRAY_COUNT(KINDS); j++) {
            const str path = str_format(&f->arena, "models/mart/%s_%s.sql", KINDS[j].name, c->name);
            const str header = str_replace_all(&f->arena, str_from(KINDS[j].header), STR("%s"),
                                               str_from(version->key));
            const str text = str_format(&f->arena, STR_FORMAT "%s%s\n", STR_ARGS(header),
                                        version->directives, version->select);
            project_write(f, str_to_cstring(&f->arena, path), str_to_cstring(&f->arena, text));
        }
    }
}

static void write_sources(struct project_fixture *f, const char *values, bool types_changed) {
    static const struct {
        const char *file;
        const char *type; // of v, once it has changed
    } SOURCES[] = {{"models/raw/s.sql", "INTEGER"},
                   {"models/raw/wider.sql", "BIGINT"},
                   {"models/raw/text.sql", "VARCHAR"}};
    for (size_t i = 0; i < ARRAY_COUNT(SOURCES); i++) {
        const str text =
            str_format(&f->arena, "SELECT id, v::%s AS v, w FROM (VALUES %s) AS q (id, v, w)\n",
                       types_changed ? SOURCES[i].type : "INTEGER", values);
        project_write(f, SOURCES[i].file, str_to_cstring(&f->arena, text));
    }
}

static const char *rows_of(struct project_fixture *f, const char *kind, const struct rename_case *c,
                           const char *where) {
    const str sql =
        str_format(&f->arena,
                   "SELECT coalesce(string_agg(r, ' ' ORDER BY r), '') FROM (SELECT "
                   "replace(trim(row(%s)::VARCHAR, '()'), ', ', ',') AS r FROM mart.%s_%s%s)",
                   c->columns, kind, c->name, where);
    return project_query(f, str_to_cstring(&f->arena, sql));
}

static void assert_rows(struct project_fixture *f, const char *kind, const struct rename_case *c,
                        const char *where, const char *expected) {
    const str found = str_trim(str_from(rows_of(f, kind, c, where)));
    if (!str_equal(found, str_from(expected))) {
        fail_msg("%s, %s%s\n  expected %s\n  got      " STR_FORMAT, c->name, kind, where, expected,
                 STR_ARGS(found));
    }
}

static void assert_warning(struct project_fixture *f, const char *kind,
                           const struct rename_case *c) {
    const str head = str_format(&f->arena, "models/mart/%s_%s.sql: warning: columns changed: %s",
                                kind, c->name, c->warning);
    const bool found = str_find(text_str(&f->messages), head) != SIZE_MAX;
    if (found != (c->warning[0] != '\0')) {
        fail_msg("%s, %s: %s " STR_FORMAT "\n%s", c->name, kind, found ? "there is" : "there is no",
                 STR_ARGS(head), text_cstring(&f->messages));
    }
}

static void what_is_renamed_keeps_its_values_and_history(void **state) {
    struct project_fixture *f = *state;
    static const char *const VALUES[] = {
        "(1, 10, 'a@x.y'), (2, 20, 'b@x.y')",
        "(1, 11, 'a@x.y'), (2, 20, 'b@x.y'), (3, 30, 'c@x.y')",
        "(1, 11, 'a@x.y'), (2, 20, 'b@x.y'), (3, 30, 'c@x.y')",
        "(1, 11, 'a@x.y'), (2, 21, 'b@x.y'), (3, 30, 'c@x.y')",
    };
    for (int run = 1; run <= 4; run++) {
        write_sources(f, VALUES[run - 1], run >= 3);
        write_models(f, run);
        project_run(f);
        assert_int_equal(f->summary.failed, 0);
        for (size_t i = 0; run == 3 && i < ARRAY_COUNT(CASES); i++) {
            for (size_t j = 0; j < ARRAY_COUNT(KINDS); j++) {
                assert_warning(f, KINDS[j].name, &CASES[i]);
            }
        }
    }
    for (size_t i = 0; i < ARRAY_COUNT(CASES); i++) {
        assert_rows(f, "table", &CASES[i], "", CASES[i].current);
        assert_rows(f, "merge", &CASES[i], "", CASES[i].current);
        assert_rows(f, "tracked", &CASES[i], "", CASES[i].current);
        assert_rows(f, "scd2", &CASES[i], " WHERE is_current", CASES[i].current);
        assert_rows(f, "scd2", &CASES[i], " WHERE NOT is_current", CASES[i].closed);
    }
}

// A check that fails after the rename takes the name back, too.
static void a_failed_audit_takes_the_name_back(void **state) {
    struct project_fixture *f = *state;
    project_write(f, "models/raw/s.sql", "SELECT 1 AS id, 10 AS v\n");
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < ARRAY_COUNT(KINDS); j++) {
            const str path = str_format(&f->arena, "models/mart/%s.sql", KINDS[j].name);
            const str header =
                str_replace_all(&f->arena, str_from(KINDS[j].header), STR("%s"), STR("id"));
            const str text = str_format(
                &f->arena, STR_FORMAT "%s\n", STR_ARGS(header),
                i == 0 ? "SELECT id, v FROM raw.s"
                       : "-- @audit: max(value, <, 5)\nSELECT id, v AS value FROM raw.s");
            project_write(f, str_to_cstring(&f->arena, path), str_to_cstring(&f->arena, text));
        }
        project_run(f);
        assert_int_equal(f->summary.failed, i == 0 ? 0 : ARRAY_COUNT(KINDS));
    }
    assert_string_equal(project_query(f, "SELECT v FROM mart.table UNION ALL SELECT v FROM "
                                         "mart.append UNION ALL SELECT v FROM mart.merge UNION ALL "
                                         "SELECT v FROM mart.tracked UNION ALL SELECT v FROM "
                                         "mart.scd2"),
                        "10\n10\n10\n10\n10\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_renamed_keeps_its_values_and_history, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_failed_audit_takes_the_name_back, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
