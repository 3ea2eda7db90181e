// lib/*.star: which files are libs, which names they may have, and what their functions must take.

#include "fixture.h"

static const struct {
    const char *name;
    const char *file;
    const char *text;
    const char *errors;
} cases[] = {
    {"a lib in order", "lib/a.star",
     "API = {\"fetch\": {\"args\": [\"x\"]}}\ndef fetch(x, page, extra=1): return {\"rows\": []}\n",
     ""},
    {"a name in capitals", "lib/Abc.star",
     "API = {\"fetch\": {}}\ndef fetch(page): return {\"rows\": []}\n",
     "lib/Abc.star:0:0: the file name \"Abc.star\" gives no function name: use small letters, "
     "digits and _ only\n"},
    {"a reserved name", "lib/state.star",
     "API = {\"fetch\": {}}\ndef fetch(page): return {\"rows\": []}\n",
     "lib/state.star:0:0: the name \"state\" is reserved\n"},
    {"the lake's name", "lib/lake.star",
     "API = {\"fetch\": {}}\ndef fetch(page): return {\"rows\": []}\n",
     "lib/lake.star:0:0: the name \"lake\" is the lake's own\n"},
    {"a helper", "lib/_h.star", "API = 3\ndef f(): return 1\n", ""},
    {"no dict", "lib/a.star", "API = dict(fetch={})\n",
     "lib/a.star:1:7: API must be a dict literal (found a function call)\n"},
    {"the dict of long ago", "lib/a.star", "SINK = {\"batch_size\": 1}\n",
     "lib/a.star:1:1: the SINK dict was removed: use API = {\"push\": {…}}\n"},
    {"a function twice", "lib/a.star",
     "API = {\"fetch\": {}}\ndef fetch(page): return {\"rows\": []}\ndef fetch(): return 1\n",
     "lib/a.star:3:5: fetch is defined twice\n"},
    {"no fetch function", "lib/a.star", "API = {\"fetch\": {}}\n",
     "lib/a.star:1:0: fetch() is missing: API.fetch needs it\n"},
    {"an arg that fetch does not take", "lib/a.star",
     "API = {\"fetch\": {\"args\": [\"x\"]}}\n\ndef fetch(page):\n    return {\"rows\": []}\n",
     "lib/a.star:3:5: fetch() does not accept parameter \"x\" declared in fetch.args\n"},
    {"a parameter nobody gives", "lib/a.star",
     "API = {\"fetch\": {}}\ndef fetch(page, y): return {\"rows\": []}\n",
     "lib/a.star:2:5: fetch(): undeclared parameter \"y\"\n"},
    {"kwargs take everything", "lib/a.star",
     "API = {\"fetch\": {\"args\": [\"x\"]}, \"push\": {}}\n"
     "def fetch(**kw): return {\"rows\": []}\ndef push(**kw): return {}\n",
     ""},
    {"async without its functions", "lib/a.star",
     "API = {\"fetch\": {\"async\": True}}\ndef fetch(page): return {\"rows\": []}\n"
     "def submit(): return 1\ndef check(ref): return 1\n",
     "lib/a.star:1:0: fetch_result() is missing: \"async\": True needs it\n"
     "lib/a.star:2:5: fetch() must not exist beside \"async\": True, which uses submit, check and "
     "fetch_result\n"
     "lib/a.star:4:5: check() does not accept parameter \"job_ref\"\n"},
    {"push without rows", "lib/a.star", "API = {\"push\": {}}\ndef push(batch_number): return {}\n",
     "lib/a.star:2:5: push() does not accept parameter \"rows\"\n"},
    {"an async sink without poll", "lib/a.star",
     "API = {\"push\": {\"batch_mode\": \"async\"}}\ndef push(rows): return {\"job_id\": 1}\n",
     "lib/a.star:1:0: poll() is missing: \"batch_mode\": \"async\" needs it\n"},
    {"a finalize with more", "lib/a.star",
     "API = {\"push\": {}}\ndef push(rows): return {}\ndef finalize(succeeded, x=1): return None\n",
     "lib/a.star:3:5: finalize(): undeclared parameter \"x\"\n"},
};

static void says_what_is_wrong_with_a_file(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct fixture f;
        fixture_init(&f);
        fixture_write(&f, cases[i].file, cases[i].text);
        fixture_scan(&f);
        const char *errors = fixture_errors(&f, &f.libs.errors);
        if (strcmp(errors, cases[i].errors) != 0) {
            fail_msg("%s:\nexpected:\n%sgot:\n%s", cases[i].name, cases[i].errors, errors);
        }
        fixture_done(&f);
    }
}

static void reports_every_file_and_keeps_the_good_ones(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_write(&f, "lib/good.star",
                  "API = {\"fetch\": {}}\ndef fetch(page): return {\"rows\": []}\n");
    fixture_write(&f, "lib/bad.star", "API = {\"fetch\": {}}\ndef fetch(page) return 1\n");
    fixture_write(&f, "lib/worse.star", "API = {\"push\": 1}\n");
    fixture_write(&f, "lib/sub/skipped.star", "((((");
    fixture_write(&f, "lib/_helper.star", "def f(): return 1\n");
    fixture_scan(&f);
    assert_int_equal(f.libs.count, 3);
    assert_true(f.libs.errors.count >= 2);
    assert_string_equal(f.libs.errors.items[0].pos.file, "lib/bad.star");
    assert_false(lib_find(&f.libs, STR("GOOD"))->broken);
    assert_true(lib_find(&f.libs, STR("bad"))->broken);
    assert_null(lib_find(&f.libs, STR("_helper")));
    assert_true(lib_set_has_fetch(&f.libs, STR("good")));
    fixture_done(&f);
}

static void a_project_without_lib_has_no_libs(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f);
    fixture_scan(&f);
    assert_int_equal(f.libs.count, 0);
    assert_int_equal(f.libs.errors.count, 0);
    fixture_done(&f);
}

static void advises_to_look_at_the_status(void **state) {
    (void)state;
    static const struct {
        const char *body;
        bool is_noted;
    } bodies[] = {
        {"    return {\"rows\": http.get(\"/a\").json}\n", true},
        {"    r = http.get(\"/a\")\n    if not r.ok: return {\"rows\": []}\n"
         "    return {\"rows\": r.json}\n",
         false},
        {"    r = http.get(\"/a\")\n    must(r)\n    return {\"rows\": r.json}\n"
         "def must(r):\n    if r.status_code != 200: fail(\"no\")\n",
         false},
        {"    # coypucheck:allow-unchecked-status the API never fails\n"
         "    return {\"rows\": http.get(\"/a\").json}\n",
         false},
        {"    return {\"rows\": []}\n", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(bodies); i++) {
        struct fixture f;
        fixture_init(&f);
        str text =
            str_format(&f.arena, "API = {\"fetch\": {}}\ndef fetch(page):\n%s", bodies[i].body);
        fixture_write(&f, "lib/a.star", str_to_cstring(&f.arena, text));
        fixture_scan(&f);
        assert_string_equal(fixture_errors(&f, &f.libs.errors), "");
        assert_string_equal(fixture_errors(&f, &f.libs.notes),
                            bodies[i].is_noted ? "lib/a.star:2:5: fetch() sends requests and never "
                                                 "looks at .ok or .status_code\n"
                                               : "");
        fixture_done(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_is_wrong_with_a_file),
        cmocka_unit_test(reports_every_file_and_keeps_the_good_ones),
        cmocka_unit_test(a_project_without_lib_has_no_libs),
        cmocka_unit_test(advises_to_look_at_the_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
