#include "lib/api_value.h"

#include "base/clock.h"
#include "base/suggest.h"
#include "base/text.h"

#include <math.h>

#define API_RULE "blueprint.invalid_api_dict"

// Longer than any sensible setting, and far from an overflow in microseconds.
#define SECONDS_MAX 1e9

static void report_error(struct api_reader *reader, const struct lib_literal *at,
                         struct error *err) {
    error_at(err, reader->source->file, at->line, at->column);
    error_source(err, reader->source->text);
    error_list_add(reader->errors, err);
}

static void report_list(struct api_reader *reader, const struct lib_literal *at, const char *hint,
                        const char *format, va_list args) PRINTF_LIKE(4, 0);
static void report_list(struct api_reader *reader, const struct lib_literal *at, const char *hint,
                        const char *format, va_list args) {
    SCRATCH(scratch);
    struct text text;
    text_init(&text, &scratch);
    text_format_list(&text, format, args);
    struct error err = {0};
    error_rule(&err, ERROR_INVALID, API_RULE, "%s", text_cstring(&text));
    if (hint != NULL) {
        error_hint(&err, "%s", hint);
    }
    report_error(reader, at, &err);
}

void api_report(struct api_reader *reader, const struct lib_literal *at, const char *format, ...) {
    va_list args;
    va_start(args, format);
    report_list(reader, at, NULL, format, args);
    va_end(args);
}

const char *api_kind_name(const struct lib_literal *literal) {
    switch (literal->kind) {
    case LITERAL_STRING:
        return "a string";
    case LITERAL_INT:
        return "an int";
    case LITERAL_FLOAT:
        return "a float";
    case LITERAL_BOOL:
        return "a bool";
    case LITERAL_NONE:
        return "None";
    case LITERAL_LIST:
        return "a list";
    case LITERAL_DICT:
        return "a dict";
    case LITERAL_OTHER:
        return "an expression";
    }
    return "";
}

bool api_check_literal(struct api_reader *reader, str path, const struct lib_literal *literal) {
    if (literal->kind == LITERAL_OTHER) {
        api_report(reader, literal, STR_FORMAT " must be a literal (found " STR_FORMAT ")",
                   STR_ARGS(path), STR_ARGS(literal->text));
        return false;
    }
    bool ok = true;
    for (size_t i = 0; literal->kind == LITERAL_LIST && i < literal->count; i++) {
        ok = api_check_literal(reader, path, &literal->items[i]) && ok;
    }
    for (size_t i = 0; literal->kind == LITERAL_DICT && i < literal->count; i++) {
        const struct lib_entry *entry = &literal->entries[i];
        str inner = entry->key.kind == LITERAL_STRING
                        ? str_format(reader->arena, STR_FORMAT "." STR_FORMAT, STR_ARGS(path),
                                     STR_ARGS(entry->key.text))
                        : path;
        ok = api_check_literal(reader, path, &entry->key) && ok;
        ok = api_check_literal(reader, inner, &entry->value) && ok;
    }
    return ok;
}

str api_join(struct arena *arena, const str *names, size_t count) {
    struct text text;
    text_init(&text, arena);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            text_add(&text, STR(", "));
        }
        text_add(&text, names[i]);
    }
    return text_str(&text);
}

str api_key_path(const struct api_section *section, size_t key) {
    return str_format(section->reader->arena, STR_FORMAT "." STR_FORMAT, STR_ARGS(section->path),
                      STR_ARGS(section->keys[key]));
}

static void report_unknown(struct api_section *section, const struct lib_literal *key) {
    struct api_reader *reader = section->reader;
    struct str_list names = {0};
    for (size_t i = 0; i < section->key_count; i++) {
        str_list_push(reader->arena, &names, section->keys[i]);
    }
    struct error err = {0};
    error_rule(&err, ERROR_INVALID, API_RULE, STR_FORMAT ": unknown key \"" STR_FORMAT "\"",
               STR_ARGS(section->path), STR_ARGS(key->text));
    str near = suggest(key->text, &names);
    if (!str_is_empty(near)) {
        error_hint(&err, "did you mean \"" STR_FORMAT "\"?", STR_ARGS(near));
    } else {
        error_hint(&err, "known keys: " STR_FORMAT,
                   STR_ARGS(str_list_join(reader->arena, &names, STR(", "))));
    }
    report_error(reader, key, &err);
}

static void section_add(struct api_section *section, const struct lib_literal *literal,
                        size_t index) {
    const struct lib_entry *entry = &literal->entries[index];
    if (entry->key.kind != LITERAL_STRING) {
        if (entry->key.kind != LITERAL_OTHER) {
            api_report(section->reader, &entry->key, STR_FORMAT ": keys must be strings, got %s",
                       STR_ARGS(section->path), api_kind_name(&entry->key));
        } else {
            (void)api_check_literal(section->reader, section->path, &entry->key);
        }
        return;
    }
    for (size_t i = 0; i < index; i++) {
        const struct lib_literal *other = &literal->entries[i].key;
        if (other->kind == LITERAL_STRING && str_equal(other->text, entry->key.text)) {
            api_report(section->reader, &entry->key,
                       STR_FORMAT ": duplicate key \"" STR_FORMAT "\"", STR_ARGS(section->path),
                       STR_ARGS(entry->key.text));
            return;
        }
    }
    if (str_starts_with(entry->key.text, STR("x_"))) {
        str path = str_format(section->reader->arena, STR_FORMAT "." STR_FORMAT,
                              STR_ARGS(section->path), STR_ARGS(entry->key.text));
        (void)api_check_literal(section->reader, path, &entry->value);
        return;
    }
    for (size_t i = 0; i < section->key_count; i++) {
        if (str_equal(section->keys[i], entry->key.text)) {
            if (api_check_literal(section->reader, api_key_path(section, i), &entry->value)) {
                section->found[i] = &entry->value;
            }
            return;
        }
    }
    report_unknown(section, &entry->key);
}

bool api_section_read(struct api_reader *reader, str path, const struct lib_literal *literal,
                      const str *keys, size_t key_count, struct api_section *section) {
    *section =
        (struct api_section){.reader = reader, .path = path, .keys = keys, .key_count = key_count};
    if (literal->kind != LITERAL_DICT) {
        api_report(reader, literal, STR_FORMAT " must be a dict, got %s", STR_ARGS(path),
                   api_kind_name(literal));
        return false;
    }
    for (size_t i = 0; i < literal->count; i++) {
        section_add(section, literal, i);
    }
    return true;
}

// The value behind a key when it is of the kind; else reports and gives NULL.
static const struct lib_literal *value_of_kind(const struct api_section *section, size_t key,
                                               enum lib_literal_kind kind, const char *wanted) {
    const struct lib_literal *value = section->found[key];
    if (value == NULL || value->kind == kind) {
        return value;
    }
    api_report(section->reader, value, STR_FORMAT " must be %s, got %s",
               STR_ARGS(api_key_path(section, key)), wanted, api_kind_name(value));
    return NULL;
}

bool api_string(const struct api_section *section, size_t key, str *out) {
    const struct lib_literal *value = value_of_kind(section, key, LITERAL_STRING, "a string");
    if (value == NULL) {
        return false;
    }
    *out = value->text;
    return true;
}

bool api_bool(const struct api_section *section, size_t key, bool *out) {
    const struct lib_literal *value = value_of_kind(section, key, LITERAL_BOOL, "True or False");
    if (value == NULL) {
        return false;
    }
    *out = value->truth;
    return true;
}

bool api_integer(const struct api_section *section, size_t key, int64_t minimum, int64_t *out) {
    const struct lib_literal *value = value_of_kind(section, key, LITERAL_INT, "an int");
    if (value == NULL) {
        return false;
    }
    if (!value->fits || value->integer < minimum) {
        api_report(section->reader, value,
                   STR_FORMAT " must be an int of at least %lld, got " STR_FORMAT,
                   STR_ARGS(api_key_path(section, key)), (long long)minimum, STR_ARGS(value->text));
        return false;
    }
    *out = value->integer;
    return true;
}

static bool seconds_in_range(const struct lib_literal *value, bool allow_zero) {
    return isfinite(value->number) && value->number <= SECONDS_MAX &&
           (allow_zero ? value->number >= 0 : value->number > 0);
}

bool api_seconds(const struct api_section *section, size_t key, bool allow_zero, int64_t *out_us) {
    const struct lib_literal *value = section->found[key];
    if (value == NULL) {
        return false;
    }
    const char *wanted =
        allow_zero ? "a number of seconds of at least 0" : "a number of seconds greater than 0";
    if (value->kind != LITERAL_INT && value->kind != LITERAL_FLOAT) {
        api_report(section->reader, value, STR_FORMAT " must be %s, got %s",
                   STR_ARGS(api_key_path(section, key)), wanted, api_kind_name(value));
        return false;
    }
    if (!seconds_in_range(value, allow_zero)) {
        api_report(section->reader, value, STR_FORMAT " must be %s, got " STR_FORMAT,
                   STR_ARGS(api_key_path(section, key)), wanted, STR_ARGS(value->text));
        return false;
    }
    *out_us = (int64_t)(value->number * 1e6 + 0.5);
    return true;
}

bool api_duration(const struct api_section *section, size_t key, int64_t *out_us) {
    const struct lib_literal *value = section->found[key];
    if (value == NULL) {
        return false;
    }
    if (value->kind == LITERAL_INT || value->kind == LITERAL_FLOAT) {
        return api_seconds(section, key, false, out_us);
    }
    if (value->kind == LITERAL_STRING && duration_parse(value->text, out_us)) {
        return true;
    }
    if (value->kind == LITERAL_STRING) {
        api_report(section->reader, value,
                   STR_FORMAT ": \"" STR_FORMAT "\" is not a duration like \"90s\" or \"1m30s\"",
                   STR_ARGS(api_key_path(section, key)), STR_ARGS(value->text));
    } else {
        api_report(section->reader, value,
                   STR_FORMAT " must be a duration like \"90s\" or \"1m30s\", got %s",
                   STR_ARGS(api_key_path(section, key)), api_kind_name(value));
    }
    return false;
}

bool api_strings(const struct api_section *section, size_t key, struct str_list *out) {
    const struct lib_literal *value =
        value_of_kind(section, key, LITERAL_LIST, "a list of strings");
    if (value == NULL) {
        return false;
    }
    for (size_t i = 0; i < value->count; i++) {
        if (value->items[i].kind != LITERAL_STRING) {
            api_report(section->reader, &value->items[i],
                       STR_FORMAT " must be a list of strings, got %s in it",
                       STR_ARGS(api_key_path(section, key)), api_kind_name(&value->items[i]));
            return false;
        }
        str_list_push(section->reader->arena, out, value->items[i].text);
    }
    return true;
}

bool api_choices(const struct api_section *section, size_t key, const str *choices, size_t count,
                 struct str_list *out) {
    if (!api_strings(section, key, out)) {
        return false;
    }
    bool ok = true;
    for (size_t i = 0; i < out->count; i++) {
        bool known = false;
        for (size_t j = 0; j < count && !known; j++) {
            known = str_equal(choices[j], out->items[i]);
        }
        if (!known) {
            api_report(section->reader, &section->found[key]->items[i],
                       STR_FORMAT ": \"" STR_FORMAT "\" is not one of " STR_FORMAT,
                       STR_ARGS(api_key_path(section, key)), STR_ARGS(out->items[i]),
                       STR_ARGS(api_join(section->reader->arena, choices, count)));
            ok = false;
        }
    }
    return ok;
}
