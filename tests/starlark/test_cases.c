// Runs tests/starlark/cases/*.star; its README.md says how a case is written.
#include "base/arena.h"
#include "base/file.h"
#include "base/list.h"
#include "base/text.h"
#include "starlark/standard.h"
#include "starlark/starlark.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

enum {
    MODULES_MAX = 16,
    STEPS_MAX = 20 * 1000 * 1000, // a case that loops for ever fails
    MEMORY_MAX = 512 * 1024 * 1024,
};

struct chunk {
    const char *file; // as positions show it
    int first_line;   // in the file of cases
    str text;
    enum star_dialect dialect;
    struct star_limits limits;
    str module;           // name, when the chunk is one
    struct text expected; // errors, then prints
    struct text printed;
};

struct case_file {
    struct arena arena;
    str name;
    struct chunk modules[MODULES_MAX];
    size_t module_count;
    struct {
        struct star_module **items;
        size_t count;
        size_t capacity;
    } loaded; // by the chunk that runs
    struct text failures;
    struct star_environment environment;
};

// ---- reading the comments -----------------------------------------------------------------------

static bool take_prefix(str *text, const char *prefix) {
    if (!str_starts_with(*text, str_from(prefix))) {
        return false;
    }
    *text = str_from_offset(*text, strlen(prefix));
    return true;
}

static void read_dialect(struct chunk *chunk, str name) {
    chunk->dialect = str_equal(name, STR("core"))  ? STAR_DIALECT_CORE
                     : str_equal(name, STR("lib")) ? STAR_DIALECT_LIB
                                                   : STAR_DIALECT_SCRIPT;
}

static void read_limit(struct chunk *chunk, str words) {
    int64_t value = 0;
    str number = str_from_offset(words, str_find_char(words, ' ') + 1);
    assert_true(str_parse_int64(number, &value));
    if (str_starts_with(words, STR("steps"))) {
        chunk->limits.steps = (uint64_t)value;
    } else if (str_starts_with(words, STR("memory"))) {
        chunk->limits.memory_bytes = (uint64_t)value;
    } else {
        chunk->limits.depth = (uint32_t)value;
    }
}

// "COLUMN: MESSAGE" on its own line, or "LINE:COLUMN: MESSAGE".
static void read_error(struct text *errors, str words, int line) {
    const size_t colon = str_find_char(words, ':');
    const bool has_line = colon + 1 < words.size && words.data[colon + 1] != ' ';
    if (has_line) {
        text_format(errors, STR_FORMAT "\n", STR_ARGS(words));
    } else {
        text_format(errors, "%d:" STR_FORMAT "\n", line, STR_ARGS(words));
    }
}

static void read_comments(struct case_file *file, struct chunk *chunk) {
    struct text prints;
    text_init(&prints, &file->arena);
    text_init(&chunk->expected, &file->arena);
    struct str_splitter lines = {.rest = chunk->text};
    str line;
    for (int number = 1; str_split_next(&lines, '\n', &line); number++) {
        const size_t at = str_find(line, STR("### "));
        if (at == SIZE_MAX) {
            continue;
        }
        str words = str_trim(str_from_offset(line, at + 4));
        if (take_prefix(&words, "prints")) {
            text_format(&prints, "print " STR_FORMAT "\n",
                        STR_ARGS(str_from_offset(words, words.size > 0)));
        } else if (take_prefix(&words, "error ")) {
            read_error(&chunk->expected, words, number);
        } else if (take_prefix(&words, "dialect ")) {
            read_dialect(chunk, words);
        } else if (take_prefix(&words, "module ")) {
            chunk->module = words;
        } else if (take_prefix(&words, "limit ")) {
            read_limit(chunk, words);
        } else {
            fail_msg(STR_FORMAT ":%d: unknown comment " STR_FORMAT, STR_ARGS(file->name),
                     chunk->first_line + number - 1, STR_ARGS(words));
        }
    }
    text_add(&chunk->expected, text_str(&prints));
}

// ---- running ------------------------------------------------------------------------------------

static void note_print(void *user, const char *text, size_t size) {
    struct str_splitter lines = {.rest = {text, size}};
    str line;
    while (str_split_next(&lines, '\n', &line)) {
        text_format(user, "print " STR_FORMAT "\n", STR_ARGS(line));
    }
}

static struct star_program *compile(const struct chunk *chunk, enum star_dialect dialect,
                                    struct star_diagnostics *diagnostics) {
    const struct star_source source = {.file = chunk->file,
                                       .text = chunk->text.data,
                                       .size = chunk->text.size,
                                       .dialect = dialect,
                                       .predeclared = star_standard_names};
    return star_compile(&source, diagnostics);
}

// Modules of the file of cases, each run anew for every load.
static struct star_module *load(struct star_thread *thread, void *user, const char *from,
                                const char *name) {
    (void)from;
    struct case_file *file = user;
    for (size_t i = 0; i < file->module_count; i++) {
        const struct chunk *module = &file->modules[i];
        if (!str_equal(module->module, str_from(name))) {
            continue;
        }
        struct star_diagnostics diagnostics = {0};
        struct star_program *program = compile(module, STAR_DIALECT_LIB, &diagnostics);
        star_diagnostics_free(&diagnostics);
        if (program == NULL) {
            (void)star_fail(thread, "module %s has static errors", name);
            return NULL;
        }
        struct star_module *made = star_module_init(thread, program, &file->environment);
        star_program_free(program);
        if (made != NULL) {
            LIST_PUSH(&file->arena, &file->loaded, made);
        }
        return made;
    }
    (void)star_fail(thread, "module %s not found", name);
    return NULL;
}

// Errors come before prints, as in `expected`.
static void run(struct case_file *file, struct chunk *chunk, struct star_program *program,
                struct text *got) {
    const struct star_thread_options options = {
        .limits = chunk->limits, .print = note_print, .print_user = &chunk->printed};
    struct star_thread *thread = star_thread_new(&options);
    assert_non_null(thread);
    struct star_binding standard[STAR_STANDARD_COUNT];
    assert_true(star_standard_bindings(thread, standard));
    file->environment = (struct star_environment){.predeclared = standard,
                                                  .predeclared_count = STAR_STANDARD_COUNT,
                                                  .load = load,
                                                  .load_user = file};
    struct star_module *module = star_module_init(thread, program, &file->environment);
    if (module == NULL) {
        const struct star_error *error = star_thread_error(thread);
        size_t at = error->frame_count;
        while (at > 0 && error->frames[at - 1].file == NULL) {
            at--;
        }
        text_format(got, "%d:%d: %s\n", at > 0 ? error->frames[at - 1].line : 0,
                    at > 0 ? error->frames[at - 1].column : 0, error->message);
    }
    star_module_free(module);
    for (size_t i = 0; i < file->loaded.count; i++) {
        star_module_free(file->loaded.items[i]);
    }
    file->loaded.count = 0;
    star_thread_free(thread);
}

static void run_chunk(struct case_file *file, struct chunk *chunk) {
    struct text got;
    text_init(&got, &file->arena);
    text_init(&chunk->printed, &file->arena);
    struct star_diagnostics diagnostics = {0};
    struct star_program *program = compile(chunk, chunk->dialect, &diagnostics);
    for (size_t i = 0; i < diagnostics.count; i++) {
        text_format(&got, "%d:%d: %s\n", diagnostics.items[i].line, diagnostics.items[i].column,
                    diagnostics.items[i].message);
    }
    star_diagnostics_free(&diagnostics);
    if (program != NULL) {
        run(file, chunk, program, &got);
        star_program_free(program);
    }
    text_add(&got, text_str(&chunk->printed));
    if (!str_equal(text_str(&got), text_str(&chunk->expected))) {
        text_format(&file->failures, "%s:%d:\n--- expected\n" STR_FORMAT "--- got\n" STR_FORMAT,
                    chunk->file, chunk->first_line, STR_ARGS(text_str(&chunk->expected)),
                    STR_ARGS(text_str(&got)));
    }
}

// ---- files --------------------------------------------------------------------------------------

static void take_chunk(struct case_file *file, str text, int first_line) {
    struct chunk chunk = {
        .file = str_to_cstring(&file->arena, file->name),
        .first_line = first_line,
        .text = text,
        .dialect = STAR_DIALECT_SCRIPT,
        .limits = {.steps = STEPS_MAX, .memory_bytes = MEMORY_MAX, .depth = 10000}};
    read_comments(file, &chunk);
    if (chunk.module.size == 0) {
        run_chunk(file, &chunk);
        return;
    }
    assert_true(file->module_count < MODULES_MAX);
    file->modules[file->module_count++] = chunk;
}

static void run_chunks(struct case_file *file, str text) {
    size_t start = 0;
    int first_line = 1;
    struct str_splitter lines = {.rest = text};
    str line;
    int number = 1;
    for (size_t at = 0; str_split_next(&lines, '\n', &line); number++) {
        if (str_equal(line, STR("---"))) {
            take_chunk(file, str_slice(text, start, at), first_line);
            start = at + line.size + 1;
            first_line = number + 1;
        }
        at += line.size + 1;
    }
    take_chunk(file, str_from_offset(text, start), first_line);
}

static void test_every_case(void **state) {
    (void)state;
    SCRATCH(arena);
    const str folder = STR(COYPU_SOURCE_DIR "/tests/starlark/cases");
    struct str_list names = {0};
    struct error err;
    assert_int_equal(directory_files(&arena, folder, &names, &err), ERROR_NONE);
    struct text failures;
    text_init(&failures, &arena);
    for (size_t i = 0; i < names.count; i++) {
        if (!str_ends_with(names.items[i], STR(".star"))) {
            continue;
        }
        struct case_file file = {.name = names.items[i]};
        arena_init(&file.arena);
        text_init(&file.failures, &file.arena);
        str text;
        assert_int_equal(
            file_read(&file.arena, path_join(&arena, folder, names.items[i]), &text, &err),
            ERROR_NONE);
        run_chunks(&file, text);
        text_add(&failures, text_str(&file.failures));
        arena_done(&file.arena);
    }
    if (failures.size > 0) {
        (void)fputs(text_cstring(&failures), stderr); // fail_msg cuts long texts
        fail_msg("some cases differ");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_case)};
    return cmocka_run_group_tests_name("starlark cases", tests, NULL, NULL);
}
