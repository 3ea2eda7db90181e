#include "base/error.h"

#include "base/list.h"
#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *error_code_name(enum error_code code) {
    switch (code) {
    case ERROR_NONE:
        return "none";
    case ERROR_INVALID:
        return "invalid";
    case ERROR_NOT_FOUND:
        return "not_found";
    case ERROR_NETWORK:
        return "network";
    case ERROR_REMOTE:
        return "remote";
    case ERROR_TIMEOUT:
        return "timeout";
    case ERROR_CONFLICT:
        return "conflict";
    case ERROR_LIMIT:
        return "limit";
    case ERROR_CANCELLED:
        return "cancelled";
    case ERROR_IO:
        return "io";
    case ERROR_INTERNAL:
        return "internal";
    }
    return "internal";
}

// Cuts a NUL-terminated text that vsnprintf may have cut inside a character.
static void cut_on_character(char *text, size_t capacity) {
    const size_t size = strnlen(text, capacity);
    if (size + 1 < capacity) {
        return;
    }
    size_t end = size;
    while (end > 0 && !str_is_utf8((str){text, end}) && size - end < 4) {
        end--;
    }
    if (str_is_utf8((str){text, end})) {
        text[end] = '\0';
    }
}

static void PRINTF_LIKE(3, 0)
    format_into(char *out, size_t capacity, const char *format, va_list args) {
    (void)vsnprintf(out, capacity, format, args);
    cut_on_character(out, capacity);
}

// Appends two NUL-terminated texts, cut to `capacity` bytes with the NUL.
static void text_append(char *out, size_t capacity, const char *first, const char *second) {
    size_t used = 0;
    for (const char *parts[] = {first, second}, **part = parts; part < parts + 2; part++) {
        for (const char *c = *part; *c != '\0' && used + 1 < capacity; c++) {
            out[used++] = *c;
        }
    }
    out[used] = '\0';
    cut_on_character(out, capacity);
}

static void error_begin(struct error *err, enum error_code code, const char *rule) {
    err->code = code;
    err->rule = rule;
    err->pos = (struct source_pos){.line = 0};
    err->message[0] = '\0';
    err->hint[0] = '\0';
    err->source_line[0] = '\0';
    err->trace[0] = '\0';
}

enum error_code error_set(struct error *err, enum error_code code, const char *format, ...) {
    error_begin(err, code, NULL);
    va_list args;
    va_start(args, format);
    format_into(err->message, sizeof(err->message), format, args);
    va_end(args);
    return code;
}

enum error_code error_rule(struct error *err, enum error_code code, const char *rule,
                           const char *format, ...) {
    error_begin(err, code, rule);
    va_list args;
    va_start(args, format);
    format_into(err->message, sizeof(err->message), format, args);
    va_end(args);
    return code;
}

void error_hint(struct error *err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    format_into(err->hint, sizeof(err->hint), format, args);
    va_end(args);
}

void error_context(struct error *err, const char *format, ...) {
    char message[sizeof(err->message)];
    memcpy(message, err->message, sizeof(message));
    va_list args;
    va_start(args, format);
    format_into(err->message, sizeof(err->message), format, args);
    va_end(args);
    const size_t used = strnlen(err->message, sizeof(err->message));
    text_append(err->message + used, sizeof(err->message) - used, ": ", message);
}

void error_trace(struct error *err, const char *format, ...) {
    const size_t used = strnlen(err->trace, sizeof(err->trace));
    char line[512];
    va_list args;
    va_start(args, format);
    format_into(line, sizeof(line), format, args);
    va_end(args);
    const size_t size = strnlen(line, sizeof(line));
    if (sizeof(err->trace) - used > size) {
        memcpy(err->trace + used, line, size + 1);
    }
}

void error_at(struct error *err, str file, int line, int column) {
    const str cut = str_cut(file, sizeof(err->pos.file) - 1);
    (void)snprintf(err->pos.file, sizeof(err->pos.file), STR_FORMAT, STR_ARGS(cut));
    err->pos.line = line;
    err->pos.column = column;
    if (line == 0) { // what was shown is a line of another text
        err->source_line[0] = '\0';
    }
}

void source_position(str text, size_t offset, int *line, int *column) {
    const str before = str_slice(text, 0, offset);
    size_t lines = 1;
    size_t start = 0;
    for (size_t i = 0; i < before.size; i++) {
        if (before.data[i] == '\n') {
            lines++;
            start = i + 1;
        }
    }
    *line = int_from_size(lines);
    *column = int_from_size(str_code_points(str_from_offset(before, start)) + 1);
}

void error_source(struct error *err, str text) {
    if (err->pos.line < 1) {
        return;
    }
    str rest = text;
    for (int line = 1; line < err->pos.line; line++) {
        const size_t end = str_find_char(rest, '\n');
        if (end == SIZE_MAX) {
            return;
        }
        rest = str_from_offset(rest, end + 1);
    }
    const size_t end = str_find_char(rest, '\n');
    str source = end == SIZE_MAX ? rest : str_slice(rest, 0, end);
    if (str_ends_with(source, STR("\r"))) {
        source = str_slice(source, 0, source.size - 1);
    }
    source = str_cut(source, sizeof(err->source_line) - 1);
    (void)snprintf(err->source_line, sizeof(err->source_line), STR_FORMAT, STR_ARGS(source));
}

void error_at_offset(struct error *err, str file, str text, size_t offset) {
    int line = 0;
    int column = 0;
    source_position(text, offset, &line, &column);
    error_at(err, file, line, column);
    error_source(err, text);
}

void error_list_init(struct error_list *list, struct arena *arena) {
    *list = (struct error_list){.arena = arena};
}

void error_list_add(struct error_list *list, const struct error *err) {
    LIST_PUSH(list->arena, list, *err);
}

static int compare_places(const struct error *a, const struct error *b) {
    const int files = strcmp(a->pos.file, b->pos.file);
    if (files != 0) {
        return files;
    }
    if (a->pos.line != b->pos.line) {
        return a->pos.line < b->pos.line ? -1 : 1;
    }
    return a->pos.column < b->pos.column ? -1 : a->pos.column > b->pos.column;
}

void error_list_sort(struct error_list *list) {
    // Insertion sort: stable, and the lists are short and nearly sorted.
    for (size_t i = 1; i < list->count; i++) {
        const struct error moved = list->items[i];
        size_t j = i;
        for (; j > 0 && compare_places(&list->items[j - 1], &moved) > 0; j--) {
            list->items[j] = list->items[j - 1];
        }
        list->items[j] = moved;
    }
}
