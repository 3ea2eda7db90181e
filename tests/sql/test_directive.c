// The header of a model file: what is read, and every mistake with its place, word for word.
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sql/directive.h"

struct parsed {
    struct arena arena;
    struct model_source source;
    struct error_list errors;
    struct error_list warnings;
    bool ok;
};

static void parse(struct parsed *parsed, const char *text) {
    arena_init(&parsed->arena);
    error_list_init(&parsed->errors, &parsed->arena);
    error_list_init(&parsed->warnings, &parsed->arena);
    parsed->ok = model_source_parse(&parsed->arena, STR("models/x.sql"), str_from(text),
                                    &parsed->source, &parsed->errors, &parsed->warnings);
}

static void assert_text(str actual, const char *expected) {
    char text[1024];
    (void)snprintf(text, sizeof(text), STR_FORMAT, STR_ARGS(actual));
    assert_string_equal(text, expected);
}

static void header_gives_every_directive(void **state) {
    (void)state;
    struct parsed parsed;
    parse(&parsed, "\xef\xbb\xbf-- a comment\r\n"
                   "/* @kind: append */\n"
                   "-- @kind: merge\n"
                   "// @unique_key: id\n"
                   "# @incremental: updated_at\n"
                   "-- @incremental_initial: '2020-01-01'\n"
                   "-- @push: hubspot('a', \"it''s\", 'o''clock', 3)\n"
                   "-- @description: all customers\n"
                   "-- @column: email = where to write | to | pii | mask_email\n"
                   "-- @column: name = first | last\n"
                   "-- @partitioned_by: region, YEAR(day), bucket( 8 , id )\n"
                   "-- @sorted_by: id, day\n"
                   "-- @constraint: not_null(id)\n"
                   "-- @audit: row_count(>=, 1)\n"
                   "-- @warning: freshness(day, 24h)\n"
                   "-- @extension: spatial FROM community\n"
                   "\n"
                   "SELECT 1 AS id;\n-- the end\n");
    assert_true(parsed.ok);
    const struct directives *directives = &parsed.source.directives;
    assert_int_equal(directives->kind, MODEL_MERGE);
    assert_text(directives->unique_key.value, "id");
    assert_int_equal(directives->unique_key.line, 4);
    assert_int_equal(directives->unique_key.column, 17);
    assert_text(directives->incremental.value, "updated_at");
    assert_text(directives->incremental_initial.value, "2020-01-01");
    assert_true(directives->sink.is_push);
    assert_text(directives->sink.name, "hubspot");
    assert_text(str_list_join(&parsed.arena, &directives->sink.args, STR("|")),
                "a|it''s|o'clock|3");
    assert_text(directives->description.value, "all customers");
    assert_int_equal(directives->columns.count, 2);
    assert_text(directives->columns.items[0].description, "where to write");
    assert_text(directives->columns.items[0].mask, "mask_email");
    assert_text(str_list_join(&parsed.arena, &directives->columns.items[0].tags, STR(",")),
                "to,pii,mask_email");
    assert_text(directives->columns.items[1].mask, "");
    assert_text(str_list_join(&parsed.arena, &directives->partition_parts, STR(";")),
                "region;year(day);bucket(8, id)");
    assert_text(str_list_join(&parsed.arena, &directives->sort_columns, STR(";")), "id;day");
    assert_int_equal(directives->constraints.count, 1);
    assert_int_equal(directives->audits.count, 1);
    assert_int_equal(directives->warnings.count, 1);
    assert_text(directives->extensions.items[0].repository, "community");
    assert_text(parsed.source.body, "SELECT 1 AS id");
    arena_done(&parsed.arena);
}

static void defaults_are_table_and_the_epoch(void **state) {
    (void)state;
    struct parsed parsed;
    parse(&parsed, "FROM t");
    assert_true(parsed.ok);
    assert_int_equal(parsed.source.directives.kind, MODEL_TABLE);
    assert_text(parsed.source.directives.incremental_initial.value, "1970-01-01T00:00:00Z");
    assert_int_equal(parsed.source.body_offset, 0);
    arena_done(&parsed.arena);
}

static const struct {
    const char *name;
    const char *text;
    const char *rule;
    int line;
    int column;
    const char *message;
    const char *hint;
} MISTAKES[] = {
    {"unknown directive", "-- @uniqe_key: id\nSELECT 1", "parser.invalid_directive", 1, 5,
     "unknown directive @uniqe_key", "did you mean @unique_key?"},
    {"unknown kind", "-- @kind: tabel\nSELECT 1", "parser.invalid_kind", 1, 11,
     "@kind: \"tabel\" is not one of table, append, merge, tracked, scd2", "did you mean table?"},
    {"kind in capitals", "-- @kind: TABLE\nSELECT 1", "parser.invalid_kind", 1, 11,
     "@kind: \"TABLE\" is not one of table, append, merge, tracked, scd2", "did you mean table?"},
    {"removed kind", "-- @kind: view\nSELECT 1", "parser.invalid_kind", 1, 11,
     "@kind: \"view\" is not a kind any more",
     "use @kind: table; it is rebuilt only when an input changed"},
    {"removed directive", "-- @script: x\nSELECT 1", "parser.deprecated_script", 1, 5,
     "@script was removed",
     "write the script as lib/NAME.star with a fetch function and select FROM NAME(…)"},
    {"given twice", "-- @kind: table\n-- @kind: append\nSELECT 1", "parser.invalid_directive", 2,
     11, "@kind is given twice: \"append\" here, \"table\" in line 1", ""},
    {"no value", "-- @kind:\nSELECT 1", "parser.invalid_kind", 1, 5, "@kind has no value",
     "write `-- @kind: merge`, or remove the line"},
    {"no colon", "-- @kind table\nSELECT 1", "parser.invalid_kind", 1, 10,
     "@kind needs a colon: @kind: value", ""},
    {"value of a marker", "-- @fetch: x\nSELECT 1", "parser.invalid_directive", 1, 12,
     "@fetch takes no value", ""},
    {"merge without key", "-- @kind: merge\nSELECT 1", "parser.missing_directive", 1, 11,
     "@kind: merge needs @unique_key", "add `-- @unique_key: COLUMN`"},
    {"scd2 without key", "-- @kind: scd2\nSELECT 1", "parser.missing_directive", 1, 11,
     "@kind: scd2 needs @unique_key", "add `-- @unique_key: COLUMN`"},
    {"tracked without key", "-- @kind: tracked\nSELECT 1", "parser.missing_directive", 1, 11,
     "@kind: tracked needs @group_key", "add `-- @group_key: COLUMN, COLUMN`"},
    {"tracked with a unique key",
     "-- @kind: tracked\n-- @group_key: a\n-- @unique_key: a\nSELECT 1",
     "parser.invalid_unique_key", 3, 17, "@unique_key does not go with @kind: tracked",
     "use @group_key"},
    {"group key of a table", "-- @group_key: a\nSELECT 1", "parser.invalid_directive", 1, 16,
     "@group_key does not go with @kind: table", "use @kind: tracked"},
    {"scd2 with a sink", "-- @kind: scd2\n-- @unique_key: a\n-- @sink: s\nSELECT 1",
     "push.kind_not_supported", 3, 11, "@sink does not go with @kind: scd2",
     "use @kind: table with WHERE is_current = true"},
    {"fetch and push", "-- @fetch\n-- @push: s\nSELECT 1", "strict_push.lib_call_disallowed", 2, 11,
     "a model cannot both fetch and push",
     "fetch in one model and push from a second one that reads it"},
    {"sink and push", "-- @sink: a\n-- @push: b\nSELECT 1", "parser.invalid_directive", 2, 11,
     "@push is given twice: \"b\" here, \"a\" in line 1", ""},
    {"key of two columns", "-- @kind: merge\n-- @unique_key: a, b\nSELECT 1",
     "parser.invalid_unique_key", 2, 17, "@unique_key: \"a, b\" names more than one column",
     "a key of several columns is @kind: tracked with @group_key"},
    {"bad column name", "-- @incremental: 1a\nSELECT 1", "parser.invalid_incremental", 1, 18,
     "@incremental: \"1a\" is not a column name",
     "a column name is letters, digits and _, and begins with no digit"},
    {"reserved column", "-- @sorted_by: __Ondatra_x\nSELECT 1", "parser.invalid_sorted_by", 1, 16,
     "@sorted_by: \"__Ondatra_x\" is a reserved name",
     "names that begin with __ondatra_ belong to the runtime"},
    {"doubled partition", "-- @partitioned_by: year(d), YEAR(D)\nSELECT 1",
     "parser.invalid_partitioned_by", 1, 30, "@partitioned_by: \"YEAR(D)\" is named twice", ""},
    {"bad partition", "-- @partitioned_by: week(day)\nSELECT 1", "parser.invalid_partitioned_by", 1,
     21,
     "@partitioned_by: \"week(day)\" is neither a column nor one of year(c), month(c), day(c), "
     "hour(c), bucket(N, c)",
     ""},
    {"sink not closed", "-- @sink: s('a'\nSELECT 1", "parser.invalid_directive", 1, 11,
     "@sink: \"s('a'\" does not end with the closing parenthesis",
     "write @sink: name or @sink: name('a', 'b')"},
    {"column described twice",
     "-- @column: Email = a\n-- @column: email = b | mask_email\nSELECT 1",
     "parser.invalid_directive", 2, 13,
     "@column: \"email\" is described twice: \"email = b | mask_email\" here, \"Email = a\" in "
     "line 1",
     ""},
    {"column without text", "-- @column: a\nSELECT 1", "parser.invalid_directive", 1, 13,
     "@column: \"a\" has no =", "write @column: name = text | tag"},
    {"initial without cursor", "-- @incremental_initial: 1\nSELECT 1", "parser.missing_directive",
     1, 26, "@incremental_initial needs @incremental", "add `-- @incremental: COLUMN`"},
    {"not built", "-- @expose id\nSELECT 1", "parser.invalid_directive", 1, 12,
     "@expose is not built yet", "remove it: OData is not served"},
    {"empty body", "-- @kind: table\n;\n", "parser.other", 2, 1, "the file has no query",
     "write one SELECT below the directives"},
    {"two statements", "SELECT ';' AS a; -- x\nSELECT 2", "parser.multi_statement", 2, 1,
     "a model is one query, and here a second statement begins",
     "put it into a model file of its own"},
    {"open comment", "/* -- @kind: table\nSELECT 1", "parser.unterminated_block_comment", 1, 1,
     "the block comment is never closed",
     "close it with */: all that follows is part of the comment"},
    {"open comment in the query", "SELECT 1\n  /* -- @kind: table",
     "parser.unterminated_block_comment", 2, 3, "the block comment is never closed",
     "close it with */: all that follows is part of the comment"},
    {"second partition", "-- @partitioned_by: a, week(day)\nSELECT 1",
     "parser.invalid_partitioned_by", 1, 24,
     "@partitioned_by: \"week(day)\" is neither a column nor one of year(c), month(c), day(c), "
     "hour(c), bucket(N, c)",
     ""},
    {"quoted column", "-- @kind: merge\n-- @unique_key: \"id\"\nSELECT 1",
     "parser.invalid_unique_key", 2, 17, "@unique_key: \"\"id\"\" is not a column name",
     "write it without quotes"},
    {"directive in the body", "SELECT 1\n  -- @kind: table\n", "parser.invalid_directive", 2, 6,
     "@kind stands below the first line of SQL", "directives belong above the query"},
};

static void mistakes_are_told_with_place_and_hint(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(MISTAKES); i++) {
        struct parsed parsed;
        parse(&parsed, MISTAKES[i].text);
        if (parsed.ok || parsed.errors.count != 1) {
            fail_msg("%s: %zu errors", MISTAKES[i].name, parsed.errors.count);
        }
        const struct error *err = &parsed.errors.items[0];
        if (strcmp(err->message, MISTAKES[i].message) != 0 ||
            strcmp(err->hint, MISTAKES[i].hint) != 0 || strcmp(err->rule, MISTAKES[i].rule) != 0 ||
            err->pos.line != MISTAKES[i].line || err->pos.column != MISTAKES[i].column) {
            fail_msg("%s: %s:%d:%d: %s [%s] (hint: %s)", MISTAKES[i].name, err->pos.file,
                     err->pos.line, err->pos.column, err->message, err->rule, err->hint);
        }
        arena_done(&parsed.arena);
    }
}

static void all_mistakes_are_reported_at_once(void **state) {
    (void)state;
    struct parsed parsed;
    parse(&parsed, "-- @knd: table\n-- @unique_key: a,b\n-- @sink: 1\nSELECT 1; SELECT 2");
    assert_false(parsed.ok);
    assert_int_equal(parsed.errors.count, 4);
    arena_done(&parsed.arena);
}

static void ignored_key_is_a_warning(void **state) {
    (void)state;
    struct parsed parsed;
    parse(&parsed, "-- @unique_key: id\nSELECT 1 AS id");
    assert_true(parsed.ok);
    assert_int_equal(parsed.warnings.count, 1);
    assert_string_equal(parsed.warnings.items[0].message, "@unique_key is ignored by @kind: table");
    arena_done(&parsed.arena);
}

static void directive_shapes_in_literals_are_no_directives(void **state) {
    (void)state;
    struct parsed parsed;
    parse(&parsed, "SELECT '\n-- @kind: merge\n' AS a, $$\n-- @kind: x$$ AS b -- see @you\n");
    assert_true(parsed.ok);
    arena_done(&parsed.arena);
}

// ── The matrix of kinds and directives (models.md §3.2) ──

enum verdict { FINE, IGNORED, REFUSED };

static const struct {
    const char *directive;
    enum verdict verdicts[5]; // table, append, merge, tracked, scd2
} MATRIX[] = {
    {"-- @unique_key: a", {IGNORED, IGNORED, FINE, REFUSED, FINE}},
    {"-- @group_key: a", {REFUSED, REFUSED, REFUSED, FINE, REFUSED}},
    {"-- @incremental: a", {FINE, FINE, FINE, FINE, FINE}},
    {"-- @sink: s", {FINE, FINE, FINE, FINE, REFUSED}},
    {"-- @push: s", {FINE, FINE, FINE, FINE, REFUSED}},
    {"-- @fetch", {FINE, FINE, FINE, FINE, FINE}},
    {"-- @fetch\n-- @sink: s", {REFUSED, REFUSED, REFUSED, REFUSED, REFUSED}},
    {"-- @constraint: not_null(a)", {FINE, FINE, FINE, FINE, FINE}},
    {"-- @audit: row_count(>, 0)", {FINE, FINE, FINE, FINE, FINE}},
    {"-- @warning: row_count(>, 0)", {FINE, FINE, FINE, FINE, FINE}},
    {"-- @description: x", {FINE, FINE, FINE, FINE, FINE}},
    {"-- @column: b = x | mask", {FINE, FINE, FINE, FINE, FINE}},
    {"-- @partitioned_by: a", {FINE, FINE, FINE, FINE, FINE}},
    {"-- @sorted_by: a", {FINE, FINE, FINE, FINE, FINE}},
    {"-- @extension: json", {FINE, FINE, FINE, FINE, FINE}},
};

static void every_cell_of_the_matrix(void **state) {
    (void)state;
    static const char *const KEYS[] = {"", "", "-- @unique_key: a\n", "-- @group_key: a\n",
                                       "-- @unique_key: a\n"};
    for (size_t i = 0; i < ARRAY_COUNT(MATRIX); i++) {
        for (size_t j = 0; j < 5; j++) {
            SCRATCH(arena);
            const str key = str_slice(str_from(KEYS[j]), 0, 13);
            const bool has_key =
                key.size > 0 && str_starts_with(str_from(MATRIX[i].directive), key);
            const str text =
                str_format(&arena, "-- @kind: " STR_FORMAT "\n%s%s\nSELECT 1 AS a, 2 AS b",
                           STR_ARGS(model_kind_name((enum model_kind)j)), has_key ? "" : KEYS[j],
                           MATRIX[i].directive);
            struct model_source source;
            struct error_list errors;
            struct error_list warnings;
            error_list_init(&errors, &arena);
            error_list_init(&warnings, &arena);
            (void)model_source_parse(&arena, STR("x.sql"), text, &source, &errors, &warnings);
            const enum verdict verdict = errors.count > 0     ? REFUSED
                                         : warnings.count > 0 ? IGNORED
                                                              : FINE;
            if (verdict != MATRIX[i].verdicts[j]) {
                fail_msg(STR_FORMAT, STR_ARGS(text));
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_of_the_matrix),
        cmocka_unit_test(header_gives_every_directive),
        cmocka_unit_test(defaults_are_table_and_the_epoch),
        cmocka_unit_test(mistakes_are_told_with_place_and_hint),
        cmocka_unit_test(all_mistakes_are_reported_at_once),
        cmocka_unit_test(ignored_key_is_a_warning),
        cmocka_unit_test(directive_shapes_in_literals_are_no_directives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
