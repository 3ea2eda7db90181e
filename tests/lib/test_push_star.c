#include "push_fixture.h"

// push() written in Starlark, through the whole of the engine.

static struct push_fixture fix;
static struct lib_set libs;

static void write_lib(const char *text) {
    const str folder = str_format(&fix.lake.arena, "%s/lib", fix.lake.folder);
    ASSERT_OK(&fix.lake, directory_create(folder, 0755, &fix.lake.err));
    const str file = str_format(&fix.lake.arena, "%s/lib/crm.star", fix.lake.folder);
    ASSERT_OK(&fix.lake, file_write_atomic(file, str_from(text), 0644, &fix.lake.err));
    ASSERT_OK(&fix.lake, lib_scan(&fix.lake.arena,
                                  &(struct lib_scan_options){.context = &fix.lake.context,
                                                             .project = str_from(fix.lake.folder)},
                                  &libs, &fix.lake.err));
    if (libs.errors.count > 0) {
        fail_msg("%s", libs.errors.items[0].message);
    }
    fix.request.libs = &libs;
    fix.request.lib = lib_find(&libs, STR("crm"));
    fix.request.caller = NULL;
    assert_non_null(fix.request.lib);
}

static int setup(void **unused) {
    (void)unused;
    push_fixture_open(&fix, NULL);
    libs = (struct lib_set){0};
    return 0;
}

static int teardown(void **unused) {
    (void)unused;
    lib_set_done(&libs);
    push_fixture_close(&fix, false);
    return 0;
}

// "1=error: busy; 2=warn: late": the notes, in order.
static const char *notes_text(void) {
    struct text text;
    text_init(&text, &fix.lake.arena);
    for (size_t i = 0; i < fix.summary.notes.count; i++) {
        const struct push_note *note = &fix.summary.notes.items[i];
        text_format(&text, "%s%lld=" STR_FORMAT ": " STR_FORMAT, i > 0 ? "; " : "",
                    (long long)note->rowid, STR_ARGS(note->status), STR_ARGS(note->message));
    }
    return text_cstring(&text);
}

static void rows_have_the_values_and_fields_of_the_contract(void **unused) {
    (void)unused;
    write_lib("API = {'push': {'batch_size': 10, 'args': ['where']}}\n"
              "def push(rows, batch_number, kind, key_columns, columns, target, where='x'):\n"
              "    r = rows[0]\n"
              "    k = str(r['__ondatra_rowid']) + ':' + r['__ondatra_change_type']\n"
              "    return {k: 'warn: ' + repr(r) + repr([batch_number, kind, key_columns, columns,"
              " target, where, len(rows)])}\n");
    str_list_push(&fix.lake.arena, &fix.request.args, STR("here"));
    fixture_execute(
        &fix.lake,
        "CREATE TABLE t(k BIGINT, v HUGEINT, d DECIMAL(9,2), f DOUBLE, b BOOLEAN, s "
        "VARCHAR, day DATE, at_ TIMESTAMP, l VARCHAR[], st STRUCT(x INTEGER), n INTEGER)");
    fixture_execute(&fix.lake,
                    "INSERT INTO t VALUES (7, 170141183460469231731687303715884105727, 1.5, 0.5, "
                    "true, 'é', '2024-01-02', '2024-01-02 03:04:05', ['a'], {'x': 1}, NULL)");
    push_once(&fix);
    const char *expected =
        "0=warn: {\"k\": 7, \"v\": 170141183460469231731687303715884105727, \"d\": \"1.50\", "
        "\"f\": 0.5, \"b\": True, \"s\": \"é\", \"day\": \"2024-01-02\", \"at_\": "
        "\"2024-01-02T03:04:05\", \"l\": [\"a\"], \"st\": {\"x\": 1}, \"n\": None, "
        "\"__ondatra_rowid\": 0, \"__ondatra_change_type\": \"insert\", \"__ondatra_snapshot\": "
        "2}[1, \"merge\", [\"k\"], [\"at_\", \"b\", \"d\", \"day\", \"f\", \"k\", \"l\", \"n\", "
        "\"s\", \"st\", \"v\"], \"main.t\", \"here\", 1]";
    assert_string_equal(notes_text(), expected);
}

// One row with each status; rows are k = 0, 1, …
static void every_status_has_its_class(void **unused) {
    (void)unused;
    write_lib("API = {'push': {'batch_size': 100}}\n"
              "S = ['ok', 'ok: 5', 'okay', 'warn: late', 'error: busy', 'retry: x', 'nack: y',\n"
              "     'exists', 'not_found', 'reject: bad', 7, None,\n"
              "     {'status': 'ok', 'id': 'a', 'operation': 'update'}, {'status': 'error: d'}]\n"
              "def push(rows):\n"
              "    out = {}\n"
              "    for r in rows:\n"
              "        if r['k'] < len(S):\n"
              "            out[str(r['__ondatra_rowid']) + ':insert'] = S[r['k']]\n"
              "    out['zzz'] = 'ok'\n"
              "    return out\n");
    fixture_execute(&fix.lake, "CREATE TABLE t(k BIGINT, v BIGINT)");
    fixture_execute(&fix.lake, "INSERT INTO t SELECT range, range FROM range(15)");
    push_once(&fix);
    assert_string_equal(notes_text(),
                        "2=error: unknown status \"okay\"; 3=warn: late; 4=error: busy; 5=error: "
                        "x; 6=error: y; 7=warn: exists; 8=warn: not_found; 9=reject: bad; "
                        "10=error: status must be a string, got int; 11=error: status must be a "
                        "string, got NoneType; 13=error: d; 14=error: no status returned");
    assert_int_equal(fix.summary.ok, 3);
    assert_int_equal(fix.summary.warned, 3);
    assert_int_equal(fix.summary.rejected, 1);
    assert_int_equal(fix.summary.failed, 8);
    ASSERT_STR(
        fix.summary.warnings.items[0],
        "push returned a status for \"zzz\", which is no row of the batch: its keys are text such "
        "as \"0:insert\"");
}

static const struct {
    const char *body;
    const char *notes;
} irregular[] = {
    {"return None", "0=error: sync mode needs a status dict"},
    {"return []", "0=error: sync mode needs a status dict"},
    {"return {}", "0=error: sync mode needs a status dict"},
    {"return {'0': 'ok'}", ""},
    {"fail('no way')", "0=error: fail: no way"},
};

static void irregular_answers_fail_the_batch(void **unused) {
    (void)unused;
    fixture_execute(&fix.lake, "CREATE TABLE t(k BIGINT, v BIGINT)");
    fixture_execute(&fix.lake, "INSERT INTO t VALUES (0, 0)");
    for (size_t i = 0; i < ARRAY_COUNT(irregular); i++) {
        const str text = str_format(
            &fix.lake.arena, "API = {'push': {}}\ndef push(rows):\n    %s\n", irregular[i].body);
        write_lib(str_to_cstring(&fix.lake.arena, text));
        push_once(&fix);
        if (strstr(notes_text(), irregular[i].notes) == NULL ||
            (irregular[i].notes[0] == '\0') != (fix.summary.note_count == 0)) {
            fail_msg("%s: expected \"%s\", got \"%s\"", irregular[i].body, irregular[i].notes,
                     notes_text());
        }
        lib_set_done(&libs);
        libs = (struct lib_set){0};
        if (fix.summary.failed == 0) {
            fixture_execute(&fix.lake, "UPDATE t SET v = v + 1");
        }
    }
}

static void workers_share_one_frozen_module(void **unused) {
    (void)unused;
    write_lib("API = {'push': {'batch_size': 5, 'max_concurrent': 8}}\n"
              "NAMES = {'a': [1, 2, 3]}\n"
              "def push(rows):\n"
              "    return {str(r['__ondatra_rowid']) + ':' + r['__ondatra_change_type']:\n"
              "            'ok' if NAMES['a'][r['k'] % 3] > 0 else 'error: ?' for r in rows}\n"
              "def finalize(succeeded, failed):\n"
              "    if succeeded != 1000 or failed != 0:\n"
              "        fail('wrong')\n");
    fixture_execute(&fix.lake, "CREATE TABLE t(k BIGINT, v BIGINT)");
    fixture_execute(&fix.lake, "INSERT INTO t SELECT range, range FROM range(1000)");
    push_once(&fix);
    assert_int_equal(fix.summary.ok, 1000);
    assert_false(fix.summary.finalize_failed);
}

// Row 0 is sent by an atomic push with this body.
static const struct {
    const char *body;
    int64_t ok;
    const char *notes;
    const char *warning; // NULL: none
} atomic_answers[] = {
    {"pass", 1, "", NULL},
    {"return {'0:insert': 'error: busy'}", 1, "", "atomic push returned a value"},
    {"return 'ok'", 1, "", "atomic push returned a value"},
    {"fail('no way')", 0, "0=error: fail: no way", NULL},
};

static void an_atomic_batch_arrives_or_waits_as_a_whole(void **unused) {
    (void)unused;
    for (size_t i = 0; i < ARRAY_COUNT(atomic_answers); i++) {
        fixture_execute(&fix.lake, "CREATE OR REPLACE TABLE t(k BIGINT, v BIGINT)");
        fixture_execute(&fix.lake, "INSERT INTO t VALUES (0, 0), (1, 1)");
        write_lib(
            str_to_cstring(&fix.lake.arena,
                           str_format(&fix.lake.arena,
                                      "API = {'push': {'batch_mode': 'atomic', 'batch_size': 1}}\n"
                                      "def push(rows):\n    if rows[0]['k'] == 0:\n        %s\n",
                                      atomic_answers[i].body)));
        push_once(&fix);
        assert_int_equal(fix.summary.ok, 1 + atomic_answers[i].ok);
        assert_int_equal(fix.summary.pending, 1 - atomic_answers[i].ok);
        if (strstr(notes_text(), atomic_answers[i].notes) == NULL) {
            fail_msg("%s: got \"%s\"", atomic_answers[i].body, notes_text());
        }
        const struct str_list *warnings = &fix.summary.warnings;
        const char *last =
            warnings->count == 0
                ? ""
                : str_to_cstring(&fix.lake.arena, warnings->items[warnings->count - 1]);
        const char *expected = atomic_answers[i].warning;
        assert_int_equal(expected != NULL, strcmp(last, "atomic push returned a value") == 0);
        lib_set_done(&libs);
        libs = (struct lib_set){0};
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(rows_have_the_values_and_fields_of_the_contract),
        TEST(every_status_has_its_class),
        TEST(irregular_answers_fail_the_batch),
        TEST(workers_share_one_frozen_module),
        TEST(an_atomic_batch_arrives_or_waits_as_a_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
