#include "base/environment.h"

#include "base/arena.h"
#include "base/redact.h"
#include "base/text.h"

#include <stdlib.h>

void environment_init(struct environment *environment, struct arena *arena, bool use_process) {
    environment->arena = arena;
    environment->use_process = use_process;
    map_init(&environment->file_values, arena);
    map_init(&environment->overrides, arena);
    (void)pthread_mutex_init(&environment->lock, NULL);
}

void environment_done(struct environment *environment) {
    (void)pthread_mutex_destroy(&environment->lock);
}

// Without one pair of surrounding quotes; \' and \" lose their backslash.
static str unquote(struct arena *arena, str value) {
    if (value.size >= 2 && (value.data[0] == '"' || value.data[0] == '\'') &&
        value.data[value.size - 1] == value.data[0]) {
        value = str_slice(value, 1, value.size - 1);
    }
    return str_replace_all(arena, str_replace_all(arena, value, STR("\\\""), STR("\"")), STR("\\'"),
                           STR("'"));
}

static str *new_value(struct arena *arena, str value) {
    str *copy = ARENA_NEW(arena, str);
    *copy = str_copy(arena, value);
    return copy;
}

void environment_load(struct environment *environment, str file, str content,
                      struct redactor *redactor, struct error_list *warnings) {
    if (str_starts_with(content, STR("\xEF\xBB\xBF"))) {
        content = str_from_offset(content, 3);
    }
    struct str_splitter lines = {.rest = content};
    str line;
    for (int number = 1; str_split_next(&lines, '\n', &line); number++) {
        line = str_trim(line);
        if (line.size == 0 || line.data[0] == '#') {
            continue;
        }
        if (str_starts_with(line, STR("export "))) {
            line = str_trim(str_from_offset(line, 7));
        }
        const size_t equals = str_find_char(line, '=');
        if (equals == SIZE_MAX) {
            struct error warning;
            error_rule(&warning, ERROR_INVALID, "config.invalid_env_line",
                       "this line has no = and is ignored");
            error_at(&warning, file, number, 1);
            error_hint(&warning, "write NAME=value");
            error_list_add(warnings, &warning);
            continue;
        }
        const str name = str_trim(str_slice(line, 0, equals));
        const str value = unquote(environment->arena, str_trim(str_from_offset(line, equals + 1)));
        (void)map_set(&environment->file_values, name, new_value(environment->arena, value));
        redact_secret(redactor, value);
    }
}

static bool process_get(str name, str *value) {
    SCRATCH(scratch);
    const char *found = getenv(str_to_cstring(&scratch, name));
    if (found == NULL) {
        return false;
    }
    *value = str_from(found);
    return true;
}

bool environment_get(struct environment *environment, str name, str *value) {
    (void)pthread_mutex_lock(&environment->lock);
    const str *found = map_get(&environment->overrides, name);
    (void)pthread_mutex_unlock(&environment->lock);
    if (found == NULL && environment->use_process && process_get(name, value)) {
        return true;
    }
    if (found == NULL) {
        found = map_get(&environment->file_values, name);
    }
    if (found == NULL) {
        return false;
    }
    *value = *found;
    return true;
}

const char *environment_origin(struct environment *environment, str name) {
    str value;
    if (!environment_get(environment, name, &value)) {
        return NULL;
    }
    const str *of_file = map_get(&environment->file_values, name);
    return of_file != NULL && of_file->data == value.data ? ".env" : "the environment";
}

void environment_set(struct environment *environment, str name, str value) {
    (void)pthread_mutex_lock(&environment->lock);
    (void)map_set(&environment->overrides, name, new_value(environment->arena, value));
    (void)pthread_mutex_unlock(&environment->lock);
}

enum error_code environment_expand(struct environment *environment, struct arena *arena, str file,
                                   str text, str *expanded, struct error *err) {
    struct text out;
    text_init(&out, arena);
    size_t at = 0;
    for (;;) {
        const str rest = str_from_offset(text, at);
        const size_t open = str_find(rest, STR("${"));
        const size_t close =
            open == SIZE_MAX ? SIZE_MAX : str_find_char(str_from_offset(rest, open), '}');
        if (close == SIZE_MAX) {
            text_add(&out, rest);
            *expanded = text_str(&out);
            return ERROR_NONE;
        }
        const str name = str_slice(rest, open + 2, open + close);
        str value = {NULL, 0};
        text_add(&out, str_slice(rest, 0, open));
        if (!str_is_identifier(name)) {
            text_add(&out, STR("${"));
            at += open + 2;
            continue;
        }
        if (!environment_get(environment, name, &value)) {
            error_rule(err, ERROR_INVALID, "config.undefined_variable",
                       "${" STR_FORMAT "} is not defined", STR_ARGS(name));
            error_at_offset(err, file, text, at + open);
            error_hint(err, "set " STR_FORMAT " in .env or in the environment", STR_ARGS(name));
            return ERROR_INVALID;
        }
        text_add(&out, value);
        at += open + close + 1;
    }
}
