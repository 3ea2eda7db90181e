// crypto, env, url, csv, xml, schema and the flat builtins, by what they return.
#include "modules/fixture.h"

static void hashes_and_encodings(void **state) {
    (void)state;
    static const struct value_case cases[] = {
        {"md5('abc')", "\"900150983cd24fb0d6963f7d28e17f72\""},
        {"crypto.md5(b'abc')", "\"900150983cd24fb0d6963f7d28e17f72\""},
        {"sha256('abc')", "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""},
        {"crypto.sha1('abc')", "\"a9993e364706816aba3e25717850c26c9cd0d89d\""},
        {"hmac_sha256('key', 'The quick brown fox jumps over the lazy dog')",
         "\"f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8\""},
        {"crypto.hmac_sha1('key', 'The quick brown fox jumps over the lazy dog')",
         "\"de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9\""},
        {"base64_encode('hi?')", "\"aGk/\""},
        {"base64_decode('aGk_')", "\"hi?\""},
        {"base64_decode('/w')", "b\"\\xff\""},
        {"crypto.base64_decode('a b')", "error: crypto.base64_decode: not base64"},
        {"uuid()", "\"00000000-0000-4000-8000-000000000000\""},
        {"md5(1)", "error: md5: got int, want string"},
        {"hmac_sha256('k', None)", "error: hmac_sha256: got NoneType, want string"},
    };
    EXPECT_RESULTS(cases);
}

static void env_reads_and_sets(void **state) {
    (void)state;
    struct fixture *f = fixture_new();
    environment_set(&f->environment, STR("A"), STR("1"));
    environment_set(&f->environment, STR("EMPTY"), STR(""));
    expect_result(f, "env.get('A')", "\"1\"");
    expect_result(f, "env.get('NONE')", "\"\"");
    expect_result(f, "env.get('NONE', 'd')", "\"d\"");
    expect_result(f, "env.get('NONE', default=None)", "None");
    expect_result(f, "env.get('EMPTY', 'd')", "\"\"");
    expect_result(f, "[env.set('B', '2'), env.get('B')]", "[None, \"2\"]");
    expect_result(f, "env.get(3)", "error: env.get: got int, want string");
    fixture_free(f);
}

static void urls(void **state) {
    (void)state;
    static const struct value_case cases[] = {
        {"url.build('https://x/a?z=1', {'b': 2, 'a': [1, 'x y'], 'n': None})",
         "\"https://x/a?z=1&a=1&a=x+y&b=2\""},
        {"url.encode('a b/ö')", "\"a+b%2F%C3%B6\""},
        {"url.encode_params({'b': True, 'a': 1.0})", "\"a=1.0&b=true\""},
        {"url.parse('https://h:81/p?a=1&b=2&a=3#f').host", "\"h:81\""},
        {"url.parse('https://h/p?a=1&b=2&a=3#f').query_dict",
         "{\"a\": [\"1\", \"3\"], \"b\": \"2\"}"},
        {"url.parse('https://h/p?a=1#f').query.a", "\"1\""},
        {"url.parse('https://h/p?a=1#f').fragment", "\"f\""},
        {"url.encode_params([])", "error: url.encode_params: got list, want dict"},
    };
    EXPECT_RESULTS(cases);
}

static void csv_is_rfc_4180(void **state) {
    (void)state;
    static const struct value_case cases[] = {
        {"csv.decode('a,b\\n1,\"x \"\"y\"\"\\n,\"\\n')",
         "[{\"a\": \"1\", \"b\": \"x \\\"y\\\"\\n,\"}]"},
        {"csv.decode('a;b\\r\\n1;2', delimiter=';', header=False)",
         "[[\"a\", \"b\"], [\"1\", \"2\"]]"},
        {"csv.decode('a\u00a7b\\n1\u00a72', '\u00a7')", "[{\"a\": \"1\", \"b\": \"2\"}]"},
        {"csv.decode('a,b\\n1,2\\n3\\n')", "error: csv.decode: line 3: 1 fields, want 2"},
        {"csv.decode('a,a\\n1,2')", "error: csv.decode: column \"a\" is there twice"},
        {"csv.decode('a\\n\"x')", "error: csv.decode: line 2: bad quotes"},
        {"csv.decode('')", "error: csv.decode: the text is empty"},
        {"csv.decode('a', delimiter='ab')",
         "error: csv.decode: delimiter: want one character, not a quote or line break"},
        {"csv.encode([{'a': 1, 'b': None}, {'c': 'x,y'}])", "\"a,b,c\\n1,,\\n,,\\\"x,y\\\"\\n\""},
        {"csv.encode([[1, 2]], header=['p', 'q'], delimiter=';')", "\"p;q\\n1;2\\n\""},
        {"csv.encode([])", "\"\""},
        {"csv.encode([], ['a'])", "\"a\\n\""},
        {"csv.encode([1])", "error: csv.encode: row 0: got int, want dict or list"},
    };
    EXPECT_RESULTS(cases);
}

static void xml_is_dicts(void **state) {
    (void)state;
    static const struct value_case cases[] = {
        {"xml.decode('<a><b>1</b><b>2</b><c x=\"y\">t</c><d/></a>')",
         "{\"a\": {\"b\": [\"1\", \"2\"], \"c\": {\"@x\": \"y\", \"#text\": \"t\"}, \"d\": \"\"}}"},
        {"xml.decode('<n:a xmlns:n=\"u\"><n:b>&lt;&#65;</n:b></n:a>')",
         "{\"n:a\": {\"@xmlns:n\": \"u\", \"n:b\": \"<A\"}}"},
        {"xml.decode('<a><![CDATA[<x>]]></a>')", "{\"a\": \"<x>\"}"},
        {"xml.decode('')", "error: xml.decode: the text is empty"},
        {"xml.decode('<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>')",
         "error: xml.decode: a document type (DTD) is not accepted"},
        {"xml.encode({'a': {'@x': '1<2', 'b': [1, None], '#text': 't&u'}})",
         "\"<a x=\\\"1&lt;2\\\"><b>1</b><b/>t&amp;u</a>\""},
        {"xml.encode({'a': 1, 'b': True})", "\"<doc><a>1</a><b>true</b></doc>\""},
        {"xml.encode({'a b': 1})", "error: xml.encode: \"a b\" is not an XML name"},
    };
    EXPECT_RESULTS(cases);
}

static void malformed_xml_tells_the_line(void **state) {
    (void)state;
    struct fixture *f = fixture_new();
    const str got = run_body(f, "return xml.decode('<a>\\n<b></a>')");
    assert_true(str_starts_with(got, STR("error: xml.decode: line 2: ")));
    fixture_free(f);
}

static void json_schema_of_duckdb_types(void **state) {
    (void)state;
    static const struct value_case cases[] = {
        {"lib_helpers.to_json_schema('DECIMAL(18,3)')", "{\"type\": \"number\"}"},
        {"lib_helpers.to_json_schema('TIMESTAMPTZ')",
         "{\"type\": \"string\", \"format\": \"date-time\"}"},
        {"lib_helpers.to_json_schema('MAP(VARCHAR, INT)')", "{\"type\": \"string\"}"},
        {"lib_helpers.to_json_schema(['BIGINT'])",
         "{\"type\": \"array\", \"items\": {\"type\": \"integer\"}}"},
        {"lib_helpers.to_json_schema([])", "{\"type\": \"array\"}"},
        {"lib_helpers.to_json_schema({'b': 'BOOLEAN', 'a': 'DATE'})",
         "{\"type\": \"object\", \"properties\": {\"b\": {\"type\": \"boolean\"}, "
         "\"a\": {\"type\": \"string\", \"format\": \"date\"}}}"},
        {"lib_helpers.to_json_schema('object')", "{\"type\": \"object\"}"},
        {"lib_helpers.to_json_schema(1)",
         "error: to_json_schema: got int, want string, list or dict"},
    };
    EXPECT_RESULTS(cases);
}

static void files_stay_inside_the_project(void **state) {
    (void)state;
    struct fixture *f = fixture_new();
    fixture_file(f, "data/a.txt", "abc");
    fixture_file(f, "data/deep/b.txt", "b");
    fixture_file(f, "config/secret.sql", "x");
    fixture_file(f, ".env", "K=1");
    const str link = path_join(&f->arena, str_from(f->project), STR("data/link"));
    assert_int_equal(symlink("/etc/passwd", str_to_cstring(&f->arena, link)), 0);
    expect_result(f, "read_text('data/a.txt')", "\"abc\"");
    expect_result(f, "read_blob('data/a.txt')", "b\"abc\"");
    expect_result(f, "md5_file('data/a.txt')", "\"900150983cd24fb0d6963f7d28e17f72\"");
    expect_result(f, "[file_exists('data/a.txt'), file_exists('data/*.txt'), file_exists('data')]",
                  "[True, False, False]");
    expect_result(f, "glob('data/*.txt')", "[\"data/a.txt\"]");
    expect_result(f, "glob('**/*.txt')", "[\"data/a.txt\", \"data/deep/b.txt\"]");
    expect_result(f, "glob('./none/*')", "[]");
    expect_result(f, "glob('config/*')", "error: glob: config/ is never readable by a script");
    expect_result(f, "read_text('.env')", "error: read_text: .env is never readable by a script");
    expect_result(f, "read_text('config/secret.sql')",
                  "error: read_text: config/secret.sql is never readable by a script");
    expect_result(f, "read_text('/etc/passwd')",
                  "error: read_text: /etc/passwd is outside the project; to allow it, set "
                  "COYPU_ALLOW_PATHS=/etc");
    expect_result(f, "read_text('data/link')",
                  "error: read_text: data/link is outside the project; to allow it, set "
                  "COYPU_ALLOW_PATHS=/etc");
    expect_result(f, "read_text('s3://b/k')", "error: read_text: \"s3://b/k\" is not a local path");
    expect_result(f, "read_text('none')", "error: read_text: none does not exist");
    environment_set(&f->environment, STR("COYPU_ALLOW_PATHS"), STR("/nowhere:/etc"));
    expect_result(f, "file_exists('/etc/passwd')", "True");
    fixture_free(f);
}

static void abort_and_sleep(void **state) {
    (void)state;
    struct fixture *f = fixture_new();
    expect_body(f, "abort()", "aborted: abort");
    expect_result(f, "sleep(1.5)", "None");
    assert_int_equal(f->clock.sleeps_us[0], 1500000);
    expect_result(f, "sleep(-1)", "error: sleep: must be between 0 and 1000000000 seconds");
    expect_result(f, "sleep('1')", "error: sleep: got string, want number");
    fixture_free(f);
}

static void state_structs_read_the_host(void **state) {
    (void)state;
    struct fixture *f = fixture_new();
    f->options.incremental = (struct modules_incremental){
        .is_backfill = true, .last_value = STR("2024"), .cursor = STR("day")};
    expect_result(f, "[incremental.is_backfill, incremental.last_value, incremental.last_run]",
                  "[True, \"2024\", \"\"]");
    expect_result(f, "sink.batch_number", "7");
    fixture_free(f);
}

static star_value note_query(void *self, struct star_thread *thread, str sql,
                             const star_value *params, size_t count) {
    (void)self;
    (void)params;
    SCRATCH(scratch);
    const str text = str_format(&scratch, STR_FORMAT "/%zu", STR_ARGS(sql), count);
    return star_string(thread, text.data, text.size);
}

static void query_goes_to_its_hook(void **state) {
    (void)state;
    struct fixture *f = fixture_new();
    f->options.data.query = note_query;
    expect_result(f, "query('select ?', params=[1])", "\"select ?/1\"");
    expect_result(f, "query(1)", "error: query: got int, want string");
    expect_result(f, "query('q', 1)", "error: query: params: got int, want list");
    expect_result(f, "lookup('t', 'k', 'v', [1])", "error: lookup: there is no database here");
    expect_result(f, "lookup('t', 'k', 'v', 1)", "error: lookup: where: got int, want list");
    fixture_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_and_encodings),
        cmocka_unit_test(env_reads_and_sets),
        cmocka_unit_test(urls),
        cmocka_unit_test(csv_is_rfc_4180),
        cmocka_unit_test(xml_is_dicts),
        cmocka_unit_test(malformed_xml_tells_the_line),
        cmocka_unit_test(json_schema_of_duckdb_types),
        cmocka_unit_test(files_stay_inside_the_project),
        cmocka_unit_test(abort_and_sleep),
        cmocka_unit_test(state_structs_read_the_host),
        cmocka_unit_test(query_goes_to_its_hook),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
