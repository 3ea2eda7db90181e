// `coypu starlark`: runs one program by hand (spec/starlark.md §12).
//
// The program, the files that it loads and their values share one thread.  A second OS thread waits
// for Ctrl-C and cancels the run.
#include "starlark/starlark.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/starlark_profile.h"
#include "cli/starlark_report.h"
#include "starlark/standard.h"
#include "starlark/syntax.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    EXIT_UNREADABLE = 3,
    EXIT_LIMIT = 4,
    READ_BLOCK = 64 * 1024,
};

// The global that holds the value of a program that is one expression (-c).
static const char result_name[] = "<result>";

// A file that load() asked for.
struct loaded_file {
    const char *path;             // as positions show it
    struct star_module *module;   // NULL while it runs
    struct star_program *program; // kept for the backtrace of a failed module
    struct loaded_file *next;
};

struct run {
    struct command_line *line;
    struct starlark_report report;
    const char *file; // as positions show it
    str source;
    bool is_command; // -c
    enum star_dialect dialect;
    struct star_limits limits;
    struct star_thread *thread;
    struct star_environment environment;
    struct star_binding standard[STAR_STANDARD_COUNT];
    struct loaded_file *files; // newest first
};

// ---- options ------------------------------------------------------------------------------------

static enum error_code parse_dialect(const struct command_line *line, enum star_dialect *dialect,
                                     struct error *err) {
    static const char *const names[] = {"core", "lib", "script"};
    str name;
    *dialect = STAR_DIALECT_SCRIPT;
    if (!command_option(line, "dialect", &name)) {
        return ERROR_NONE;
    }
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (str_equal(name, str_from(names[i]))) {
            *dialect = (enum star_dialect)i;
            return ERROR_NONE;
        }
    }
    return error_set(err, ERROR_INVALID, "--dialect is \"" STR_FORMAT "\", not core, lib or script",
                     STR_ARGS(name));
}

static enum error_code parse_format(struct run *run, struct error *err) {
    str format;
    run->report.json = run->line->json;
    if (!command_option(run->line, "error-format", &format)) {
        return ERROR_NONE;
    }
    run->report.json = str_equal(format, STR("json"));
    if (!run->report.json && !str_equal(format, STR("text"))) {
        return error_set(err, ERROR_INVALID,
                         "--error-format is \"" STR_FORMAT "\", not text or json",
                         STR_ARGS(format));
    }
    return ERROR_NONE;
}

// Seconds, with a fraction.
static enum error_code parse_timeout(const struct command_line *line, uint64_t *time_us,
                                     struct error *err) {
    str text;
    if (!command_option(line, "timeout", &text)) {
        return ERROR_NONE;
    }
    double seconds = 0;
    if (!str_parse_double(text, &seconds) || !(seconds >= 0 && seconds <= 1e9)) {
        return error_set(err, ERROR_INVALID,
                         "--timeout is \"" STR_FORMAT "\", not a number of seconds",
                         STR_ARGS(text));
    }
    *time_us = (uint64_t)(seconds * 1e6);
    return ERROR_NONE;
}

static enum error_code parse_limits(struct run *run, struct error *err) {
    run->limits = STAR_LIMITS_DEFAULT;
    int64_t steps = 0;
    int64_t memory = 0;
    int64_t depth = run->limits.depth;
    TRY(command_number(run->line, "max-steps", 0, INT64_MAX, &steps, err));
    TRY(command_number(run->line, "max-memory", 0, INT64_MAX, &memory, err));
    TRY(command_number(run->line, "max-depth", 0, INT32_MAX, &depth, err));
    run->limits.steps = (uint64_t)steps;
    run->limits.memory_bytes = (uint64_t)memory;
    run->limits.depth = (uint32_t)depth;
    return parse_timeout(run->line, &run->limits.time_us, err);
}

static enum error_code check_arguments(struct run *run, struct error *err) {
    str program;
    run->is_command = command_option(run->line, "command", &program);
    const size_t wanted = run->is_command ? 0 : 1;
    if (run->line->arguments.count != wanted) {
        return error_set(err, ERROR_INVALID, "%s",
                         run->is_command ? "give a file or -c, not both"
                                         : "give a file, - for standard input, or -c PROGRAM");
    }
    return ERROR_NONE;
}

// ---- the source ---------------------------------------------------------------------------------

static enum error_code read_standard_input(struct arena *arena, str *content, struct error *err) {
    struct text text;
    text_init(&text, arena);
    for (;;) {
        const ssize_t size = read(STDIN_FILENO, text_reserve(&text, READ_BLOCK), READ_BLOCK);
        if (size < 0 && errno != EINTR) {
            return error_set(err, ERROR_IO, "cannot read standard input");
        }
        if (size == 0) {
            *content = text_str(&text);
            return ERROR_NONE;
        }
        if (size > 0) {
            text_advance(&text, (size_t)size);
        }
    }
}

static enum error_code read_source(struct run *run, struct error *err) {
    struct arena *arena = run->line->arena;
    if (run->is_command) {
        run->file = "<command>";
        (void)command_option(run->line, "command", &run->source);
        return ERROR_NONE;
    }
    const str path = command_argument(run->line, 0);
    if (str_equal(path, STR("-"))) {
        run->file = "<stdin>";
        return read_standard_input(arena, &run->source, err);
    }
    run->file = str_to_cstring(arena, path);
    return file_read(arena, path, &run->source, err);
}

// ---- load ---------------------------------------------------------------------------------------

static struct loaded_file *find_file(const struct run *run, str path) {
    for (struct loaded_file *file = run->files; file != NULL; file = file->next) {
        if (str_equal(str_from(file->path), path)) {
            return file;
        }
    }
    return NULL;
}

// "a.star -> b.star -> a.star": the files that are still running, from `first`, and back to it.
static struct star_module *fail_cycle(struct run *run, const struct loaded_file *first) {
    struct arena *arena = run->line->arena;
    str chain = str_from(first->path);
    for (const struct loaded_file *file = run->files; file != NULL; file = file->next) {
        if (file->module == NULL) {
            chain = str_format(arena, "%s -> " STR_FORMAT, file->path, STR_ARGS(chain));
        }
        if (file == first) {
            break;
        }
    }
    (void)star_fail(run->thread, "cycle in load: " STR_FORMAT, STR_ARGS(chain));
    return NULL;
}

static struct star_program *compile_file(struct run *run, const char *path) {
    struct error err;
    str source;
    if (file_read(run->line->arena, str_from(path), &source, &err) != ERROR_NONE) {
        (void)star_fail(run->thread, "cannot load: %s", err.message);
        return NULL;
    }
    const struct star_source program_source = {.file = path,
                                               .text = source.data,
                                               .size = source.size,
                                               .dialect = STAR_DIALECT_LIB,
                                               .predeclared = star_standard_names,
                                               .memory_bytes = run->limits.memory_bytes};
    struct star_diagnostics diagnostics = {0};
    struct star_program *program = star_compile(&program_source, &diagnostics);
    if (program == NULL && diagnostics.failure[0] != '\0') {
        (void)star_fail_host(run->thread, STAR_LIMIT, 0, "cannot load %s: %s", path,
                             diagnostics.failure);
    } else if (program == NULL) {
        starlark_report_static(&run->report, path, source, &diagnostics);
        (void)star_fail(run->thread, "cannot load %s: it has %zu static error%s", path,
                        diagnostics.total, diagnostics.total == 1 ? "" : "s");
    }
    star_diagnostics_free(&diagnostics);
    return program;
}

static struct star_module *load_file(struct star_thread *thread, void *user, const char *from,
                                     const char *name) {
    struct run *run = user;
    struct arena *arena = run->line->arena;
    const bool is_file = find_file(run, str_from(from)) != NULL || from == run->file;
    const str directory = is_file ? path_directory(str_from(from)) : STR(".");
    const str path = str_equal(directory, STR(".")) || path_is_absolute(str_from(name))
                         ? str_from(name)
                         : path_join(arena, directory, str_from(name));
    struct loaded_file *file = find_file(run, path);
    if (file != NULL) {
        return file->module != NULL ? file->module : fail_cycle(run, file);
    }
    file = ARENA_NEW(arena, struct loaded_file);
    *file = (struct loaded_file){.path = str_to_cstring(arena, path), .next = run->files};
    run->files = file;
    file->program = compile_file(run, file->path);
    if (file->program != NULL) {
        file->module = star_module_init(thread, file->program, &run->environment);
    }
    return file->module;
}

static void free_files(struct run *run) {
    for (struct loaded_file *file = run->files; file != NULL; file = file->next) {
        star_module_free(file->module);
        if (file->program != NULL) {
            star_program_free(file->program);
        }
    }
}

// ---- Ctrl-C -------------------------------------------------------------------------------------

struct watcher {
    struct star_thread *thread;
    int interrupt_fd;
    int stop_fd;
    pthread_t os_thread;
    bool started;
};

static void *watch(void *self) {
    const struct watcher *watcher = self;
    struct pollfd fds[] = {{.fd = watcher->interrupt_fd, .events = POLLIN},
                           {.fd = watcher->stop_fd, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0 && errno == EINTR) {
    }
    if ((fds[0].revents & POLLIN) != 0) {
        star_thread_cancel(watcher->thread);
    }
    return NULL;
}

static void watcher_start(struct watcher *watcher, struct star_thread *thread,
                          const struct interrupt *interrupt) {
    *watcher = (struct watcher){.thread = thread, .stop_fd = -1};
    if (interrupt == NULL) {
        return;
    }
    watcher->interrupt_fd = interrupt->wake_fd;
    watcher->stop_fd = eventfd(0, EFD_CLOEXEC);
    watcher->started =
        watcher->stop_fd >= 0 && pthread_create(&watcher->os_thread, NULL, watch, watcher) == 0;
}

static void watcher_stop(struct watcher *watcher) {
    if (watcher->started) {
        (void)eventfd_write(watcher->stop_fd, 1);
        (void)pthread_join(watcher->os_thread, NULL);
    }
    if (watcher->stop_fd >= 0) {
        (void)close(watcher->stop_fd);
    }
}

// ---- running ------------------------------------------------------------------------------------

static int exit_status(const struct star_error *error) {
    switch (error->status) {
    case STAR_LIMIT:
        return EXIT_LIMIT;
    case STAR_CANCELLED:
        return EXIT_INTERRUPTED;
    case STAR_OK:
    case STAR_FAILED:
    case STAR_ABORTED:
    case STAR_HOST:
        return EXIT_FINDINGS;
    }
    return EXIT_FINDINGS;
}

static int report_failure(struct run *run) {
    const int status = exit_status(star_thread_error(run->thread));
    starlark_report_error(&run->report, run->thread, run->file, run->source);
    return status;
}

static int print_result(struct run *run, star_value value) {
    if (star_is_unset(value) || star_is_none(value)) {
        return EXIT_CLEAN;
    }
    const star_value repr = star_repr(run->thread, value);
    str text = {NULL, 0};
    if (!star_get_text(repr, &text.data, &text.size)) {
        return report_failure(run);
    }
    struct error err;
    if (command_write(str_format(run->line->arena, STR_FORMAT "\n", STR_ARGS(text)), &err) !=
        ERROR_NONE) {
        return command_fail(run->line, &err);
    }
    return EXIT_CLEAN;
}

static int show_environment(struct run *run, const struct star_module *module) {
    for (size_t i = 0; i < star_module_global_count(module); i++) {
        star_value value;
        const char *name = star_module_global_at(module, i, &value);
        if (star_is_unset(value) || str_equal(str_from(name), str_from(result_name))) {
            continue;
        }
        const star_value repr = star_repr(run->thread, value);
        str text = {NULL, 0};
        if (!star_get_text(repr, &text.data, &text.size)) {
            return report_failure(run);
        }
        SCRATCH(scratch);
        starlark_report_text(&run->report,
                             str_format(&scratch, "%s = " STR_FORMAT "\n", name, STR_ARGS(text)));
    }
    return EXIT_CLEAN;
}

static int run_module(struct run *run, struct star_program *program) {
    if (!star_standard_bindings(run->thread, run->standard)) {
        return report_failure(run);
    }
    run->environment = (struct star_environment){.predeclared = run->standard,
                                                 .predeclared_count = STAR_STANDARD_COUNT,
                                                 .load = load_file,
                                                 .load_user = run};
    star_thread_set_limits(run->thread, &run->limits);
    struct star_module *module = star_module_init(run->thread, program, &run->environment);
    if (module == NULL) {
        return report_failure(run);
    }
    int status = EXIT_CLEAN;
    if (run->is_command) {
        status = print_result(run, star_module_global(module, result_name));
    }
    if (status == EXIT_CLEAN && command_flag(run->line, "show-env")) {
        status = show_environment(run, module);
    }
    star_module_free(module);
    return status;
}

static int run_program(struct run *run, struct star_program *program) {
    const struct star_thread_options options = {.limits = run->limits};
    run->thread = star_thread_new(&options);
    if (run->thread == NULL) {
        starlark_report_text(&run->report, STR("out of memory\n"));
        return EXIT_LIMIT;
    }
    str profile_path;
    struct starlark_profile profile;
    const bool is_profiled = command_option(run->line, "profile", &profile_path);
    if (is_profiled) {
        starlark_profile_begin(&profile, run->line->arena, run->thread);
    }
    struct watcher watcher;
    watcher_start(&watcher, run->thread, run->line->context->interrupt);
    int status = run_module(run, program);
    watcher_stop(&watcher);
    struct error err;
    if (is_profiled && file_write_atomic(profile_path, starlark_profile_text(&profile), 0644,
                                         &err) != ERROR_NONE) {
        status = command_fail(run->line, &err);
    }
    free_files(run);
    star_thread_free(run->thread);
    return status;
}

static void add_text(void *user, const char *text, size_t size) {
    text_add(user, (str){text, size});
}

static int disassemble(struct run *run, const struct star_program *program) {
    struct text text;
    text_init(&text, run->line->arena);
    star_program_disassemble(program, add_text, &text);
    struct error err;
    return command_write(text_str(&text), &err) == ERROR_NONE ? EXIT_CLEAN
                                                              : command_fail(run->line, &err);
}

static int compile_and_run(struct run *run) {
    const struct star_source source = {.file = run->file,
                                       .text = run->source.data,
                                       .size = run->source.size,
                                       .dialect = run->dialect,
                                       .predeclared = star_standard_names,
                                       .result_name = run->is_command ? result_name : NULL,
                                       .memory_bytes = run->limits.memory_bytes};
    struct star_diagnostics diagnostics = {0};
    struct star_program *program = star_compile(&source, &diagnostics);
    if (program == NULL) {
        const bool is_limit = diagnostics.failure[0] != '\0';
        starlark_report_static(&run->report, run->file, run->source, &diagnostics);
        star_diagnostics_free(&diagnostics);
        return is_limit ? EXIT_LIMIT : EXIT_FINDINGS;
    }
    int status = EXIT_CLEAN;
    if (command_flag(run->line, "disassemble")) {
        status = disassemble(run, program);
    } else if (!command_flag(run->line, "check")) {
        status = run_program(run, program);
    }
    star_program_free(program);
    return status;
}

static enum error_code parse_options(struct run *run, struct error *err) {
    TRY(check_arguments(run, err));
    TRY(parse_dialect(run->line, &run->dialect, err));
    TRY(parse_format(run, err));
    return parse_limits(run, err);
}

static int run(struct command_line *line) {
    struct run run = {.line = line};
    run.report.line = line;
    run.report.with_source = isatty(STDERR_FILENO) == 1;
    struct error err;
    if (parse_options(&run, &err) != ERROR_NONE) {
        command_print_error(line, &err);
        return EXIT_USAGE;
    }
    if (read_source(&run, &err) != ERROR_NONE) {
        command_print_error(line, &err);
        return EXIT_UNREADABLE;
    }
    return compile_and_run(&run);
}

const struct command command_starlark = {
    .name = "starlark",
    .arguments = "FILE|-",
    .summary = "run a Starlark program",
    .help =
        "Runs FILE, standard input (-) or the program given with -c.  The language, json, time,\n"
        "math and freeze are there; the network and the project are not.  print() writes to\n"
        "standard error; with -c the value of a sole expression is printed.\n\n"
        "exit status: 0 success, 1 the program failed, 2 wrong usage, 3 file not readable,\n"
        "4 a limit was hit, 130 interrupted",
    .arguments_min = 0,
    .arguments_max = 1,
    .options = {{"command", 'c', "PROGRAM",
                 "run this text; print its value when it is an expression"},
                {"dialect", 0, "NAME", "core, lib or script (default)"},
                {"check", 0, NULL, "parse and resolve only"},
                {"max-steps", 0, "N", "limit of executed steps; 0: none"},
                {"max-memory", 0, "BYTES", "limit of live heap; 0: none"},
                {"timeout", 0, "SEC", "limit of time; 0: none"},
                {"max-depth", 0, "N", "limit of nested calls (default 10000); 0: none"},
                {"show-env", 0, NULL, "print the globals behind a successful run"},
                {"disassemble", 0, NULL, "print the bytecode instead of running it"},
                {"profile", 0, "FILE", "write steps and time by function to FILE"},
                {"error-format", 0, "FORMAT", "text (default) or json: one object an error"}},
    .run = run,
};
