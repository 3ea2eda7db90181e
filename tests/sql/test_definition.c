// What changes a model's hash, and what must not.
#include "support/unit.h"

#include "sql/definition.h"

static struct definition hash_of(struct arena *arena, const char *text, const char *canonical) {
    struct model_source source;
    struct error_list errors;
    struct error_list warnings;
    error_list_init(&errors, arena);
    error_list_init(&warnings, arena);
    assert_true(
        model_source_parse(arena, STR("x.sql"), str_from(text), &source, &errors, &warnings));
    const struct definition_input input = {
        .directives = &source.directives, .body = source.body, .canonical = str_from(canonical)};
    struct definition definition;
    definition_hash(arena, &input, &definition);
    return definition;
}

static void legacy_hash_matches_the_vector(void **state) {
    (void)state;
    SCRATCH(arena);
    static const char *const SAME[] = {"SELECT 1 AS id", "select 1 as ID -- comment\n",
                                       "-- @kind: table\nSELECT\t1\nAS id;"};
    for (size_t i = 0; i < ARRAY_COUNT(SAME); i++) {
        const struct definition definition = hash_of(&arena, SAME[i], "");
        assert_true(
            str_equal(definition.sql_hash,
                      STR("469e018fdea495b95da7807bc3271559fd35ca362450db5a301fd7187b0396cc")));
    }
}

static const struct {
    const char *name;
    const char *text;
    bool same;
} CHANGES[] = {
    {"the same", "-- @kind: merge\n-- @unique_key: id\nSELECT 1", true},
    {"description", "-- @kind: merge\n-- @unique_key: id\n-- @description: x\nSELECT 1", true},
    {"sink", "-- @kind: merge\n-- @unique_key: id\n-- @sink: x\nSELECT 1", true},
    {"checks", "-- @kind: merge\n-- @unique_key: id\n-- @audit: a(b)\nSELECT 1", true},
    {"sorting", "-- @kind: merge\n-- @unique_key: id\n-- @sorted_by: id\nSELECT 1", true},
    {"column text", "-- @kind: merge\n-- @unique_key: id\n-- @column: id = x | pii\nSELECT 1",
     true},
    {"key", "-- @kind: merge\n-- @unique_key: other\nSELECT 1", false},
    {"kind", "-- @kind: append\nSELECT 1", false},
    {"cursor", "-- @kind: merge\n-- @unique_key: id\n-- @incremental: t\nSELECT 1", false},
    {"partitioning", "-- @kind: merge\n-- @unique_key: id\n-- @partitioned_by: id\nSELECT 1",
     false},
    {"mask", "-- @kind: merge\n-- @unique_key: id\n-- @column: a = x | mask\nSELECT 1", false},
};

static void hash_follows_what_decides_the_data(void **state) {
    (void)state;
    SCRATCH(arena);
    const struct definition base = hash_of(&arena, CHANGES[0].text, "tree");
    for (size_t i = 0; i < ARRAY_COUNT(CHANGES); i++) {
        const struct definition other = hash_of(&arena, CHANGES[i].text, "tree");
        if (str_equal(base.coypu_hash, other.coypu_hash) != CHANGES[i].same ||
            str_equal(base.text_hash, other.text_hash) != CHANGES[i].same) {
            fail_msg("%s", CHANGES[i].name);
        }
    }
    assert_false(
        str_equal(base.coypu_hash, hash_of(&arena, CHANGES[0].text, "other tree").coypu_hash));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(legacy_hash_matches_the_vector),
        cmocka_unit_test(hash_follows_what_decides_the_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
