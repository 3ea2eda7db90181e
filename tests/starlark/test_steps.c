// The work of the programs in bench/starlark, against the baseline beside them: VM steps and bytes
// taken from the system.  Both are the same on every run and machine, so this finds what a timed
// test on a busy machine cannot: code that became longer, objects that became larger.
//
// After a change that is meant:   build/debug/test_starlark_steps --update

#include "base/arena.h"
#include "base/file.h"
#include "base/text.h"
#include "starlark/standard.h"
#include "support/unit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER COYPU_SOURCE_DIR "/bench/starlark"
#define BASELINE FOLDER "/baseline.txt"

enum { GROWTH_PERCENT = 3 };

struct work {
    str name;
    uint64_t steps;
    uint64_t kilobytes;
};

static void *count_bytes(void *user, void *memory, size_t old_size, size_t size) {
    if (size == 0) {
        free(memory);
        return NULL;
    }
    uint64_t *bytes = user;
    *bytes += size > old_size ? size - old_size : 0;
    return realloc(memory, size);
}

static void ignore_print(void *user, const char *text, size_t size) {
    (void)user;
    (void)text;
    (void)size;
}

static struct work measure(struct arena *arena, str file) {
    str text;
    struct error err;
    assert_int_equal(file_read(arena, path_join(arena, STR(FOLDER), file), &text, &err),
                     ERROR_NONE);
    const struct star_source source = {.file = str_to_cstring(arena, file),
                                       .text = text.data,
                                       .size = text.size,
                                       .dialect = STAR_DIALECT_CORE,
                                       .predeclared = star_standard_names};
    struct star_program *program = star_compile(&source, NULL);
    assert_non_null(program);
    uint64_t bytes = 0;
    const struct star_thread_options options = {
        .print = ignore_print, .allocate = count_bytes, .allocate_user = &bytes};
    struct star_thread *thread = star_thread_new(&options);
    struct star_binding standard[STAR_STANDARD_COUNT];
    assert_true(star_standard_bindings(thread, standard));
    const struct star_environment environment = {.predeclared = standard,
                                                 .predeclared_count = STAR_STANDARD_COUNT};
    struct star_module *module = star_module_init(thread, program, &environment);
    assert_non_null(module);
    const struct work work = {.name = str_slice(file, 0, file.size - strlen(".star")),
                              .steps = star_thread_steps(thread),
                              .kilobytes = bytes / 1024};
    star_module_free(module);
    star_thread_free(thread);
    star_program_free(program);
    return work;
}

// The programs in the order of their names.
static struct str_list programs(struct arena *arena) {
    struct str_list names = {0};
    struct str_list files = {0};
    struct error err;
    assert_int_equal(directory_files(arena, STR(FOLDER), &files, &err), ERROR_NONE);
    for (size_t i = 0; i < files.count; i++) {
        if (str_ends_with(files.items[i], STR(".star"))) {
            str_list_push(arena, &names, files.items[i]);
        }
    }
    str_list_sort(&names);
    return names;
}

static bool baseline_of(str baseline, str name, struct work *work) {
    struct str_splitter lines = {.rest = baseline};
    str line;
    while (str_split_next(&lines, '\n', &line)) {
        struct str_splitter words = {.rest = line};
        str word[3] = {0};
        size_t n = 0;
        while (n < 3 && str_split_next(&words, ' ', &word[n])) {
            n++;
        }
        int64_t steps = 0;
        int64_t kilobytes = 0;
        if (n == 3 && str_equal(word[0], name) && str_parse_int64(word[1], &steps) &&
            str_parse_int64(word[2], &kilobytes)) {
            *work = (struct work){name, (uint64_t)steps, (uint64_t)kilobytes};
            return true;
        }
    }
    return false;
}

static void check(struct text *failures, str name, const char *what, uint64_t now,
                  uint64_t before) {
    if (now * 100 > before * (100 + GROWTH_PERCENT)) {
        text_format(failures, STR_FORMAT ": %" PRIu64 " %s, baseline %" PRIu64 "\n", STR_ARGS(name),
                    now, what, before);
    }
}

static void test_work_has_not_grown(void **state) {
    (void)state;
    SCRATCH(arena);
    struct error err;
    str baseline;
    assert_int_equal(file_read(&arena, STR(BASELINE), &baseline, &err), ERROR_NONE);
    const struct str_list names = programs(&arena);
    struct text failures;
    text_init(&failures, &arena);
    for (size_t i = 0; i < names.count; i++) {
        const struct work now = measure(&arena, names.items[i]);
        struct work before;
        if (!baseline_of(baseline, now.name, &before)) {
            text_format(&failures, STR_FORMAT ": not in the baseline\n", STR_ARGS(now.name));
            continue;
        }
        check(&failures, now.name, "steps", now.steps, before.steps);
        check(&failures, now.name, "KB allocated", now.kilobytes, before.kilobytes);
    }
    if (failures.size > 0) {
        fail_msg(
            "more than %d%% above bench/starlark/baseline.txt (--update when it is meant):\n%s",
            GROWTH_PERCENT, text_cstring(&failures));
    }
}

static int update(void) {
    SCRATCH(arena);
    struct text text;
    text_init(&text, &arena);
    text_format(&text, "# program, VM steps, KB allocated; by test_starlark_steps --update\n");
    const struct str_list names = programs(&arena);
    for (size_t i = 0; i < names.count; i++) {
        const struct work work = measure(&arena, names.items[i]);
        text_format(&text, STR_FORMAT " %" PRIu64 " %" PRIu64 "\n", STR_ARGS(work.name), work.steps,
                    work.kilobytes);
    }
    struct error err;
    return file_write_atomic(STR(BASELINE), text_str(&text), 0644, &err) == ERROR_NONE ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--update") == 0) {
        return update();
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_work_has_not_grown)};
    return cmocka_run_group_tests_name("starlark steps", tests, NULL, NULL);
}
