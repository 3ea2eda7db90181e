// coypu: the program.  What calls what:
//
//     main.c          picks the command, makes the context (clock, environment, log, interrupt)
//     command.c       options, help, printing errors
//     FILE.c          one command a file; each exports one `const struct command`
//
// Commands call project/ (files and session), run/ and inspect/ (models), lib/ (fetch and push),
// lake/. Nothing below cli/ knows of commands, standard output or exit codes.
#include "base/environment.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/redact.h"
#include "base/suggest.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/maintain.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The one thing a signal handler may touch.
static struct interrupt interrupt = {.wake_fd = -1};

// clang-format off: one a line
const struct command *const commands[] = {
    &command_init,
    &command_new,
    &command_edit,
    &command_run,
    &command_sandbox,
    &command_validate,
    &command_describe,
    &command_history,
    &command_stats,
    &command_dag,
    &command_lineage,
    &command_impact,
    &command_push,
    &command_query,
    &command_sql,
    &command_checkpoint,
    &command_flush,
    &command_expire,
    &command_merge,
    &command_rewrite,
    &command_cleanup,
    &command_orphaned,
    &command_starlark,
    &command_completions,
    &command_version,
    NULL,
};
// clang-format on

static void on_signal(int number) {
    if (interrupt_is_raised(&interrupt)) {
        _exit(128 + number); // asked twice: now
    }
    interrupt_raise(&interrupt);
}

static void signals_install(void) {
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
}

enum { HELP_COLUMN = 24 }; // where the summaries begin

static void print_help(void) {
    (void)printf(
        "coypu moves data between HTTP APIs and a DuckLake, and transforms it with SQL.\n\n"
        "usage: coypu COMMAND [arguments] [--json]\n\ncommands:\n");
    for (size_t i = 0; commands[i] != NULL; i++) {
        char head[64];
        (void)snprintf(head, sizeof(head), "%s %s", commands[i]->name, commands[i]->arguments);
        if (str_code_points(str_from(head)) > HELP_COLUMN) { // its own --help tells
            (void)snprintf(head, sizeof(head), "%s …", commands[i]->name);
        }
        // printf pads by bytes; "…" is one column of three.
        const size_t extra = strlen(head) - str_code_points(str_from(head));
        (void)printf("  %-*s %s\n", HELP_COLUMN + (int)extra, head, commands[i]->summary);
    }
    (void)printf("\n`coypu COMMAND --help` explains a command.\n"
                 "exit status: 0 clean, 1 findings or failures, 2 wrong usage, 130 interrupted\n");
}

static const struct command *find_command(str name) {
    for (size_t i = 0; commands[i] != NULL; i++) {
        if (str_equal(str_from(commands[i]->name), name)) {
            return commands[i];
        }
    }
    return NULL;
}

static int unknown_command(struct command_line *line, str name) {
    struct str_list names = {0};
    for (size_t i = 0; commands[i] != NULL; i++) {
        str_list_push(line->arena, &names, str_from(commands[i]->name));
    }
    struct error err;
    error_set(&err, ERROR_INVALID, "there is no command \"" STR_FORMAT "\"", STR_ARGS(name));
    const str near = str_starts_with(name, STR("-")) ? (str){0} : suggest(name, &names);
    if (near.size > 0) {
        error_hint(&err, "did you mean `coypu " STR_FORMAT "`?", STR_ARGS(near));
    } else {
        error_hint(&err, "`coypu --help` lists the commands");
    }
    command_print_error(line, &err);
    return EXIT_USAGE;
}

// The folder of the program's file, with symlinks resolved.
static str program_directory(struct arena *arena) {
    char path[4096];
    const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
    if (size <= 0) {
        return STR(".");
    }
    const str whole = {path, (size_t)size};
    const size_t slash = str_find_last_char(whole, '/');
    return str_copy(arena, str_slice(whole, 0, slash));
}

static bool asks_help(int argc, char **argv) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

// `--json` may stand anywhere, also before the command.
static int run_command(struct command_line *line, int argc, char **argv) {
    int at = 1;
    while (at < argc && strcmp(argv[at], "--json") == 0) {
        line->json = true;
        at++;
    }
    if (at >= argc || strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0 ||
        strcmp(argv[at], "help") == 0) {
        print_help();
        return EXIT_CLEAN;
    }
    if (strcmp(argv[at], "--version") == 0) {
        line->command = &command_version;
        return command_version.run(line);
    }
    const struct command *command = find_command(str_from(argv[at]));
    struct command script;
    if (command == NULL && maintain_command(line, str_from(argv[at]), &script)) {
        command = &script;
    }
    if (command == NULL) {
        return unknown_command(line, str_from(argv[at]));
    }
    if (asks_help(argc - at - 1, argv + at + 1)) {
        command_print_help(command);
        return EXIT_CLEAN;
    }
    struct error err;
    if (command_parse(command, argc - at - 1, argv + at + 1, line, &err) != ERROR_NONE) {
        command_print_error(line, &err);
        return EXIT_USAGE;
    }
    return command->run(line);
}

int main(int argc, char **argv) {
    struct arena arena;
    arena_init(&arena);
    interrupt_init(&interrupt);
    signals_install();
    struct redactor *redactor = redactor_new();
    struct log *log = log_new(STDERR_FILENO, LOG_INFO, redactor);
    struct environment environment;
    environment_init(&environment, &arena, true);
    struct context context = {.clock = clock_system(),
                              .environment = &environment,
                              .redactor = redactor,
                              .log = log,
                              .interrupt = &interrupt,
                              .program_directory = program_directory(&arena)};
    struct command_line line = {.context = &context, .arena = &arena};
    int status = run_command(&line, argc, argv);
    if (fflush(stdout) != 0 && status == EXIT_CLEAN) {
        status = EXIT_FINDINGS; // a full disk must not look like success
    }
    log_free(log);
    environment_done(&environment);
    redactor_free(redactor);
    interrupt_done(&interrupt);
    arena_done(&arena);
    return status;
}
