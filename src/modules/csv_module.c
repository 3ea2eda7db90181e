// csv.decode and csv.encode: RFC 4180, with any one character as the delimiter.
#include "base/text.h"
#include "modules/argument.h"
#include "modules/builtins.h"
#include "modules/host.h"

// --- decode --------------------------------------------------------------------------------------

struct csv_reader {
    str text;
    size_t at;
    str delimiter;
    int line; // of the row being read, from 1
    struct arena *arena;
};

struct fields {
    str *items;
    size_t count;
    size_t capacity;
};

static bool at(const struct csv_reader *reader, str token) {
    return str_starts_with(str_from_offset(reader->text, reader->at), token);
}

static bool at_line_end(const struct csv_reader *reader) {
    return reader->at == reader->text.size || at(reader, STR("\n")) || at(reader, STR("\r\n"));
}

static void skip_line_end(struct csv_reader *reader) {
    if (at(reader, STR("\r\n"))) {
        reader->at++;
    }
    if (reader->at < reader->text.size) {
        reader->at++;
    }
    reader->line++;
}

// A quoted field behind its opening quote; false when it is never closed or something follows it.
static bool read_quoted(struct csv_reader *reader, str *field) {
    struct text out;
    text_init(&out, reader->arena);
    for (;;) {
        const str rest = str_from_offset(reader->text, reader->at);
        const size_t quote = str_find_char(rest, '"');
        if (quote == SIZE_MAX) {
            return false;
        }
        text_add(&out, str_slice(rest, 0, quote));
        reader->at += quote + 1;
        if (!at(reader, STR("\""))) {
            break;
        }
        text_add_char(&out, '"');
        reader->at++;
    }
    *field = text_str(&out);
    for (size_t i = 0; i < field->size; i++) {
        reader->line += field->data[i] == '\n';
    }
    return at_line_end(reader) || at(reader, reader->delimiter);
}

static str read_plain(struct csv_reader *reader) {
    const size_t start = reader->at;
    while (!at_line_end(reader) && !at(reader, reader->delimiter)) {
        reader->at++;
    }
    return str_slice(reader->text, start, reader->at);
}

static bool read_row(struct csv_reader *reader, struct fields *fields) {
    fields->count = 0;
    for (;;) {
        str field;
        if (at(reader, STR("\""))) {
            reader->at++;
            if (!read_quoted(reader, &field)) {
                return false;
            }
        } else {
            field = read_plain(reader);
        }
        LIST_PUSH(reader->arena, fields, field);
        if (at_line_end(reader)) {
            skip_line_end(reader);
            return true;
        }
        reader->at += reader->delimiter.size;
    }
}

// Interned keys: all rows share them.
static star_value *header_keys(struct star_thread *thread, const struct fields *header,
                               struct arena *arena) {
    star_value *keys = ARENA_ARRAY(arena, star_value, header->count);
    for (size_t i = 0; i < header->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (str_equal(header->items[i], header->items[j])) {
                (void)star_fail(thread, "csv.decode: column \"" STR_FORMAT "\" is there twice",
                                STR_ARGS(header->items[i]));
                return NULL;
            }
        }
        const str name = header->items[i];
        keys[i] = star_string_intern(thread, name.size > 0 ? name.data : "", name.size);
        if (star_is_error(keys[i])) {
            return NULL;
        }
    }
    return keys;
}

static star_value row_value(struct star_thread *thread, const struct fields *fields,
                            const star_value *keys) {
    const star_value row = keys != NULL ? star_dict(thread) : star_list(thread, NULL, 0);
    for (size_t i = 0; i < fields->count && !star_is_error(row); i++) {
        const star_value field = value_from_str(thread, fields->items[i]);
        if (star_is_error(field) || !(keys != NULL ? star_dict_set(thread, row, keys[i], field)
                                                   : star_list_append(thread, row, field))) {
            return STAR_ERROR;
        }
    }
    return row;
}

static star_value decode_rows(struct star_thread *thread, struct csv_reader *reader,
                              bool has_header) {
    struct fields header = {0};
    struct fields fields = {0};
    const star_value *keys = NULL;
    const star_value rows = star_list(thread, NULL, 0);
    if (star_is_error(rows)) {
        return rows;
    }
    size_t width = 0;
    for (bool first = true; reader->at < reader->text.size; first = false) {
        const int line = reader->line;
        struct fields *row = first && has_header ? &header : &fields;
        if (!read_row(reader, row)) {
            return star_fail(thread, "csv.decode: line %d: bad quotes", line);
        }
        if (first) {
            width = row->count;
        }
        if (row->count != width) {
            return star_fail(thread, "csv.decode: line %d: %zu fields, want %zu", line, row->count,
                             width);
        }
        if (first && has_header) {
            keys = header_keys(thread, &header, reader->arena);
            if (keys == NULL) {
                return STAR_ERROR;
            }
            continue;
        }
        const star_value value = row_value(thread, row, keys);
        if (star_is_error(value) || !star_list_append(thread, rows, value)) {
            return STAR_ERROR;
        }
    }
    return rows;
}

static bool read_delimiter(struct star_thread *thread, const char *what, star_value value,
                           str *delimiter) {
    *delimiter = STR(",");
    if (star_is_unset(value)) {
        return true;
    }
    if (!argument_text(thread, what, value, delimiter)) {
        return false;
    }
    if (str_code_points(*delimiter) != 1 ||
        str_find_char(STR("\"\r\n"), delimiter->data[0]) != SIZE_MAX) {
        (void)star_fail(thread, "%s: want one character, not a quote or line break", what);
        return false;
    }
    return true;
}

static star_value csv_decode(struct star_thread *thread, const struct star_call_info *call) {
    SCRATCH(scratch);
    struct csv_reader reader = {.line = 1, .arena = &scratch};
    bool has_header = true;
    if (!argument_text(thread, "csv.decode", call->arguments[0], &reader.text) ||
        !read_delimiter(thread, "csv.decode: delimiter", call->arguments[1], &reader.delimiter) ||
        (!star_is_unset(call->arguments[2]) &&
         !argument_bool(thread, "csv.decode: header", call->arguments[2], &has_header))) {
        return STAR_ERROR;
    }
    if (str_starts_with(reader.text, STR("\xEF\xBB\xBF"))) {
        reader.text = str_from_offset(reader.text, 3);
    }
    if (reader.text.size == 0) {
        return star_fail(thread, "csv.decode: the text is empty");
    }
    return decode_rows(thread, &reader, has_header);
}

// --- encode --------------------------------------------------------------------------------------

struct csv_writer {
    struct star_thread *thread;
    struct text out;
    str delimiter;
};

static void write_field(struct csv_writer *writer, str field) {
    const bool quoted =
        str_find(field, writer->delimiter) != SIZE_MAX || str_find_char(field, '"') != SIZE_MAX ||
        str_find_char(field, '\n') != SIZE_MAX || str_find_char(field, '\r') != SIZE_MAX;
    if (!quoted) {
        text_add(&writer->out, field);
        return;
    }
    text_add_char(&writer->out, '"');
    text_add(&writer->out, str_replace_all(writer->out.arena, field, STR("\""), STR("\"\"")));
    text_add_char(&writer->out, '"');
}

// Strings as they are, None empty, the rest as str() gives it.
static bool write_cell(struct csv_writer *writer, star_value value, bool is_first) {
    str text = {0};
    if (!is_first) {
        text_add(&writer->out, writer->delimiter);
    }
    if (star_is_none(value) || star_is_unset(value)) {
        return true;
    }
    const star_value shown =
        star_kind(value) == STAR_KIND_STRING ? value : star_str(writer->thread, value);
    if (star_is_error(shown) || !value_text(shown, &text)) {
        return false;
    }
    write_field(writer, text);
    return true;
}

static bool write_cells(struct csv_writer *writer, star_value row) {
    for (size_t i = 0; i < star_length(row); i++) {
        const star_value cell = star_item(writer->thread, row, i);
        if (star_is_error(cell) || !write_cell(writer, cell, i == 0)) {
            return false;
        }
    }
    text_add_char(&writer->out, '\n');
    return true;
}

static bool write_dict(struct csv_writer *writer, star_value row, star_value header) {
    for (size_t i = 0; i < star_length(header); i++) {
        const star_value name = star_item(writer->thread, header, i);
        const star_value cell =
            star_is_error(name) ? name : star_dict_get(writer->thread, row, name);
        if (star_is_error(cell) || !write_cell(writer, cell, i == 0)) {
            return false;
        }
    }
    text_add_char(&writer->out, '\n');
    return true;
}

// The union of the keys of all dict rows, in first-seen order, as a list.
static star_value union_of_keys(struct star_thread *thread, star_value rows) {
    const star_value seen = star_dict(thread);
    const star_value names = star_list(thread, NULL, 0);
    if (star_is_error(seen) || star_is_error(names)) {
        return STAR_ERROR;
    }
    for (size_t i = 0; i < star_length(rows); i++) {
        const star_value row = star_item(thread, rows, i);
        size_t position = 0;
        star_value key = STAR_NONE;
        star_value value = STAR_NONE;
        while (star_kind(row) == STAR_KIND_DICT &&
               star_dict_next(thread, row, &position, &key, &value)) {
            if (star_is_unset(star_dict_get(thread, seen, key)) &&
                (!star_dict_set(thread, seen, key, STAR_TRUE) ||
                 !star_list_append(thread, names, key))) {
                return STAR_ERROR;
            }
        }
        if (star_is_error(row) || star_is_error(key)) {
            return STAR_ERROR;
        }
    }
    return names;
}

static bool is_sequence(star_value value) {
    return star_kind(value) == STAR_KIND_LIST || star_kind(value) == STAR_KIND_TUPLE;
}

static star_value csv_encode(struct star_thread *thread, const struct star_call_info *call) {
    SCRATCH(scratch);
    struct csv_writer writer = {.thread = thread};
    text_init(&writer.out, &scratch);
    const star_value rows = call->arguments[0];
    star_value header = call->arguments[1];
    if (!is_sequence(rows)) {
        return argument_wrong(thread, "csv.encode", rows, "list");
    }
    if (!read_delimiter(thread, "csv.encode: delimiter", call->arguments[2], &writer.delimiter)) {
        return STAR_ERROR;
    }
    const bool has_header = !star_is_unset(header) && !star_is_none(header);
    if (has_header && !is_sequence(header)) {
        return argument_wrong(thread, "csv.encode: header", header, "list");
    }
    if (!has_header) {
        header = union_of_keys(thread, rows);
        if (star_is_error(header)) {
            return STAR_ERROR;
        }
    }
    if (star_length(header) > 0 && !write_cells(&writer, header)) {
        return STAR_ERROR;
    }
    for (size_t i = 0; i < star_length(rows); i++) {
        const star_value row = star_item(thread, rows, i);
        if (star_is_error(row)) {
            return STAR_ERROR;
        }
        const bool is_dict = star_kind(row) == STAR_KIND_DICT;
        if (!is_dict && !is_sequence(row)) {
            return star_fail(thread, "csv.encode: row %zu: got %s, want dict or list", i,
                             star_type_name(row));
        }
        if (!(is_dict ? write_dict(&writer, row, header) : write_cells(&writer, row))) {
            return STAR_ERROR;
        }
    }
    return value_from_str(thread, text_str(&writer.out));
}

static const struct star_parameter decode_parameters[] = {
    {"s", STAR_REQUIRED, 0}, {"delimiter", STAR_OPTIONAL, 0}, {"header", STAR_OPTIONAL, 0}};
static const struct star_parameter encode_parameters[] = {
    {"rows", STAR_REQUIRED, 0}, {"header", STAR_OPTIONAL, 0}, {"delimiter", STAR_OPTIONAL, 0}};
static const struct star_builtin functions[] = {
    STAR_BUILTIN("csv.decode", csv_decode, decode_parameters),
    STAR_BUILTIN("csv.encode", csv_encode, encode_parameters),
};
const struct builtin_table csv_builtins = {"csv", functions, ARRAY_COUNT(functions)};
