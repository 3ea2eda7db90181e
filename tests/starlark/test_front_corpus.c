// The seeds of the fuzzer, run once each; and every prefix of them, which is where recovery breaks.
#include "base/arena.h"
#include "base/file.h"
#include "starlark/parser.h"
#include "starlark/resolver.h"
#include "support/unit.h"

static const char *const names[] = {"None", "True", "False", "len"};

static void run_front(str source) {
    SCRATCH(arena);
    struct star_report report;
    star_report_init(&report, &arena);
    struct ast_file *file = star_parse(&arena, STR("seed.star"), source, &report);
    const struct star_resolve_options options = {
        STAR_DIALECT_LIB, {NULL, 0}, {names, ARRAY_COUNT(names)}};
    star_resolve(&arena, file, &options, &report);
    star_report_sort(&report);
}

static void test_every_prefix_of_every_seed_ends(void **state) {
    (void)state;
    SCRATCH(arena);
    const str folder = STR(COYPU_SOURCE_DIR "/tests/fuzz/corpus/starlark_front");
    struct str_list files = {0};
    struct error err;
    assert_int_equal(directory_files(&arena, folder, &files, &err), ERROR_NONE);
    assert_true(files.count >= 5);
    for (size_t i = 0; i < files.count; i++) {
        str source;
        assert_int_equal(
            file_read(&arena, path_join(&arena, folder, files.items[i]), &source, &err),
            ERROR_NONE);
        for (size_t size = 0; size <= source.size; size++) {
            // A copy of just this size, so that reading behind the end is seen.
            SCRATCH(scratch);
            run_front(str_copy(&scratch, str_slice(source, 0, size)));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_prefix_of_every_seed_ends)};
    return cmocka_run_group_tests_name("starlark front end corpus", tests, NULL, NULL);
}
