// Splitting SQL texts, running files of statements, reading ATTACH, and pinned extensions.

#include "lake/script.h"

#include "fixture.h"

struct split_case {
    const char *text;
    const char *parts; // joined by '|'
};
static const struct split_case splits[] = {
    {"", ""},
    {" ; ;; -- x\n", ""},
    {"SELECT 1", "SELECT 1"},
    {"SELECT 1; -- c\nSELECT 2;", "SELECT 1|SELECT 2"},
    {"SELECT ';' ; SELECT \"a;b\"", "SELECT ';'|SELECT \"a;b\""},
    {"SELECT 'it''s;' ;1", "SELECT 'it''s;'|1"},
    {"SELECT e'\\';' ;1", "SELECT e'\\';'|1"},
    {"SELECT $$;$$, $a$;$$;$a$; 2", "SELECT $$;$$, $a$;$$;$a$|2"},
    {"SELECT $1; 2", "SELECT $1|2"},
    {"/* ; /* ; */ ; */ SELECT 1 /* ; */;2", "SELECT 1|2"},
    {"SELECT 'open; 2", "SELECT 'open; 2"},
};

static void text_is_split_at_its_semicolons(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(splits); i++) {
        SCRATCH(scratch);
        struct sql_statement_list statements = {0};
        sql_split(&scratch, str_from(splits[i].text), &statements);
        struct str_list parts = {0};
        for (size_t k = 0; k < statements.count; k++) {
            str_list_push(&scratch, &parts, statements.items[k].text);
            assert_ptr_equal(statements.items[k].text.data,
                             splits[i].text + statements.items[k].offset);
        }
        ASSERT_STR(str_list_join(&scratch, &parts, STR("|")), splits[i].parts);
    }
}

static void script_stops_at_the_first_error_with_its_line(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_open(&f);
    const str text =
        STR("LOAD json;\nCREATE TABLE t(a INTEGER);\n\n  INSERT INTO t\n  VALUES (1),\n"
            "    ('x');\nINSERT INTO t VALUES (2);\n");
    assert_int_equal(lake_script_run(f.connection, STR("sql/a.sql"), text, NULL, &f.err),
                     ERROR_INVALID);
    assert_string_equal(f.err.message, "could not convert string 'x' to INT32");
    assert_string_equal(f.err.pos.file, "sql/a.sql");
    assert_int_equal(f.err.pos.line, 6);
    assert_int_equal(f.err.pos.column, 6);
    assert_string_equal(f.err.source_line, "    ('x');");
    assert_int_equal(fixture_int64(&f, "SELECT count(*) FROM t"), 0);
    fixture_done(&f);
}

struct attach_case {
    const char *statement;
    const char *path;
    const char *alias;
    const char *options;
};
static const struct attach_case attaches[] = {
    {"ATTACH 'ducklake:x'", "ducklake:x", "", ""},
    {"attach if not exists 'a''b' AS \"my lake\"", "a'b", "my lake", ""},
    {"ATTACH OR REPLACE 'p' /* c */ as lake (DATA_PATH 'd)/', -- )\n READ_ONLY)", "p", "lake",
     "DATA_PATH 'd)/', -- )\n READ_ONLY"},
};

static void attach_is_read(void **state) {
    (void)state;
    SCRATCH(scratch);
    for (size_t i = 0; i < ARRAY_COUNT(attaches); i++) {
        const struct attach_text attach =
            attach_text_parse(&scratch, str_from(attaches[i].statement));
        assert_true(attach.is_attach);
        ASSERT_STR(attach.path, attaches[i].path);
        ASSERT_STR(attach.alias, attaches[i].alias);
        ASSERT_STR(attach.options, attaches[i].options);
    }
    assert_false(attach_text_parse(&scratch, STR("SELECT 'ATTACH'")).is_attach);
}

static void sqlite_catalog_is_in_wal_mode(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_attach(&f, "sqlite:");
    fixture_execute(&f, "CREATE TABLE t(a INTEGER)");
    assert_int_equal(lake_catalog_kind(f.lake), LAKE_CATALOG_SQLITE);
    fixture_close(&f);
    str file = {0};
    const str path = path_join(&f.arena, str_from(f.folder), STR("catalog"));
    ASSERT_OK(&f, file_read(&f.arena, path, &file, &f.err));
    enum { WRITE_VERSION_AT = 18, WAL = 2 }; // in SQLite's file header
    assert_int_equal(file.data[WRITE_VERSION_AT], WAL);
    fixture_attach(&f, "sqlite:");
    ASSERT_STR(lake_catalog_path(f.lake),
               str_to_cstring(&f.arena, str_format(&f.arena, "%s/catalog", f.folder)));
    fixture_done(&f);
}

static void two_lakes_are_refused(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_open(&f);
    const str text = str_format(
        &f.arena, "ATTACH 'ducklake:%s/a' AS a;\nATTACH 'ducklake:%s/b' AS b;", f.folder, f.folder);
    assert_int_equal(lake_attach(f.connection, STR("config/catalog.sql"), text,
                                 &(struct lake_attach_options){0}, &f.err),
                     ERROR_INVALID);
    assert_string_equal(f.err.message,
                        "two DuckLake catalogs are attached, \"a\" and \"b\": a project has one");
    fixture_done(&f);
}

// ── Extensions ──

static enum error_code open_with(struct fixture *f, str extensions) {
    const struct lake_options options = {.library_path = STR(COYPU_DEPS_DIR "/lib/libduckdb.so"),
                                         .extension_directory = extensions,
                                         .cache_directory = str_from(f->folder)};
    ASSERT_OK(f, lake_open(&f->context, &options, &f->lake, &f->err));
    ASSERT_OK(f, lake_connect(f->lake, &f->connection, &f->err));
    return lake_load_extension(f->connection, STR("ducklake"), &f->err);
}

static void extension_of_another_content_is_refused(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    const str path = path_join(&f.arena, str_from(f.folder), STR("ducklake.duckdb_extension"));
    ASSERT_OK(&f, file_write_atomic(path, STR("not it"), 0666, &f.err));
    assert_int_equal(open_with(&f, str_from(f.folder)), ERROR_INVALID);
    const str expected =
        str_format(&f.arena,
                   "the DuckDB extension " STR_FORMAT " is not the file that was pinned: SHA-256 "
                   "06121725c433ccd0469b52730a723e66a9c1e31c67c42b1dba6b501f0bf94c9d, expected "
                   "e51bf9e8d933d0e83780ae096455501b542cf962569a2ce5613532d702c08302",
                   STR_ARGS(path));
    ASSERT_STR(expected, f.err.message);
    fixture_done(&f);
}

static void missing_extension_names_folder_and_remedy(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    assert_int_equal(open_with(&f, STR("/nowhere")), ERROR_NOT_FOUND);
    assert_string_equal(f.err.message, "the DuckDB extension ducklake is not in /nowhere");
    assert_string_equal(f.err.hint, "run ./dev setup to install it");
    fixture_done(&f);
}

static void verified_extension_is_remembered(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    ASSERT_OK(&f, open_with(&f, STR(COYPU_DEPS_DIR "/extensions")));
    const str record = path_join(&f.arena, str_from(f.folder), STR("extensions"));
    str before = {0};
    ASSERT_OK(&f, file_read(&f.arena, record, &before, &f.err));
    assert_true(str_ends_with(before, STR("/extensions/ducklake.duckdb_extension\n")));
    fixture_close(&f);
    ASSERT_OK(&f, open_with(&f, STR(COYPU_DEPS_DIR "/extensions")));
    str after = {0};
    ASSERT_OK(&f, file_read(&f.arena, record, &after, &f.err));
    assert_true(str_equal(before, after));
    fixture_done(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_split_at_its_semicolons),
        cmocka_unit_test(script_stops_at_the_first_error_with_its_line),
        cmocka_unit_test(attach_is_read),
        cmocka_unit_test(sqlite_catalog_is_in_wal_mode),
        cmocka_unit_test(two_lakes_are_refused),
        cmocka_unit_test(extension_of_another_content_is_refused),
        cmocka_unit_test(missing_extension_names_folder_and_remedy),
        cmocka_unit_test(verified_extension_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
