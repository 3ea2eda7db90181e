// Column lineage on trees of the real parser: tests/sql/lineage.cases says what each query's
// columns are made of, and every query's column names are compared with those that DuckDB gives.
#include "lake/fixture.h"

#include "base/list.h"
#include "lake/ast.h"
#include "sql/lineage.h"
#include "sql/lineage_build.h"
#include "sql/lineage_database.h"

static struct fixture fixture;
static struct lineage_database database;

static const char SCHEMA[] =
    "CREATE TABLE t (a INTEGER, b INTEGER, c VARCHAR, d DATE, l INTEGER[], "
    "s STRUCT(x INTEGER, y STRUCT(z VARCHAR, \"odd, name\" INTEGER)), j JSON);"
    "CREATE TABLE u (a INTEGER, e INTEGER, f VARCHAR);"
    "CREATE TABLE v (a INTEGER, g INTEGER, \"Odd Name\" INTEGER);"
    "CREATE SCHEMA raw; CREATE TABLE raw.t (a INTEGER, r INTEGER);"
    "CREATE TABLE raw.orders (id INTEGER, customer_id INTEGER, amount DECIMAL(10,2), "
    "status VARCHAR, created_at TIMESTAMP);"
    "CREATE TABLE raw.customers (id INTEGER, name VARCHAR, country VARCHAR);"
    "CREATE VIEW w (wa, wb) AS SELECT a, b * 2 FROM t WHERE c = 'x';"
    "CREATE VIEW ww AS SELECT wa + wb AS total FROM w;"
    "CREATE MACRO double(x) AS x * 2;"
    "CREATE MACRO total(x) AS sum(x);"
    "CREATE MACRO same(x) AS x;"
    "CREATE MACRO pick(x, y := 0) AS coalesce(x, y);"
    "CREATE MACRO quad(x) AS double(double(x));"
    "CREATE MACRO over(x) AS x, (x, y) AS x + y;"
    "CREATE MACRO biggest() AS (SELECT max(e) FROM u);"
    "CREATE MACRO per(x) AS TABLE SELECT a, b + x AS bx FROM t;"
    "CREATE MACRO rows_of() AS TABLE SELECT * FROM u;";

static void run_script(const char *script) {
    struct str_splitter statements = {.rest = str_from(script)};
    str statement;
    while (str_split_next(&statements, ';', &statement)) {
        if (str_trim(statement).size > 0) {
            ASSERT_OK(&fixture, lake_execute(fixture.connection, statement, LAKE_NO_VALUES, NULL,
                                             &fixture.err));
        }
    }
}

// As a project's views are registered: DuckDB is not asked what is one.
static void register_view(str statement) {
    struct sql_view *view = ARENA_NEW(&fixture.arena, struct sql_view);
    str ast;
    if (sql_view_read(&fixture.arena, statement, view)) {
        ASSERT_OK(&fixture, lake_ast_read(fixture.connection, &fixture.arena, view->body, &ast,
                                          &fixture.err));
        lineage_database_add_view(&database, view, ast);
    }
}

static void register_views(const char *script) {
    struct str_splitter statements = {.rest = str_from(script)};
    str statement;
    while (str_split_next(&statements, ';', &statement)) {
        register_view(str_trim(statement));
    }
}

static int open_lake(void **state) {
    (void)state;
    fixture_init(&fixture);
    fixture_open(&fixture);
    run_script(SCHEMA);
    lineage_database_init(&database, &fixture.arena, fixture.connection);
    database.asks_tables = true;
    register_views(SCHEMA);
    database.asks_calls = true;
    return 0;
}

static int close_lake(void **state) {
    (void)state;
    fixture_done(&fixture);
    return 0;
}

static struct lineage read_with(const struct lineage_catalog *catalog, str sql) {
    str ast;
    struct lineage lineage;
    ASSERT_OK(&fixture, lake_ast_read(fixture.connection, &fixture.arena, sql, &ast, &fixture.err));
    ASSERT_OK(&fixture, lineage_read(&fixture.arena, ast, catalog, &lineage, &fixture.err));
    return lineage;
}

// ── Text ──

static str short_name(str table) {
    return str_starts_with(table, STR("main.")) ? str_from_offset(table, 5) : table;
}

static void add_source(struct text *out, const struct lineage_source *source) {
    if (source->transformation == LINEAGE_FUNCTION) {
        text_format(out, STR_FORMAT "() ", STR_ARGS(source->function));
    } else if (source->transformation == LINEAGE_AGGREGATION) {
        text_format(out, "agg " STR_FORMAT "() ", STR_ARGS(source->function));
    } else if (source->transformation != LINEAGE_IDENTITY) {
        text_format(out, STR_FORMAT " ",
                    STR_ARGS(str_to_lower(out->arena,
                                          lineage_transformation_name(source->transformation))));
    }
    text_format(out, STR_FORMAT "." STR_FORMAT, STR_ARGS(short_name(source->table)),
                STR_ARGS(source->column));
}

static void add_indirect(struct text *out, const struct lineage_indirect_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        const struct lineage_indirect *entry = &list->items[i];
        text_format(out, "%s" STR_FORMAT " " STR_FORMAT "." STR_FORMAT, i > 0 ? ", " : "",
                    STR_ARGS(lineage_use_name(entry->use)), STR_ARGS(short_name(entry->table)),
                    STR_ARGS(entry->column));
    }
}

// "  name: t.a, cast t.b [window t.c]" a column, "  | filter t.a" for all, "  ! note".
static str lineage_text(const struct lineage *lineage) {
    struct text out;
    text_init(&out, &fixture.arena);
    for (size_t i = 0; i < lineage->columns.count; i++) {
        const struct lineage_column *column = &lineage->columns.items[i];
        text_format(&out, "  " STR_FORMAT "%s:", STR_ARGS(column->name),
                    column->untraced ? " (untraced)" : "");
        for (size_t j = 0; j < column->sources.count; j++) {
            text_add(&out, j > 0 ? STR(", ") : STR(" "));
            add_source(&out, &column->sources.items[j]);
        }
        if (column->indirect.count > 0) {
            text_add(&out, STR(" ["));
            add_indirect(&out, &column->indirect);
            text_add(&out, STR("]"));
        }
        text_add(&out, STR("\n"));
    }
    if (lineage->indirect.count > 0) {
        text_add(&out, STR("  | "));
        add_indirect(&out, &lineage->indirect);
        text_add(&out, STR("\n"));
    }
    for (size_t i = 0; i < lineage->notes.count; i++) {
        text_format(&out, "  ! " STR_FORMAT "\n", STR_ARGS(lineage->notes.items[i]));
    }
    return text_str(&out);
}

// ── Cases ──

struct lineage_case {
    str sql;
    str expected;
};

struct case_list {
    struct lineage_case *items;
    size_t count;
    size_t capacity;
};

// Two spaces; the further lines of a query have more.
static bool is_answer(str line) {
    return str_starts_with(line, STR("  ")) && !str_starts_with(line, STR("    "));
}

// A query begins at the margin and goes on until the indented lines that are its answer.
static void read_cases(str text, struct case_list *cases) {
    struct str_splitter lines = {.rest = text};
    str line;
    const char *start = NULL;
    while (str_split_next(&lines, '\n', &line)) {
        if (line.size == 0 || str_starts_with(line, STR("#"))) {
            start = NULL;
        } else if (!is_answer(line)) {
            if (start == NULL) {
                LIST_PUSH(&fixture.arena, cases, ((struct lineage_case){0}));
                start = line.data;
            }
            struct lineage_case *at = &cases->items[cases->count - 1];
            at->sql = (str){start, (size_t)(line.data - start) + line.size};
        } else if (cases->count > 0) {
            start = NULL;
            struct lineage_case *at = &cases->items[cases->count - 1];
            const char *first = at->expected.size > 0 ? at->expected.data : line.data;
            at->expected = (str){first, (size_t)(line.data - first) + line.size + 1};
        }
    }
}

static str cases_path(void) {
    return STR(COYPU_SOURCE_DIR "/tests/sql/lineage.cases");
}

// With LINEAGE_UPDATE set the file is written anew: its difference is to be read like code.
static void update_cases(str text) {
    struct text out;
    text_init(&out, &fixture.arena);
    struct str_splitter lines = {.rest = text};
    str line;
    str sql = {0};
    while (str_split_next(&lines, '\n', &line)) {
        const bool is_sql = line.size > 0 && line.data[0] != '#' && !is_answer(line);
        if (!is_sql && sql.size > 0) {
            const struct lineage lineage = read_with(&database.catalog, sql);
            text_add(&out, lineage_text(&lineage));
            sql = (str){0};
        }
        if (is_sql) {
            sql = sql.size > 0 ? (str){sql.data, (size_t)(line.data - sql.data) + line.size} : line;
        }
        if (!is_answer(line)) {
            text_add(&out, line);
            text_add_char(&out, '\n');
        }
    }
    while (out.size > 1 && out.data[out.size - 2] == '\n') {
        out.size--;
    }
    ASSERT_OK(&fixture, file_write_atomic(cases_path(), text_str(&out), 0644, &fixture.err));
}

static struct case_list load_cases(void) {
    str text;
    struct case_list cases = {0};
    ASSERT_OK(&fixture, file_read(&fixture.arena, cases_path(), &text, &fixture.err));
    if (getenv("LINEAGE_UPDATE") != NULL) {
        update_cases(text);
        ASSERT_OK(&fixture, file_read(&fixture.arena, cases_path(), &text, &fixture.err));
    }
    read_cases(text, &cases);
    assert_true(cases.count > 200);
    return cases;
}

static void columns_come_from_where_the_cases_say(void **state) {
    (void)state;
    const struct case_list cases = load_cases();
    size_t failures = 0;
    for (size_t i = 0; i < cases.count; i++) {
        const struct lineage lineage = read_with(&database.catalog, cases.items[i].sql);
        const str found = lineage_text(&lineage);
        if (!str_equal(found, cases.items[i].expected)) {
            print_error(STR_FORMAT "\nexpected:\n" STR_FORMAT "got:\n" STR_FORMAT,
                        STR_ARGS(cases.items[i].sql), STR_ARGS(cases.items[i].expected),
                        STR_ARGS(found));
            failures++;
        }
    }
    assert_int_equal(failures, 0);
}

// The names that DuckDB makes of some expressions cannot be had from the tree: of a lambda written
// with an arrow or with the word.
static bool is_same_name(str ours, str theirs) {
    return str_equal(ours, theirs) || str_find(theirs, STR("(lambda ")) != SIZE_MAX;
}

// Inside other queries, where DuckDB also makes names of its own unique.
static const char *const WRAPPERS[] = {
    "%s",
    "SELECT * FROM (%s) AS wrapped",
    "WITH wrapped AS (%s) SELECT * FROM wrapped UNION ALL SELECT * FROM wrapped",
    "SELECT DISTINCT * FROM (SELECT * FROM (%s) AS inner_one) AS wrapped ORDER BY ALL",
};

static bool has_names_of(str sql, const struct lineage *lineage) {
    struct lake_column *columns;
    size_t count = 0;
    if (lake_describe(fixture.connection, &fixture.arena, sql, &columns, &count, &fixture.err) !=
        ERROR_NONE) {
        print_error(STR_FORMAT "\n  %s\n", STR_ARGS(sql), fixture.err.message);
        return false;
    }
    bool same = count == lineage->columns.count;
    struct str_list names = {0};
    for (size_t i = 0; i < count; i++) {
        same = same && is_same_name(lineage->columns.items[i].name, columns[i].name);
        str_list_push(&fixture.arena, &names, columns[i].name);
    }
    if (!same) {
        print_error(STR_FORMAT "\n  DuckDB: " STR_FORMAT "\n" STR_FORMAT, STR_ARGS(sql),
                    STR_ARGS(str_list_join(&fixture.arena, &names, STR(" | "))),
                    STR_ARGS(lineage_text(lineage)));
    }
    return same;
}

static str wrapped_sql(const char *wrapper, str sql) {
    return str_replace_all(&fixture.arena, str_from(wrapper), STR("%s"), sql);
}

static void names_and_number_of_columns_are_those_of_duckdb(void **state) {
    (void)state;
    const struct case_list cases = load_cases();
    size_t failures = 0;
    for (size_t i = 0; i < cases.count; i++) {
        for (size_t j = 0; j < ARRAY_COUNT(WRAPPERS); j++) {
            const str sql = wrapped_sql(WRAPPERS[j], cases.items[i].sql);
            const struct lineage lineage = read_with(&database.catalog, sql);
            failures += has_names_of(sql, &lineage) ? 0 : 1;
        }
    }
    assert_int_equal(failures, 0);
}

// A struct is as many columns as it has fields, whatever its alias says.
static void what_unnest_may_make_of_an_unknown_type_is_open(void **state) {
    (void)state;
    struct lineage lineage =
        read_with(&database.catalog, STR("SELECT a, unnest(coalesce(s, NULL)) FROM t"));
    assert_true(str_equal(lineage_text(&lineage),
                          STR("  a: t.a\n  * (untraced): conditional t.s\n  | join t.s\n"
                              "  ! the columns of unnest(COALESCE(s, NULL)) are not known\n")));
    lineage = read_with(&database.catalog, STR("SELECT unnest(nobody.knows) AS x FROM nobody"));
    assert_true(str_equal(lineage.columns.items[0].name, STR("x")));
    assert_true(lineage.columns.items[0].is_open);
    lineage = read_with(&database.catalog,
                        STR("SELECT x FROM (SELECT unnest(nobody.knows) AS x FROM nobody)"));
    assert_false(lineage.columns.items[0].is_open);
}

// ── Sound: what is not listed changes nothing ──

// Small values that meet in joins, with NULLs and duplicates.
static const char ROWS[] =
    "INSERT INTO t VALUES (1, 2, 'x', DATE '2020-01-01', [1, 2], {'x': 1, 'y': {'z': 'p', 'odd, "
    "name': 1}}, "
    "'{\"k\": 1}'), (2, 1, 'y', DATE '2020-02-01', [3], {'x': 2, 'y': {'z': 'q', 'odd, name': 2}}, "
    "'{\"k\": 2}'), "
    "(3, 4, 'x', DATE '2020-03-01', [2], {'x': 3, 'y': {'z': 'r', 'odd, name': 3}}, '{\"k\": 3}'), "
    "(4, NULL, NULL, NULL, [], NULL, NULL), (1, 3, 'x', DATE '2020-01-05', [5], NULL, '{\"k\": "
    "4}');"
    "INSERT INTO u VALUES (1, 2, 'x'), (2, 1, 'y'), (2, 4, 'x'), (5, 3, NULL), (3, NULL, 'e');"
    "INSERT INTO v VALUES (1, 3, 10), (2, 4, 20), (6, 1, 30);"
    "INSERT INTO raw.t VALUES (1, 7), (2, 8), (9, 9);"
    "INSERT INTO raw.orders VALUES (1, 1, 5, 'paid', TIMESTAMP '2020-01-01'), "
    "(2, 1, 7, 'paid', TIMESTAMP '2020-02-01'), (3, 2, 9, 'open', TIMESTAMP '2020-02-02');"
    "INSERT INTO raw.customers VALUES (1, 'a', 'SE'), (2, 'b', 'NO'), (3, 'c', 'SE');";

// A column, and an expression that gives it other values.
static const struct {
    const char *table;
    const char *column;
    const char *value;
} CHANGES[] = {
    {"main.t", "a", "(coalesce(a, 0) * 3 + 1) % 5"},
    {"main.t", "b", "(coalesce(b, 0) * 3 + 1) % 5"},
    {"main.t", "c", "CASE WHEN c = 'x' THEN 'zz' ELSE 'x' END"},
    {"main.t", "d", "coalesce(d, DATE '2021-01-01') + 400 - a * 300"},
    {"main.t", "l", "[a, 9]"},
    {"main.t", "s", "{'x': a + 7, 'y': {'z': 'w' || a, 'odd, name': a}}"},
    {"main.t", "j", "'{\"k\": 77}'"},
    {"main.u", "a", "(coalesce(a, 0) * 3 + 1) % 5"},
    {"main.u", "e", "(coalesce(e, 0) * 3 + 1) % 5"},
    {"main.u", "f", "CASE WHEN f = 'x' THEN 'y' ELSE 'x' END"},
    {"main.v", "a", "(a * 3 + 1) % 5"},
    {"main.v", "g", "(g * 3 + 1) % 5"},
    {"main.v", "Odd Name", "1"},
    {"raw.t", "a", "a + 1"},
    {"raw.t", "r", "r * 2"},
    {"raw.orders", "id", "id + 1"},
    {"raw.orders", "customer_id", "3 - customer_id"},
    {"raw.orders", "amount", "amount * 2 + id"},
    {"raw.orders", "status", "CASE status WHEN 'paid' THEN 'open' ELSE 'paid' END"},
    {"raw.orders", "created_at", "TIMESTAMP '2021-03-04' - created_at + TIMESTAMP '2020-01-01'"},
    {"raw.customers", "id", "id + 1"},
    {"raw.customers", "name", "name || 'z'"},
    {"raw.customers", "country", "CASE country WHEN 'SE' THEN 'NO' ELSE 'DK' END"},
};

// The values of each column, in no order; false when the query cannot be run.
static bool column_values(str sql, struct str_list *columns) {
    LAKE_RESULT result = NULL;
    struct str_list *values = NULL;
    *columns = (struct str_list){0};
    if (lake_query(fixture.connection, sql, LAKE_NO_VALUES, &result, &fixture.err) != ERROR_NONE) {
        return false;
    }
    const size_t count = lake_result_column_count(result);
    values = ARENA_ARRAY(&fixture.arena, struct str_list, count);
    while (lake_result_next(result)) {
        for (size_t i = 0; i < count; i++) {
            str_list_push(&fixture.arena, &values[i],
                          lake_result_is_null(result, i)
                              ? STR("NULL")
                              : str_copy(&fixture.arena, lake_result_text(result, i)));
        }
    }
    for (size_t i = 0; i < count; i++) {
        str_list_sort(&values[i]);
        str_list_push(&fixture.arena, columns,
                      str_list_join(&fixture.arena, &values[i], STR("\x01")));
    }
    return true;
}

static bool has_indirect(const struct lineage_indirect_list *list, str table, str column) {
    for (size_t i = 0; i < list->count; i++) {
        if (str_equal_nocase(list->items[i].table, table) &&
            str_equal_nocase(list->items[i].column, column)) {
            return true;
        }
    }
    return false;
}

static bool is_listed(const struct lineage *lineage, size_t index, str table, str column) {
    const struct lineage_column *output = &lineage->columns.items[index];
    for (size_t i = 0; i < output->sources.count; i++) {
        if (str_equal_nocase(output->sources.items[i].table, table) &&
            str_equal_nocase(output->sources.items[i].column, column)) {
            return true;
        }
    }
    return has_indirect(&output->indirect, table, column) ||
           has_indirect(&lineage->indirect, table, column);
}

// Results that differ from run to run prove nothing.
static bool is_stable(str sql) {
    static const char *const WORDS[] = {"random", "now()", "current_", "SAMPLE", "rowid"};
    for (size_t i = 0; i < ARRAY_COUNT(WORDS); i++) {
        if (str_find(sql, str_from(WORDS[i])) != SIZE_MAX) {
            return false;
        }
    }
    return true;
}

static size_t check_change(str sql, const struct lineage *lineage, const struct str_list *before,
                           size_t change) {
    struct arena *arena = &fixture.arena;
    const str table = str_from(CHANGES[change].table);
    const str column = str_from(CHANGES[change].column);
    struct str_list after;
    size_t failures = 0;
    run_script("BEGIN");
    run_script(str_to_cstring(
        arena, str_format(arena, "UPDATE " STR_FORMAT " SET " STR_FORMAT " = %s", STR_ARGS(table),
                          STR_ARGS(lake_quote_name(arena, column)), CHANGES[change].value)));
    const bool ran = column_values(sql, &after);
    for (size_t i = 0; ran && i < before->count && i < after.count; i++) {
        if (!str_equal(before->items[i], after.items[i]) && !is_listed(lineage, i, table, column)) {
            print_error(STR_FORMAT "\n  " STR_FORMAT " depends on " STR_FORMAT "." STR_FORMAT
                                   ":\n" STR_FORMAT,
                        STR_ARGS(sql), STR_ARGS(lineage->columns.items[i].name), STR_ARGS(table),
                        STR_ARGS(column), STR_ARGS(lineage_text(lineage)));
            failures++;
        }
    }
    run_script("ROLLBACK");
    return failures;
}

static void a_column_that_is_not_listed_changes_nothing(void **state) {
    (void)state;
    const struct case_list cases = load_cases();
    size_t failures = 0;
    run_script(ROWS);
    for (size_t i = 0; i < cases.count; i++) {
        const struct lineage lineage = read_with(&database.catalog, cases.items[i].sql);
        struct str_list before;
        if (!is_stable(cases.items[i].sql) || !column_values(cases.items[i].sql, &before)) {
            continue;
        }
        assert_int_equal(before.count, lineage.columns.count);
        for (size_t j = 0; j < ARRAY_COUNT(CHANGES); j++) {
            bool is_read = false;
            for (size_t k = 0; k < lineage.occurrences.count; k++) {
                is_read = is_read || str_equal_nocase(lineage.occurrences.items[k].table,
                                                      str_from(CHANGES[j].table));
            }
            failures += is_read ? check_change(cases.items[i].sql, &lineage, &before, j) : 0;
        }
    }
    assert_int_equal(failures, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_come_from_where_the_cases_say),
        cmocka_unit_test(names_and_number_of_columns_are_those_of_duckdb),
        cmocka_unit_test(what_unnest_may_make_of_an_unknown_type_is_open),
        cmocka_unit_test(a_column_that_is_not_listed_changes_nothing),
    };
    return cmocka_run_group_tests(tests, open_lake, close_lake);
}
