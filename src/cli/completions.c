// `coypu completions bash|zsh|fish`: a script for the user's shell.  Commands and options stand in
// it; target names are asked for at the time, by `coypu completions targets`, which needs no
// database.
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "model/model.h"
#include "project/project.h"

// ── What a command takes ──

// "status|retry [MODEL]": the words in small letters are said as they are.
static str literal_words(struct arena *arena, const struct command *command) {
    struct str_list words = {0};
    const str arguments = str_from(command->arguments);
    for (size_t i = 0; i < arguments.size;) {
        size_t end = i;
        while (end < arguments.size && islower((unsigned char)arguments.data[end])) {
            end++;
        }
        if (end > i) {
            str_list_push(arena, &words, str_slice(arguments, i, end));
        }
        i = end + 1;
    }
    return str_list_join(arena, &words, STR(" "));
}

static bool takes_target(const struct command *command) {
    return strstr(command->arguments, "TARGET") != NULL ||
           strstr(command->arguments, "MODEL") != NULL;
}

static bool takes_file(const struct command *command) {
    return strstr(command->arguments, "PATH") != NULL || strstr(command->arguments, "FILE") != NULL;
}

static str option_words(struct arena *arena, const struct command *command) {
    struct str_list words = {0};
    for (size_t i = 0; i < COMMAND_OPTIONS_MAX && command->options[i].name != NULL; i++) {
        str_list_push(arena, &words, str_format(arena, "--%s", command->options[i].name));
    }
    str_list_push(arena, &words, STR("--json"));
    str_list_push(arena, &words, STR("--help"));
    return str_list_join(arena, &words, STR(" "));
}

// ── bash ──

static void write_bash(struct text *out, struct arena *arena) {
    text_add(out, STR("# coypu: completion for bash.  In ~/.bashrc:  eval \"$(coypu completions "
                      "bash)\"\n"
                      "_coypu() {\n"
                      "    local word=\"${COMP_WORDS[COMP_CWORD]}\" words=\"\"\n"
                      "    COMPREPLY=()\n"
                      "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                      "        words=\""));
    for (size_t i = 0; commands[i] != NULL; i++) {
        text_format(out, "%s ", commands[i]->name);
    }
    text_add(out, STR("$(coypu completions scripts 2>/dev/null)\"\n"
                      "    else\n"
                      "        case \"${COMP_WORDS[1]}\" in\n"));
    for (size_t i = 0; commands[i] != NULL; i++) {
        const struct command *command = commands[i];
        text_format(out, "        %s)\n            case \"$word\" in\n", command->name);
        text_format(out, "            -*) words=\"" STR_FORMAT "\" ;;\n",
                    STR_ARGS(option_words(arena, command)));
        text_format(out, "            *) words=\"" STR_FORMAT "%s\"",
                    STR_ARGS(literal_words(arena, command)),
                    takes_target(command) ? " $(coypu completions targets 2>/dev/null)" : "");
        if (takes_file(command)) {
            text_add(out, STR("; COMPREPLY=($(compgen -f -- \"$word\"))"));
        }
        text_add(out, STR(" ;;\n            esac ;;\n"));
    }
    text_add(out, STR("        esac\n"
                      "    fi\n"
                      "    COMPREPLY+=($(compgen -W \"$words\" -- \"$word\"))\n"
                      "}\n"
                      "complete -F _coypu coypu\n"));
}

// ── zsh ──

// For '…' in zsh and fish: quotes are ended and begun again, a colon would split the description.
static str quoted(struct arena *arena, const char *text) {
    return str_replace_all(arena, str_replace_all(arena, str_from(text), STR("'"), STR("’")),
                           STR(":"), STR("\\:"));
}

static void write_zsh(struct text *out, struct arena *arena) {
    text_add(out, STR("#compdef coypu\n"
                      "# coypu: completion for zsh.  In ~/.zshrc:  eval \"$(coypu completions "
                      "zsh)\"\n"
                      "_coypu() {\n"
                      "    local -a commands\n"
                      "    commands=(\n"));
    for (size_t i = 0; commands[i] != NULL; i++) {
        text_format(out, "        '%s:" STR_FORMAT "'\n", commands[i]->name,
                    STR_ARGS(quoted(arena, commands[i]->summary)));
    }
    text_add(out, STR("    )\n"
                      "    if (( CURRENT == 2 )); then\n"
                      "        _describe command commands\n"
                      "        compadd -- ${=$(coypu completions scripts 2>/dev/null)}\n"
                      "        return\n"
                      "    fi\n"
                      "    case \"${words[2]}\" in\n"));
    for (size_t i = 0; commands[i] != NULL; i++) {
        const struct command *command = commands[i];
        text_format(out, "    %s)\n        compadd -- " STR_FORMAT "\n", command->name,
                    STR_ARGS(option_words(arena, command)));
        const str literal = literal_words(arena, command);
        if (literal.size > 0) {
            text_format(out, "        compadd -- " STR_FORMAT "\n", STR_ARGS(literal));
        }
        if (takes_target(command)) {
            text_add(out, STR("        compadd -- ${=$(coypu completions targets 2>/dev/null)}\n"));
        }
        if (takes_file(command)) {
            text_add(out, STR("        _files\n"));
        }
        text_add(out, STR("        ;;\n"));
    }
    text_add(out, STR("    esac\n"
                      "}\n"
                      "compdef _coypu coypu\n"));
}

// ── fish ──

static void write_fish(struct text *out, struct arena *arena) {
    text_add(out, STR("# coypu: completion for fish.  coypu completions fish > "
                      "~/.config/fish/completions/coypu.fish\n"
                      "complete -c coypu -f\n"
                      "complete -c coypu -n __fish_use_subcommand -a '(coypu completions scripts "
                      "2>/dev/null)'\n"));
    for (size_t i = 0; commands[i] != NULL; i++) {
        const struct command *command = commands[i];
        text_format(out, "complete -c coypu -n __fish_use_subcommand -a %s -d '" STR_FORMAT "'\n",
                    command->name, STR_ARGS(quoted(arena, command->summary)));
        const str seen = str_format(arena, "complete -c coypu -n '__fish_seen_subcommand_from %s'",
                                    command->name);
        for (size_t j = 0; j < COMMAND_OPTIONS_MAX && command->options[j].name != NULL; j++) {
            const struct option *option = &command->options[j];
            text_format(out, STR_FORMAT " -l %s%s -d '" STR_FORMAT "'\n", STR_ARGS(seen),
                        option->name, option->value == NULL ? "" : " -r",
                        STR_ARGS(quoted(arena, option->help)));
        }
        const str literal = literal_words(arena, command);
        if (literal.size > 0) {
            text_format(out, STR_FORMAT " -a '" STR_FORMAT "'\n", STR_ARGS(seen),
                        STR_ARGS(literal));
        }
        if (takes_target(command)) {
            text_format(out, STR_FORMAT " -a '(coypu completions targets 2>/dev/null)'\n",
                        STR_ARGS(seen));
        }
        if (takes_file(command)) {
            text_format(out, STR_FORMAT " -F\n", STR_ARGS(seen));
        }
    }
}

// ── Names ──

static enum error_code write_targets(struct command_line *line, struct text *out,
                                     struct error *err) {
    struct project project;
    struct str_list targets;
    TRY(project_open(line->context, line->arena, (str){0}, &project, err));
    TRY(model_targets(line->arena, project.root, &targets, err));
    for (size_t i = 0; i < targets.count; i++) {
        text_format(out, STR_FORMAT "\n", STR_ARGS(targets.items[i]));
    }
    return ERROR_NONE;
}

static enum error_code write_scripts(struct command_line *line, struct text *out,
                                     struct error *err) {
    struct project project;
    struct str_list names = {0};
    TRY(project_open(line->context, line->arena, (str){0}, &project, err));
    TRY(directory_files(line->arena, project_path(&project, STR("sql")), &names, err));
    for (size_t i = 0; i < names.count; i++) {
        if (str_ends_with(names.items[i], STR(".sql"))) {
            text_format(out, STR_FORMAT "\n", STR_ARGS(path_stem(names.items[i])));
        }
    }
    return ERROR_NONE;
}

static int run(struct command_line *line) {
    struct error err = {0};
    struct text out;
    text_init(&out, line->arena);
    const str what = command_argument(line, 0);
    enum error_code code = ERROR_NONE;
    if (str_equal(what, STR("bash"))) {
        write_bash(&out, line->arena);
    } else if (str_equal(what, STR("zsh"))) {
        write_zsh(&out, line->arena);
    } else if (str_equal(what, STR("fish"))) {
        write_fish(&out, line->arena);
    } else if (str_equal(what, STR("targets"))) {
        code = write_targets(line, &out, &err);
    } else if (str_equal(what, STR("scripts"))) {
        code = write_scripts(line, &out, &err);
    } else {
        error_rule(&err, ERROR_INVALID, "cli.usage",
                   "no completions for \"" STR_FORMAT "\": bash, zsh or fish", STR_ARGS(what));
        return command_fail(line, &err);
    }
    if (code == ERROR_NONE) {
        code = command_write(text_str(&out), &err);
    }
    return code == ERROR_NONE ? EXIT_CLEAN : command_fail(line, &err);
}

const struct command command_completions = {
    .name = "completions",
    .arguments = "bash|zsh|fish",
    .summary = "print a completion script for your shell",
    .help = "bash, zsh: eval \"$(coypu completions bash)\" in ~/.bashrc or ~/.zshrc\n"
            "fish: coypu completions fish > ~/.config/fish/completions/coypu.fish",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
