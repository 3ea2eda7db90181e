// The fetch contract from SQL to rows, with libs that make their rows themselves.

#include "base/interrupt.h"
#include "fixture.h"

#include <pthread.h>
#include <time.h>

enum { COLUMNS_MAX = 8, CALLS_MAX = 3 };

struct column {
    const char *name;
    const char *cast; // NULL: none
};

struct call {
    const char *lib;
    const char *arguments[3]; // "x := 1" is named
    struct column columns[COLUMNS_MAX];
    bool all;
};

struct fetch_case {
    const char *name;
    const char *lib;   // text of lib/api.star
    const char *other; // text of lib/other.star, may be NULL
    struct call calls[CALLS_MAX];
    const char *sql;      // one text column a row
    const char *expected; // rows joined by "|", or "error: …", or "aborted"
    bool strict;
};

#define ROWS(rows) "API = {\"fetch\": {}}\ndef fetch(page):\n    return {\"rows\": " rows "}\n"
#define PAGES(pages)                                                                               \
    "API = {\"fetch\": {\"page_size\": 2}}\nPAGES = " pages "\n"                                   \
    "def fetch(page):\n    n = page.number\n"                                                      \
    "    return {\"rows\": PAGES[n - 1], \"next\": n if n < len(PAGES) else None}\n"

static const struct fetch_case cases[] = {
    {"streams a call whose columns have casts",
     ROWS("[{\"id\": 1, \"n\": \"a\"}, {\"id\": 2}]"),
     NULL,
     {{"api", {0}, {{"id", "BIGINT"}, {"n", "VARCHAR"}}, false}},
     "SELECT concat(id::BIGINT, '-', n::VARCHAR) FROM api()",
     "1-a|2-",
     false},
    {"follows next to the last page",
     PAGES("[[{\"id\": 1}], [{\"id\": 2}, {\"id\": 3}], []]"),
     NULL,
     {{"api", {0}, {{"id", "INTEGER"}}, false}},
     "SELECT id::INTEGER FROM api()",
     "1|2|3",
     false},
    {"types a column without a cast by all rows: text wins, int first",
     PAGES("[[{\"v\": 1}], [{\"v\": \"x2\"}]]"),
     NULL,
     {{"api", {0}, {{"v", NULL}}, false}},
     "SELECT v || ' ' || typeof(v) FROM api()",
     "1 VARCHAR|x2 VARCHAR",
     false},
    {"types a column without a cast by all rows: text wins, text first",
     PAGES("[[{\"v\": \"x2\"}], [{\"v\": 1}]]"),
     NULL,
     {{"api", {0}, {{"v", NULL}}, false}},
     "SELECT v || ' ' || typeof(v) FROM api()",
     "x2 VARCHAR|1 VARCHAR",
     false},
    {"widens int and float to DOUBLE, either order",
     PAGES("[[{\"a\": 1, \"b\": 1.5}], [{\"a\": 1.5, \"b\": 1}]]"),
     NULL,
     {{"api", {0}, {{"a", NULL}, {"b", NULL}}, false}},
     "SELECT concat(typeof(a), a, typeof(b), b) FROM api()",
     "DOUBLE1.0DOUBLE1.5|DOUBLE1.5DOUBLE1.0",
     false},
    {"keeps an int that no double holds as text beside a float",
     ROWS("[{\"a\": 9007199254740993}, {\"a\": 0.5}]"),
     NULL,
     {{"api", {0}, {{"a", NULL}}, false}},
     "SELECT typeof(a) || a FROM api()",
     "VARCHAR9007199254740993|VARCHAR0.5",
     false},
    {"keeps ints beyond 64 bits exact",
     ROWS("[{\"a\": 12345678901234567890123}]"),
     NULL,
     {{"api", {0}, {{"a", NULL}}, false}},
     "SELECT typeof(a) || a FROM api()",
     "HUGEINT12345678901234567890123",
     false},
    {"keeps ints beyond 128 bits as digits",
     ROWS("[{\"a\": 1 << 200}]"),
     NULL,
     {{"api", {0}, {{"a", NULL}}, false}},
     "SELECT typeof(a) || a FROM api()",
     "VARCHAR1606938044258990275541962092341162602522202993782792835301376",
     false},
    {"keeps the digits of lazy JSON",
     "API = {\"fetch\": {}}\ndef fetch(page):\n"
     "    d = json.decode('{\"data\": [{\"id\": 12345678901234567890, \"p\": 0.1}]}')\n"
     "    return {\"rows\": d[\"data\"]}\n",
     NULL,
     {{"api", {0}, {{"id", "HUGEINT"}, {"p", "DECIMAL(10,2)"}}, false}},
     "SELECT concat(id::HUGEINT, ' ', p::DECIMAL(10,2)) FROM api()",
     "12345678901234567890 0.10",
     false},
    {"gives a column that no row has as NULL",
     ROWS("[{\"a\": 1}]"),
     NULL,
     {{"api", {0}, {{"a", NULL}, {"nope", NULL}}, false}},
     "SELECT concat(a, typeof(nope), nope IS NULL) FROM api()",
     "1VARCHARtrue",
     false},
    {"matches keys without case",
     ROWS("[{\"Id\": 1}, {\"ID\": 2}]"),
     NULL,
     {{"api", {0}, {{"id", "INTEGER"}}, false}},
     "SELECT id::INTEGER FROM api()",
     "1|2",
     false},
    {"refuses two keys that differ only in case",
     ROWS("[{\"Id\": 1, \"id\": 2}]"),
     NULL,
     {{"api", {0}, {{"id", "INTEGER"}}, false}},
     "SELECT id::INTEGER FROM api()",
     "error: lib api: row 1 of page 1: the keys \"Id\" and \"id\" differ only in case",
     false},
    {"gives every key to SELECT *, by name",
     ROWS("[{\"b\": 1, \"a\": True}, {\"c\": [1, {\"k\": None}]}]"),
     NULL,
     {{"api", {0}, {{0}}, true}},
     "SELECT concat_ws(',', a, b, c) FROM (SELECT * FROM api())",
     "true,1|[1,{\"k\":null}]",
     false},
    {"stages lists and dicts for nested casts",
     ROWS("[{\"l\": [1, 2], \"s\": {\"a\": \"x\"}}]"),
     NULL,
     {{"api", {0}, {{"l", "INTEGER[]"}, {"s", "STRUCT(a VARCHAR)"}}, false}},
     "SELECT concat(l::INTEGER[]::VARCHAR, s::STRUCT(a VARCHAR)::VARCHAR) FROM api()",
     "[1, 2]{'a': x}",
     false},
    {"casts text as SQL does",
     ROWS("[{\"d\": \"2024-01-02\", \"i\": \"42\", \"b\": \"yes\"}]"),
     NULL,
     {{"api", {0}, {{"d", "DATE"}, {"i", "INTEGER"}, {"b", "BOOLEAN"}}, false}},
     "SELECT concat(d::DATE, ' ', i::INTEGER, ' ', b::BOOLEAN) FROM api()",
     "2024-01-02 42 true",
     false},
    {"names row, page, column and value of what does not fit",
     PAGES("[[{\"i\": 1}], [{\"i\": 2}, {\"i\": \"abc\"}]]"),
     NULL,
     {{"api", {0}, {{"i", "INTEGER"}}, false}},
     "SELECT i::INTEGER FROM api()",
     "error: lib api: row 2 of page 2: column \"i\": cannot cast \"abc\" to BIGINT",
     false},
    {"lets TRY_CAST see what does not fit",
     ROWS("[{\"i\": \"abc\"}]"),
     NULL,
     {{"api", {0}, {{"i", NULL}}, false}},
     "SELECT coalesce(TRY_CAST(i AS INTEGER), -1) FROM api()",
     "-1",
     false},
    {"refuses an empty dict",
     ROWS("[{\"a\": 1}, {}]"),
     NULL,
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "error: lib api: row 2 of page 1 has no columns",
     false},
    {"refuses a row that is no dict",
     ROWS("[3]"),
     NULL,
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "error: lib api: row 1 of page 1 is not a dict but of type int",
     false},
#define DECODED(rows)                                                                              \
    "API = {\"fetch\": {}}\ndef fetch(page):\n    return {\"rows\": json.decode('" rows "')}\n"
    {"names the type of a row that is no dict as scripts do, in untouched JSON too: int",
     DECODED("[{\"a\":1}, 5]"),
     NULL,
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "error: lib api: row 2 of page 1 is not a dict but of type int",
     false},
    {"… float",
     DECODED("[{\"a\":1}, 5.5]"),
     NULL,
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "error: lib api: row 2 of page 1 is not a dict but of type float",
     false},
    {"… an int beyond 64 bits",
     DECODED("[{\"a\":1}, 123456789012345678901234567890]"),
     NULL,
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "error: lib api: row 2 of page 1 is not a dict but of type int",
     false},
    {"… string",
     DECODED("[{\"a\":1}, \"x\"]"),
     NULL,
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "error: lib api: row 2 of page 1 is not a dict but of type string",
     false},
    {"… list",
     DECODED("[{\"a\":1}, []]"),
     NULL,
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "error: lib api: row 2 of page 1 is not a dict but of type list",
     false},
    {"… NoneType",
     DECODED("[{\"a\":1}, null]"),
     NULL,
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "error: lib api: row 2 of page 1 is not a dict but of type NoneType",
     false},
    {"… bool",
     DECODED("[{\"a\":1}, true]"),
     NULL,
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "error: lib api: row 2 of page 1 is not a dict but of type bool",
     false},
    {"refuses an empty key as a column of SELECT *",
     ROWS("[{\"a\": 1, \"\": 2}]"),
     NULL,
     {{"api", {0}, {{NULL, NULL}}, true}},
     "SELECT a::VARCHAR FROM api()",
     "error: lib api: row 1 of page 1: the key \"\" cannot be a column's name",
     false},
    {"refuses a key with a zero byte as a column of SELECT *",
     DECODED("[{\"a\": 1}, {\"a\\\\u0000x\": 2}]"),
     NULL,
     {{"api", {0}, {{NULL, NULL}}, true}},
     "SELECT a::VARCHAR FROM api()",
     "error: lib api: row 2 of page 1: the key \"a\\u0000x\" cannot be a column's name",
     false},
    {"leaves keys that no column can have where SQL does not ask for them",
     ROWS("[{\"a\": 1, \"\": 2, \"a\\000x\": 3}]"),
     NULL,
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "1",
     false},
    {"counts rows whatever their keys are",
     ROWS("[{\"\": 2}, {\"a\\000x\": 3}, {\"column\": 1}]"),
     NULL,
     {{"api", {0}, {{NULL, NULL}}, false}},
     "SELECT count(*)::VARCHAR FROM api()",
     "3",
     false},
    {"counts no rows as zero",
     ROWS("[]"),
     NULL,
     {{"api", {0}, {{NULL, NULL}}, false}},
     "SELECT count(*)::VARCHAR FROM api()",
     "0",
     false},
    {"refuses a function as a value",
     ROWS("[{\"a\": len}]"),
     NULL,
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "error: lib api: row 1 of page 1: key \"a\": a builtin_function_or_method cannot be stored",
     false},
    {"refuses an answer without rows",
     "API = {\"fetch\": {}}\ndef fetch(page): return {\"next\": 1}\n",
     NULL,
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "error: lib api: fetch page 1: the dict returned has no \"rows\"",
     false},
    {"stops a cursor that does not advance",
     "API = {\"fetch\": {}}\ndef fetch(page): return {\"rows\": [], \"next\": \"same\"}\n",
     NULL,
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "error: lib api: fetch page 4: cursor does not advance",
     false},
    {"takes 0 and [] as cursors, passes their types on",
     "API = {\"fetch\": {}}\ndef fetch(page):\n    c = page.cursor\n"
     "    if c == None: return {\"rows\": [{\"t\": \"none\"}], \"next\": 0}\n"
     "    if type(c) == \"int\": return {\"rows\": [{\"t\": type(c)}], \"next\": []}\n"
     "    if type(c) == \"list\": return {\"rows\": [{\"t\": type(c)}], \"next\": {\"k\": (1, "
     "2)}}\n"
     "    return {\"rows\": [{\"t\": repr(c)}], \"next\": \"\"}\n",
     NULL,
     {{"api", {0}, {{"t", "VARCHAR"}}, false}},
     "SELECT t::VARCHAR FROM api()",
     "none|int|list|{\"k\": (1, 2)}",
     false},
    {"abort on the first page",
     "API = {\"fetch\": {}}\ndef fetch(page): abort()\n",
     NULL,
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "aborted",
     false},
    {"abort on the second page",
     "API = {\"fetch\": {}}\ndef fetch(page):\n    if page.number == 2: abort()\n"
     "    return {\"rows\": [{\"a\": 1}], \"next\": 1}\n",
     NULL,
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "aborted",
     false},
    {"abort of a spooled call",
     "API = {\"fetch\": {}}\ndef fetch(page): abort()\n",
     NULL,
     {{"api", {0}, {{"a", NULL}}, false}},
     "SELECT a FROM api()",
     "aborted",
     false},
    {"fail on the second page fails the statement",
     "API = {\"fetch\": {}}\ndef fetch(page):\n    if page.number == 2: fail(\"no\", 2)\n"
     "    return {\"rows\": [{\"a\": 1}], \"next\": 1}\n",
     NULL,
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "error: lib api: fetch page 2: fail: no 2",
     false},
    {"evaluates arguments, named ones too",
     "API = {\"fetch\": {\"args\": [\"a\", \"b\", \"c\"]}}\ndef fetch(a, b, page, c=\"none\"):\n"
     "    return {\"rows\": [{\"v\": a + \"/\" + b + \"/\" + c}]}\n",
     NULL,
     {{"api", {"1 + 1", "b := upper('it''s')"}, {{"v", "VARCHAR"}}, false}},
     "SELECT v::VARCHAR FROM api(1 + 1, b := upper('it''s'))",
     "2/IT'S/none",
     false},
    {"misses a required argument",
     "API = {\"fetch\": {\"args\": [\"a\", \"b\"]}}\ndef fetch(a, b, page): return {\"rows\": "
     "[]}\n",
     NULL,
     {{"api", {"1"}, {{"v", "VARCHAR"}}, false}},
     "SELECT v::VARCHAR FROM api(1)",
     "error: api() needs argument \"b\" (argument 2)",
     false},
    {"refuses more arguments than declared",
     ROWS("[]"),
     NULL,
     {{"api", {"1"}, {{"v", "VARCHAR"}}, false}},
     "SELECT v::VARCHAR FROM api(1)",
     "error: api() takes 0 arguments, got 1",
     false},
    {"joins two calls of one lib",
     "API = {\"fetch\": {\"args\": [\"k\"]}}\ndef fetch(k, page):\n"
     "    return {\"rows\": [{\"id\": i, \"v\": k + str(i)} for i in range(2)]}\n",
     NULL,
     {{"api", {"'a'"}, {{"id", "INTEGER"}, {"v", "VARCHAR"}}, false},
      {"api", {"'b'"}, {{"id", "INTEGER"}, {"v", "VARCHAR"}}, false}},
     "SELECT concat(x.v::VARCHAR, y.v::VARCHAR) FROM api('a') x JOIN api('b') y ON x.id::INTEGER = "
     "y.id::INTEGER ORDER BY 1",
     "a0b0|a1b1",
     false},
    {"tells the columns in the base form",
     "API = {\"fetch\": {}}\ndef fetch(page, columns):\n"
     "    return {\"rows\": [{\"a\": \" \".join([c[\"name\"] + \":\" + c[\"type\"] for c in "
     "columns])}]}\n",
     NULL,
     {{"api", {0}, {{"a", "VARCHAR"}, {"n", "DECIMAL(10,2)"}, {"l", "INTEGER[]"}}, false}},
     "SELECT a::VARCHAR FROM api()",
     "a:string n:number l:array",
     false},
    {"tells the columns in the newer form",
     "API = {\"fetch\": {}}\ndef fetch(page, columns):\n"
     "    return {\"rows\": [{\"a\": repr([c[\"type\"] for c in columns])}]}\n",
     NULL,
     {{"api",
       {0},
       {{"a", "TEXT"}, {"n", "NUMERIC"}, {"l", "INT[]"}, {"s", "STRUCT(x INTEGER, y TEXT[])"}},
       false}},
     "SELECT a::VARCHAR FROM api()",
     "[\"VARCHAR\", \"DECIMAL(18,3)\", [\"INTEGER\"], {\"x\": \"INTEGER\", \"y\": [\"VARCHAR\"]}]",
     true},
    {"passes only what is declared, everything to **kwargs",
     "API = {\"fetch\": {}}\ndef fetch(**kw):\n"
     "    return {\"rows\": [{\"a\": \" \".join(sorted(kw.keys()))}]}\n",
     NULL,
     {{"api", {0}, {{"a", "VARCHAR"}}, false}},
     "SELECT a::VARCHAR FROM api()",
     "columns cursor initial_value is_backfill last_run last_value page save target",
     false},
    {"takes rows that were saved",
     "API = {\"fetch\": {}}\ndef fetch(page, save):\n    save.row({\"a\": 1})\n"
     "    save.rows([{\"a\": 2}, {\"a\": 3}])\n    save.row({\"a\": save.count()})\n",
     NULL,
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "1|2|3|3",
     false},
    {"loads helpers inside the project",
     "load(\"lib/other.star\", \"twice\")\nAPI = {\"fetch\": {}}\n"
     "def fetch(page): return {\"rows\": [{\"a\": twice(4)}]}\n",
     "def twice(x): return 2 * x\n",
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "8",
     false},
    {"does not load from outside",
     "load(\"../x.star\", \"f\")\nAPI = {\"fetch\": {}}\n"
     "def fetch(page): return {\"rows\": []}\n",
     NULL,
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "error: *",
     false},
    {"sees a cycle of loads",
     "load(\"lib/other.star\", \"f\")\nAPI = {\"fetch\": {}}\ndef fetch(page): return {\"rows\": "
     "[]}\n",
     "load(\"lib/other.star\", \"g\")\ndef f(): return 1\n",
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "error: *",
     false},
    {"runs an async fetch",
     "API = {\"fetch\": {\"async\": True, \"poll_interval\": \"1ms\"}}\n"
     "def submit(): return {\"job\": 7}\ndef check(job_ref): return [job_ref[\"job\"]]\n"
     "def fetch_result(result_ref, page):\n"
     "    return {\"rows\": [{\"a\": result_ref[0] + page.number}], \"next\": 1 if page.number < 2 "
     "else None}\n",
     NULL,
     {{"api", {0}, {{"a", "INTEGER"}}, false}},
     "SELECT a::INTEGER FROM api()",
     "8|9",
     false},
};

static struct fetch_call make_call(struct fixture *f, const struct call *call) {
    struct fetch_call out = {
        .lib = str_from(call->lib), .takes_all = call->all, .line = 4, .column = 6};
    out.arguments = ARENA_ARRAY(&f->arena, struct fetch_argument, ARRAY_COUNT(call->arguments));
    for (size_t i = 0; i < ARRAY_COUNT(call->arguments) && call->arguments[i] != NULL; i++) {
        str text = str_from(call->arguments[i]);
        size_t named = str_find(text, STR(" := "));
        out.arguments[out.argument_count++] = (struct fetch_argument){
            .name = named == SIZE_MAX ? (str){0} : str_slice(text, 0, named),
            .sql = named == SIZE_MAX ? text : str_from_offset(text, named + 4),
            .is_constant = true};
    }
    out.columns = ARENA_ARRAY(&f->arena, struct fetch_column, COLUMNS_MAX);
    for (size_t i = 0; i < COLUMNS_MAX && call->columns[i].name != NULL; i++) {
        out.columns[out.column_count++] =
            (struct fetch_column){.name = str_from(call->columns[i].name),
                                  .cast = str_from(call->columns[i].cast),
                                  .is_projected = true};
    }
    return out;
}

static enum error_code run_sql(struct fixture *f, const char *sql, struct text *out,
                               struct error *err) {
    LAKE_RESULT result = NULL;
    TRY(lake_query(f->connection, str_from(sql), LAKE_NO_VALUES, &result, err));
    while (lake_result_next(result)) {
        text_format(out, "%s" STR_FORMAT, out->size > 0 ? "|" : "",
                    STR_ARGS(lake_result_text(result, 0)));
    }
    return ERROR_NONE;
}

static enum error_code run_fetch(struct fixture *f, const struct fetch_case *it, struct text *out,
                                 struct fetch_outcome *outcome, struct error *err) {
    struct fetch_call calls[CALLS_MAX];
    size_t count = 0;
    while (count < CALLS_MAX && it->calls[count].lib != NULL) {
        calls[count] = make_call(f, &it->calls[count]);
        count++;
    }
    const struct fetch_model model = {.target = STR("raw.m"),
                                      .file = STR("models/raw/m.sql"),
                                      .kind = STR("append"),
                                      .is_strict = it->strict};
    struct fetch *fetch = NULL;
    TRY(fetch_new(f->sources, f->connection, &model, calls, count, &fetch, err));
    bool aborted = false;
    enum error_code code = fetch_spool(fetch, &aborted, err);
    if (code == ERROR_NONE && !aborted) {
        fetch_select(f->sources, f->connection, fetch);
        code = run_sql(f, it->sql, out, err);
    }
    code = fetch_end(fetch, code, outcome, err);
    fetch_free(fetch);
    return code;
}

static void check_case(const struct fetch_case *it) {
    struct fixture f;
    fixture_init(&f);
    fixture_write(&f, "lib/api.star", it->lib);
    if (it->other != NULL) {
        fixture_write(&f, "lib/other.star", it->other);
    }
    fixture_scan(&f);
    assert_string_equal(fixture_errors(&f, &f.libs.errors), "");
    fixture_open(&f);
    struct text out;
    text_init(&out, &f.arena);
    struct fetch_outcome outcome = {0};
    if (run_fetch(&f, it, &out, &outcome, &f.err) != ERROR_NONE) {
        text_clear(&out);
        text_format(&out, "error: %s", f.err.message);
        if (strcmp(it->expected, "error: *") == 0) {
            text_clear(&out);
            text_add(&out, STR("error: *"));
        }
    } else if (outcome.aborted) {
        text_clear(&out);
        text_add(&out, STR("aborted"));
    }
    if (strcmp(text_cstring(&out), it->expected) != 0) {
        fail_msg("%s:\nexpected: %s\ngot:      %s\n%s", it->name, it->expected, text_cstring(&out),
                 f.err.trace);
    }
    fixture_done(&f);
}

static void fetches_as_the_contract_says(void **state) {
    (void)state;
    const char *only = getenv("CASE");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        if (only == NULL || strstr(cases[i].name, only) != NULL) {
            check_case(&cases[i]);
        }
    }
}

static void an_error_has_place_and_backtrace(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_write(&f, "lib/api.star",
                  "API = {\"fetch\": {}}\n\ndef parse(d):\n    return d[\"itemz\"]\n\n"
                  "def fetch(page):\n    return {\"rows\": parse({})}\n");
    fixture_scan(&f);
    fixture_open(&f);
    const struct fetch_case it = {.calls = {{"api", {0}, {{"a", "INTEGER"}}, false}},
                                  .sql = "SELECT a::INTEGER FROM api()"};
    struct text out;
    text_init(&out, &f.arena);
    struct fetch_outcome outcome = {0};
    assert_int_equal(run_fetch(&f, &it, &out, &outcome, &f.err), ERROR_INVALID);
    assert_string_equal(f.err.message, "lib api: fetch page 1: key \"itemz\" not in dict");
    assert_string_equal(f.err.pos.file, "models/raw/m.sql");
    assert_int_equal(f.err.pos.line, 4);
    assert_non_null(
        strstr(f.err.trace, "lib/api.star:7:26  in fetch      return {\"rows\": parse({})}"));
    assert_non_null(strstr(f.err.trace, "lib/api.star:4:13  in parse      return d[\"itemz\"]"));
    fixture_done(&f);
}

static void *raise_soon(void *user) {
    struct timespec moment = {.tv_nsec = 50 * 1000 * 1000};
    nanosleep(&moment, NULL);
    interrupt_raise(user);
    return NULL;
}

static void an_interrupt_ends_an_endless_loop(void **state) {
    (void)state;
    struct fixture f;
    struct interrupt interrupt;
    pthread_t thread;
    fixture_init(&f);
    interrupt_init(&interrupt);
    f.context.interrupt = &interrupt;
    fixture_write(&f, "lib/api.star",
                  "API = {\"fetch\": {}}\ndef fetch(page):\n    while True:\n        pass\n");
    fixture_scan(&f);
    fixture_open(&f);
    assert_int_equal(pthread_create(&thread, NULL, raise_soon, &interrupt), 0);
    const struct fetch_case it = {.calls = {{"api", {0}, {{"a", "INTEGER"}}, false}},
                                  .sql = "SELECT a::INTEGER FROM api()"};
    struct text out;
    text_init(&out, &f.arena);
    struct fetch_outcome outcome = {0};
    assert_int_equal(run_fetch(&f, &it, &out, &outcome, &f.err), ERROR_CANCELLED);
    pthread_join(thread, NULL);
    fixture_done(&f);
    interrupt_done(&interrupt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fetches_as_the_contract_says),
        cmocka_unit_test(an_error_has_place_and_backtrace),
        cmocka_unit_test(an_interrupt_ends_an_endless_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
