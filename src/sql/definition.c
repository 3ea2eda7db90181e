#include "sql/definition.h"

#include "base/hash.h"
#include "base/text.h"

#include <string.h>

static void part_add(struct text *text, const char *key, str value) {
    text_add_char(text, '\0');
    text_format(text, "%s=", key);
    text_add(text, value);
}

static void directive_parts(struct text *text, const struct directives *directives) {
    struct arena *arena = text->arena;
    const str initial =
        directives->incremental_initial.is_set ? directives->incremental_initial.value : (str){0};
    part_add(text, "kind", model_kind_name(directives->kind));
    part_add(text, "unique_key", directives->unique_key.value);
    part_add(text, "group_key", str_list_join(arena, &directives->group_columns, STR(",")));
    part_add(text, "partitioned_by", str_list_join(arena, &directives->partition_parts, STR(",")));
    part_add(text, "incremental", directives->incremental.value);
    part_add(text, "incremental_initial", initial);
    part_add(text, "fetch", directives->fetch.is_set ? STR("1") : STR(""));
}

// What else decides the data: masking and the macros and constants used.
static void own_parts(struct text *text, const struct definition_input *input, bool computed) {
    for (size_t i = 0; i < input->directives->columns.count; i++) {
        const struct column_directive *column = &input->directives->columns.items[i];
        if (column->mask.size > 0) {
            part_add(text, "mask", str_to_lower(text->arena, column->name));
            part_add(text, "by", column->mask);
        }
    }
    for (size_t i = 0; i < input->use_count; i++) {
        if (computed || !input->uses[i].is_computed) {
            part_add(text, "uses", input->uses[i].name);
            part_add(text, "as", input->uses[i].text);
        }
    }
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// OndatraSQL's idea of the same query: comments dropped, white space to single spaces, lower case.
static str legacy_body(struct arena *arena, str body) {
    struct text text;
    text_init(&text, arena);
    struct str_splitter lines = {.rest = body};
    str line;
    while (str_split_next(&lines, '\n', &line)) {
        const size_t comment = str_find(line, STR("--"));
        const str code = comment == SIZE_MAX ? line : str_slice(line, 0, comment);
        for (size_t i = 0; i < code.size; i++) {
            const bool after_space = text.size == 0 || text.data[text.size - 1] == ' ';
            if (!is_space(code.data[i])) {
                text_add_char(&text, code.data[i]);
            } else if (!after_space) {
                text_add_char(&text, ' ');
            }
        }
        if (text.size > 0 && text.data[text.size - 1] != ' ') {
            text_add_char(&text, ' ');
        }
    }
    return str_to_lower(arena, str_trim(text_str(&text)));
}

static str legacy_hash(struct arena *arena, const struct definition_input *input) {
    struct text text;
    text_init(&text, arena);
    text_add(&text, legacy_body(arena, input->body));
    directive_parts(&text, input->directives);
    part_add(&text, "push", input->directives->sink.at.value);
    if (input->config_hash.size > 0) {
        part_add(&text, "config", input->config_hash);
    }
    return sha256_hex(arena, text_str(&text));
}

static str own_hash(struct arena *arena, const struct definition_input *input, str body,
                    bool computed) {
    struct text text;
    text_init(&text, arena);
    text_add(&text, body);
    directive_parts(&text, input->directives);
    own_parts(&text, input, computed);
    return sha256_hex(arena, text_str(&text));
}

void directives_identity(struct arena *arena, const struct directives *directives,
                         struct str_list *parts) {
    struct text text;
    text_init(&text, arena);
    directive_parts(&text, directives);
    struct str_splitter splitter = {.rest = str_from_offset(text_str(&text), 1)};
    str part;
    while (str_split_next(&splitter, '\0', &part)) {
        str_list_push(arena, parts, part);
    }
    for (size_t i = 0; i < directives->columns.count; i++) {
        const struct column_directive *column = &directives->columns.items[i];
        if (column->mask.size > 0) {
            str_list_push(arena, parts,
                          str_format(arena, "column=" STR_FORMAT " " STR_FORMAT,
                                     STR_ARGS(column->name), STR_ARGS(column->mask)));
        }
    }
}

void definition_hash(struct arena *arena, const struct definition_input *input,
                     struct definition *definition) {
    *definition = (struct definition){
        .coypu_hash = own_hash(arena, input, input->canonical, true),
        .text_hash = own_hash(arena, input, input->body, true),
        .sql_hash = legacy_hash(arena, input),
        .literal_hash = own_hash(arena, input, input->canonical, false),
    };
}

str definition_config_hash(struct arena *arena, const str *paths, const str *contents,
                           size_t count) {
    if (count == 0) {
        return (str){0};
    }
    struct text text;
    text_init(&text, arena);
    for (size_t i = 0; i < count; i++) {
        text_add(&text, paths[i]);
        text_add_char(&text, '\0');
        text_add(&text, contents[i]);
        text_add_char(&text, '\0');
    }
    return sha256_hex(arena, text_str(&text));
}
