#include "cli/command.h"

#include "base/error_render.h"
#include "base/json.h"
#include "base/redact.h"
#include "base/suggest.h"
#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static size_t option_count(const struct command *command) {
    size_t count = 0;
    while (count < COMMAND_OPTIONS_MAX && command->options[count].name != NULL) {
        count++;
    }
    return count;
}

static size_t option_index(const struct command *command, const char *name) {
    const size_t count = option_count(command);
    size_t index = 0;
    while (index < count && strcmp(command->options[index].name, name) != 0) {
        index++;
    }
    assert(index < count);
    return index;
}

bool command_option(const struct command_line *line, const char *name, str *value) {
    const size_t index = option_index(line->command, name);
    *value = line->option_values[index];
    return line->option_given[index];
}

bool command_flag(const struct command_line *line, const char *name) {
    return line->option_given[option_index(line->command, name)];
}

enum error_code command_number(const struct command_line *line, const char *name, int64_t low,
                               int64_t high, int64_t *value, struct error *err) {
    str text;
    if (!command_option(line, name, &text)) {
        return ERROR_NONE;
    }
    if (!str_parse_int64(text, value) || *value < low || *value > high) {
        return error_set(err, ERROR_INVALID,
                         "--%s takes a whole number from %" PRId64 " to %" PRId64
                         ", got \"" STR_FORMAT "\"",
                         name, low, high, STR_ARGS(text));
    }
    return ERROR_NONE;
}

str command_argument(const struct command_line *line, size_t index) {
    return index < line->arguments.count ? line->arguments.items[index] : (str){NULL, 0};
}

static enum error_code unknown_option(const struct command *command, struct arena *arena, str word,
                                      struct error *err) {
    struct str_list names = {0};
    str_list_push(arena, &names, STR("--json"));
    str_list_push(arena, &names, STR("--help"));
    for (size_t i = 0; i < option_count(command); i++) {
        str_list_push(arena, &names, str_format(arena, "--%s", command->options[i].name));
    }
    error_set(err, ERROR_INVALID, "%s has no option " STR_FORMAT, command->name, STR_ARGS(word));
    const str near = suggest(word, &names);
    if (near.size > 0) {
        error_hint(err, "did you mean " STR_FORMAT "? `coypu %s --help` lists them", STR_ARGS(near),
                   command->name);
    } else {
        error_hint(err, "`coypu %s --help` lists them", command->name);
    }
    return ERROR_INVALID;
}

// The option that `word` ("--limit", "--limit=3", "-l") names, or the count when there is none.
static size_t find_option(const struct command *command, str word) {
    const size_t count = option_count(command);
    const str name = str_slice(word, 0, str_find_char(word, '='));
    for (size_t i = 0; i < count; i++) {
        const struct option *option = &command->options[i];
        const bool is_long = str_starts_with(name, STR("--")) &&
                             str_equal(str_from_offset(name, 2), str_from(option->name));
        const bool is_short =
            option->letter != 0 && word.size == 2 && word.data[1] == option->letter;
        if (is_long || is_short) {
            return i;
        }
    }
    return count;
}

static enum error_code parse_option(struct command_line *line, int argc, char **argv, int *at,
                                    struct error *err) {
    const struct command *command = line->command;
    const str word = str_from(argv[*at]);
    const size_t index = find_option(command, word);
    if (index == option_count(command)) {
        return unknown_option(command, line->arena, word, err);
    }
    const struct option *option = &command->options[index];
    const size_t equals = str_find_char(word, '=');
    if (line->option_given[index]) {
        return error_set(err, ERROR_INVALID, "--%s is given twice", option->name);
    }
    line->option_given[index] = true;
    if (option->value == NULL) {
        return equals == SIZE_MAX
                   ? ERROR_NONE
                   : error_set(err, ERROR_INVALID, "--%s takes no value", option->name);
    }
    if (equals != SIZE_MAX) {
        line->option_values[index] = str_from_offset(word, equals + 1);
        return ERROR_NONE;
    }
    if (*at + 1 >= argc) {
        return error_set(err, ERROR_INVALID, "--%s needs a value (%s)", option->name,
                         option->value);
    }
    *at += 1;
    line->option_values[index] = str_from(argv[*at]);
    return ERROR_NONE;
}

enum error_code command_parse(const struct command *command, int argc, char **argv,
                              struct command_line *line, struct error *err) {
    line->command = command;
    line->raw_argc = argc;
    line->raw_argv = argv;
    if (command->own_arguments) {
        return ERROR_NONE;
    }
    bool options_end = false;
    for (int at = 0; at < argc; at++) {
        const str word = str_from(argv[at]);
        if (!options_end && str_equal(word, STR("--"))) {
            options_end = true;
        } else if (!options_end && str_equal(word, STR("--json"))) {
            line->json = true;
        } else if (!options_end && word.size > 1 && word.data[0] == '-') {
            TRY(parse_option(line, argc, argv, &at, err));
        } else if (word.size == 0) { // a variable that is not set: never "all of them"
            error_set(err, ERROR_INVALID, "%s takes no empty argument", command->name);
            error_hint(err, "usage: coypu %s %s", command->name, command->arguments);
            return ERROR_INVALID;
        } else {
            str_list_push(line->arena, &line->arguments, word);
        }
    }
    if (line->arguments.count > command->arguments_max) {
        const str extra = line->arguments.items[command->arguments_max];
        error_set(err, ERROR_INVALID, "%s does not take the argument \"" STR_FORMAT "\"",
                  command->name, STR_ARGS(extra));
        error_hint(err, "usage: coypu %s %s", command->name, command->arguments);
        return ERROR_INVALID;
    }
    if (line->arguments.count < command->arguments_min) {
        error_set(err, ERROR_INVALID, "%s needs %s", command->name, command->arguments);
        error_hint(err, "usage: coypu %s %s", command->name, command->arguments);
        return ERROR_INVALID;
    }
    return ERROR_NONE;
}

static void print_option(const char *name, char letter, const char *value, const char *help) {
    char head[64];
    (void)snprintf(head, sizeof(head), "--%s%s%s", name, value == NULL ? "" : " ",
                   value == NULL ? "" : value);
    if (letter != 0) {
        (void)printf("  -%c, %-22s %s\n", letter, head, help);
    } else {
        (void)printf("      %-22s %s\n", head, help);
    }
}

void command_print_help(const struct command *command) {
    (void)printf("usage: coypu %s%s%s%s\n\n%s\n", command->name,
                 option_count(command) > 0 ? " [options]" : "",
                 command->arguments[0] != '\0' ? " " : "", command->arguments,
                 command->help != NULL ? command->help : command->summary);
    (void)printf("\noptions:\n");
    for (size_t i = 0; i < option_count(command); i++) {
        const struct option *option = &command->options[i];
        print_option(option->name, option->letter, option->value, option->help);
    }
    if (!command->own_arguments) {
        print_option("json", 0, NULL, "machine-readable output on standard output");
    }
    print_option("help", 0, NULL, "this text");
}

static enum error_code write_fd(int fd, str text, struct error *err) {
    while (text.size > 0) {
        const ssize_t written = write(fd, text.data, text.size);
        if (written < 0 && errno != EINTR) {
            return error_set(err, ERROR_IO, "cannot write the output: %s", strerror(errno));
        }
        text = str_from_offset(text, written < 0 ? 0 : (size_t)written);
    }
    return ERROR_NONE;
}

enum error_code command_write(str text, struct error *err) {
    (void)fflush(stdout);
    return write_fd(STDOUT_FILENO, text, err);
}

enum error_code command_print(const struct command_line *line, str text, struct error *err) {
    const str clean = redact_text(line->context->redactor, line->arena, text);
    return command_write(line->json ? clean : str_printable(line->arena, clean), err);
}

void command_print_error(const struct command_line *line, const struct error *err) {
    SCRATCH(scratch);
    struct text out;
    text_init(&out, &scratch);
    if (line->json) {
        text_add(&out, STR("{\"schema_version\":1,\"kind\":\"error\",\"error\":"));
        error_render_json(&out, err);
        text_add(&out, STR("}\n"));
    } else {
        error_render_text(&out, err, "error");
    }
    const str shown =
        str_printable(&scratch, redact_text(line->context->redactor, &scratch, text_str(&out)));
    struct error ignored;
    (void)fflush(stdout);
    (void)write_fd(line->json ? STDOUT_FILENO : STDERR_FILENO, shown, &ignored);
}

int command_fail(const struct command_line *line, const struct error *err) {
    command_print_error(line, err);
    // Outside of a project the command itself is misplaced.
    if (err->rule != NULL &&
        (strcmp(err->rule, "config.no_project") == 0 || strcmp(err->rule, "cli.usage") == 0)) {
        return EXIT_USAGE;
    }
    return err->code == ERROR_CANCELLED ? EXIT_INTERRUPTED : EXIT_FINDINGS;
}

enum error_code command_report(const struct command_line *line, str key, str value, str text,
                               struct error *err) {
    SCRATCH(scratch);
    struct text out;
    struct json json;
    if (!line->json) {
        return command_print(line, text, err);
    }
    text_init(&out, &scratch);
    json_init(&json, &out);
    json_object(&json);
    json_key_int(&json, STR("schema_version"), 1);
    json_key_string(&json, key, value);
    json_end(&json);
    text_add_char(&out, '\n');
    return command_print(line, text_str(&out), err);
}

void command_json_warnings(struct json *json, const struct error_list *warnings) {
    json_key(json, STR("warnings"));
    json_array(json);
    for (size_t i = 0; i < warnings->count; i++) {
        json_string(json, str_from(warnings->items[i].message));
    }
    json_end(json);
}

void command_print_warnings(const struct command_line *line, const struct error_list *warnings) {
    SCRATCH(scratch);
    struct text out;
    text_init(&out, &scratch);
    for (size_t i = 0; i < warnings->count && !line->json; i++) {
        error_render_text(&out, &warnings->items[i], "warning");
    }
    struct error ignored;
    (void)fflush(stdout);
    (void)write_fd(STDERR_FILENO, redact_text(line->context->redactor, &scratch, text_str(&out)),
                   &ignored);
}
