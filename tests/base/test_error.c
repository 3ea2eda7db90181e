// error.h and error_render.h: what a user sees, word for word.
#include "base/arena.h"
#include "base/error_render.h"
#include "base/text.h"
#include "support/cmocka.h"

#include <string.h>

static str render(struct arena *arena, const struct error *err) {
    struct text out;
    text_init(&out, arena);
    error_render_text(&out, err, "error");
    return text_str(&out);
}

static void assert_text(str got, const char *expected) {
    if (!str_equal(got, str_from(expected))) {
        print_error("expected:\n%s\ngot:\n%.*s\n", expected, STR_ARGS(got));
        fail();
    }
}

static void shows_place_source_line_caret_and_hint(void **state) {
    (void)state;
    SCRATCH(scratch);
    const str source = STR("select *\n\tfrom sm\xC3\xB6r, raw.customer\n");
    struct error err;
    error_rule(&err, ERROR_INVALID, "dag.unknown", "%s", "no model makes raw.customer");
    error_at_offset(&err, STR("models/a.sql"), source, str_find(source, STR("raw.")));
    error_hint(&err, "did you mean %s?", "raw.customers");
    assert_text(render(&scratch, &err), "models/a.sql:2:13: error: no model makes raw.customer\n"
                                        "  \tfrom sm\xC3\xB6r, raw.customer\n"
                                        "  \t           ^\n"
                                        "  hint: did you mean raw.customers?\n");
    struct text json;
    text_init(&json, &scratch);
    error_render_json(&json, &err);
    assert_text(text_str(&json),
                "{\"code\":\"dag.unknown\",\"message\":\"no model makes raw.customer\","
                "\"file\":\"models/a.sql\",\"line\":2,\"column\":13,"
                "\"hint\":\"did you mean raw.customers?\"}");
}

static void without_a_place_it_is_one_line(void **state) {
    (void)state;
    SCRATCH(scratch);
    struct error err;
    error_set(&err, ERROR_IO, "cannot write: %s", "disk full");
    error_context(&err, "model %s", "mart.x");
    assert_text(render(&scratch, &err), "error: model mart.x: cannot write: disk full\n");
}

static void cuts_long_messages_on_a_character(void **state) {
    (void)state;
    struct error err;
    char word[3001];
    for (size_t i = 0; i < 3000; i += 2) {
        memcpy(word + i, "\xC3\xB6", 2);
    }
    word[3000] = '\0';
    error_set(&err, ERROR_INVALID, "x%s", word);
    assert_true(str_is_utf8(str_from(err.message)));
    error_context(&err, "%s", word);
    assert_true(str_is_utf8(str_from(err.message)));
}

static void sorts_by_file_line_and_column(void **state) {
    (void)state;
    SCRATCH(scratch);
    struct error_list list;
    error_list_init(&list, &scratch);
    static const struct {
        const char *file;
        int line, column;
    } places[] = {{"b", 1, 1}, {"a", 2, 9}, {"a", 2, 1}, {"a", 1, 5}};
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        struct error err;
        error_set(&err, ERROR_INVALID, "%zu", i);
        error_at(&err, str_from(places[i].file), places[i].line, places[i].column);
        error_list_add(&list, &err);
    }
    error_list_sort(&list);
    assert_string_equal(list.items[0].message, "3");
    assert_string_equal(list.items[1].message, "2");
    assert_string_equal(list.items[2].message, "1");
    assert_string_equal(list.items[3].message, "0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_place_source_line_caret_and_hint),
        cmocka_unit_test(without_a_place_it_is_one_line),
        cmocka_unit_test(cuts_long_messages_on_a_character),
        cmocka_unit_test(sorts_by_file_line_and_column),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
