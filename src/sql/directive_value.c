#include "sql/directive_value.h"

#include "base/text.h"

#include <string.h>

void directive_error(struct directive_reader *reader, struct error *err,
                     const struct directive *at) {
    error_at(err, reader->file, at->is_set ? at->line : 1, at->is_set ? at->column : 1);
    error_source(err, reader->text);
    error_list_add(reader->errors, err);
}

// The error at a part of a value, which must be a slice of the file's text.
static void part_error(struct directive_reader *reader, struct error *err, str part) {
    error_at_offset(err, reader->file, reader->text, (size_t)(part.data - reader->text.data));
    error_list_add(reader->errors, err);
}

str directive_unquote(str value) {
    if (value.size >= 2 && (value.data[0] == '\'' || value.data[0] == '"') &&
        value.data[value.size - 1] == value.data[0]) {
        return str_slice(value, 1, value.size - 1);
    }
    return value;
}

static bool column_check(struct directive_reader *reader, const char *name, const char *rule,
                         str column) {
    struct error err;
    if (!str_is_identifier(column)) {
        error_rule(&err, ERROR_INVALID, rule, "@%s: \"" STR_FORMAT "\" is not a column name", name,
                   STR_ARGS(column));
        error_hint(&err, "%s",
                   column.size == 0 ? "write a name there, or remove the line or the comma"
                   : str_is_identifier(directive_unquote(column))
                       ? "write it without quotes"
                       : "a column name is letters, digits and _, and begins with no digit");
        part_error(reader, &err, column);
        return false;
    }
    if (column.size >= 10 && str_equal_nocase(str_slice(column, 0, 10), STR("__ondatra_"))) {
        error_rule(&err, ERROR_INVALID, rule, "@%s: \"" STR_FORMAT "\" is a reserved name", name,
                   STR_ARGS(column));
        error_hint(&err, "names that begin with __ondatra_ belong to the runtime");
        part_error(reader, &err, column);
        return false;
    }
    return true;
}

void directive_column(struct directive_reader *reader, const struct directive *item,
                      const char *name, const char *rule) {
    (void)column_check(reader, name, rule, item->value);
}

// The next part up to a comma outside quotes and parentheses.
static bool next_part(str *rest, bool *done, str *part) {
    if (*done) {
        return false;
    }
    size_t i = 0;
    int depth = 0;
    char quote = 0;
    for (; i < rest->size; i++) {
        const char c = rest->data[i];
        if (quote != 0) {
            quote = c == quote ? 0 : quote;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c == '(') {
            depth++;
        } else if (c == ')') {
            depth--;
        } else if (c == ',' && depth <= 0) {
            break;
        }
    }
    *part = str_trim(str_slice(*rest, 0, i));
    if (part->size == 0) { // an error needs its place
        *part = (str){rest->data, 0};
    }
    *done = i >= rest->size;
    if (!*done) {
        *rest = (str){rest->data + i + 1, rest->size - i - 1};
    }
    return true;
}

// Two of a kind say nothing more than one, and DuckLake fails on them when rows are written.
static bool part_is_new(struct directive_reader *reader, const char *name, const char *rule,
                        const struct str_list *parts, str normal, str part) {
    if (!str_list_has_nocase(parts, normal)) {
        return true;
    }
    struct error err;
    error_rule(&err, ERROR_INVALID, rule, "@%s: \"" STR_FORMAT "\" is named twice", name,
               STR_ARGS(part));
    part_error(reader, &err, part);
    return false;
}

void directive_columns(struct directive_reader *reader, const struct directive *item,
                       const char *name, const char *rule, struct str_list *columns) {
    str rest = item->value;
    str part;
    for (bool done = false; next_part(&rest, &done, &part);) {
        if (column_check(reader, name, rule, part) &&
            part_is_new(reader, name, rule, columns, part, part)) {
            str_list_push(reader->arena, columns, part);
        }
    }
}

static const str TRANSFORMS[] = {STR_INIT("year"), STR_INIT("month"), STR_INIT("day"),
                                 STR_INIT("hour"), STR_INIT("bucket")};

// `column` or `year(column)` or `bucket(8, column)`: the column and the normal form.
static bool partition_parse(struct arena *arena, str part, str *column, str *normal) {
    const size_t open = str_find_char(part, '(');
    if (open == SIZE_MAX) {
        *column = part;
        *normal = part;
        return str_is_identifier(part);
    }
    const str function = str_to_lower(arena, str_trim(str_slice(part, 0, open)));
    bool known = false;
    for (size_t i = 0; i < ARRAY_COUNT(TRANSFORMS); i++) {
        known = known || str_equal(function, TRANSFORMS[i]);
    }
    if (!known || !str_ends_with(part, STR(")"))) {
        return false;
    }
    str inner = str_trim(str_slice(part, open + 1, part.size - 1));
    if (!str_equal(function, STR("bucket"))) {
        *column = inner;
        *normal =
            str_format(arena, STR_FORMAT "(" STR_FORMAT ")", STR_ARGS(function), STR_ARGS(inner));
        return str_is_identifier(inner);
    }
    struct str_splitter splitter = {.rest = inner};
    str count;
    int64_t buckets = 0;
    if (!str_split_next(&splitter, ',', &count) || !str_parse_int64(str_trim(count), &buckets) ||
        buckets < 1) {
        return false;
    }
    *column = str_trim(splitter.rest);
    *normal =
        str_format(arena, "bucket(%lld, " STR_FORMAT ")", (long long)buckets, STR_ARGS(*column));
    return str_is_identifier(*column);
}

void directive_partitions(struct directive_reader *reader, const struct directive *item,
                          struct str_list *parts, struct str_list *columns) {
    str rest = item->value;
    str part;
    for (bool done = false; next_part(&rest, &done, &part);) {
        str column;
        str normal;
        if (!partition_parse(reader->arena, part, &column, &normal)) {
            struct error err;
            error_rule(&err, ERROR_INVALID, "parser.invalid_partitioned_by",
                       "@partitioned_by: \"" STR_FORMAT "\" is neither a column nor one of "
                       "year(c), month(c), day(c), hour(c), bucket(N, c)",
                       STR_ARGS(part));
            if (part.size == 0) {
                error_hint(&err, "write a name there, or remove the comma");
            } else if (str_find_char(part, '"') != SIZE_MAX) {
                error_hint(&err, "a column is written without quotes, also one named like a "
                                 "keyword: year(order)");
            }
            part_error(reader, &err, part);
        } else if (column_check(reader, "partitioned_by", "parser.invalid_partitioned_by",
                                column) &&
                   part_is_new(reader, "partitioned_by", "parser.invalid_partitioned_by", parts,
                               normal, part)) {
            str_list_push(reader->arena, parts, normal);
            str_list_push(reader->arena, columns, column);
        }
    }
}

// A quoted argument without its quotes, doubled ones made single; false when it is not closed.
static bool argument_text(struct arena *arena, str part, str *value) {
    if (part.size == 0 || (part.data[0] != '\'' && part.data[0] != '"')) {
        *value = part;
        return part.size > 0;
    }
    const char quote = part.data[0];
    struct text text;
    text_init(&text, arena);
    for (size_t i = 1; i < part.size; i++) {
        if (part.data[i] == quote) {
            if (i + 1 < part.size && part.data[i + 1] == quote) {
                i++;
            } else {
                *value = text_str(&text);
                return i + 1 == part.size;
            }
        }
        text_add_char(&text, part.data[i]);
    }
    return false;
}

static void sink_error(struct directive_reader *reader, const struct sink_directive *sink,
                       const char *what) {
    struct error err;
    const char *name = sink->is_push ? "push" : "sink";
    error_rule(&err, ERROR_INVALID, "parser.invalid_directive", "@%s: \"" STR_FORMAT "\" %s", name,
               STR_ARGS(sink->at.value), what);
    error_hint(&err, "write @%s: name or @%s: name('a', 'b')", name, name);
    directive_error(reader, &err, &sink->at);
}

void directive_sink(struct directive_reader *reader, struct sink_directive *sink) {
    const str value = sink->at.value;
    const size_t open = str_find_char(value, '(');
    sink->name = str_trim(str_slice(value, 0, open));
    if (!str_is_identifier(sink->name)) {
        sink_error(reader, sink, "does not begin with the name of a lib");
        return;
    }
    if (open == SIZE_MAX) {
        return;
    }
    if (!str_ends_with(value, STR(")"))) {
        sink_error(reader, sink, "does not end with the closing parenthesis");
        return;
    }
    str rest = str_slice(value, open + 1, value.size - 1);
    if (str_trim(rest).size == 0) {
        return;
    }
    str part;
    for (bool done = false; next_part(&rest, &done, &part);) {
        str argument;
        if (!argument_text(reader->arena, part, &argument)) {
            sink_error(reader, sink, "has an argument that is empty or not closed");
            return;
        }
        str_list_push(reader->arena, &sink->args, argument);
    }
}

static bool is_tag(str word) {
    for (size_t i = 0; i < word.size; i++) {
        const char c = word.data[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '_'))) {
            return false;
        }
    }
    return word.size > 0;
}

// A tag is a masking tag when it is `mask`, `hash` or `redact`, or begins so with `_` behind.
static bool is_mask(str tag) {
    static const str PREFIXES[] = {STR_INIT("mask"), STR_INIT("hash"), STR_INIT("redact")};
    for (size_t i = 0; i < ARRAY_COUNT(PREFIXES); i++) {
        const size_t size = PREFIXES[i].size;
        if (tag.size >= size && str_equal_nocase(str_slice(tag, 0, size), PREFIXES[i]) &&
            (tag.size == size || tag.data[size] == '_')) {
            return true;
        }
    }
    return false;
}

// The mask of one and the text of the other would be a guess.
static bool column_is_new(struct directive_reader *reader, const struct directives *out,
                          const struct column_directive *column) {
    for (size_t i = 0; i < out->columns.count; i++) {
        const struct column_directive *before = &out->columns.items[i];
        if (str_equal_nocase(before->name, column->name)) {
            struct error err;
            error_rule(&err, ERROR_INVALID, "parser.invalid_directive",
                       "@column: \"" STR_FORMAT "\" is described twice: \"" STR_FORMAT
                       "\" here, \"" STR_FORMAT "\" in line %d",
                       STR_ARGS(column->name), STR_ARGS(column->at.value),
                       STR_ARGS(before->at.value), before->at.line);
            directive_error(reader, &err, &column->at);
            return false;
        }
    }
    return true;
}

void directive_add_column(struct directive_reader *reader, struct directives *out,
                          struct directive item) {
    struct column_directive column = {.at = item};
    const size_t equals = str_find_char(item.value, '=');
    if (equals == SIZE_MAX) {
        struct error err;
        error_rule(&err, ERROR_INVALID, "parser.invalid_directive",
                   "@column: \"" STR_FORMAT "\" has no =", STR_ARGS(item.value));
        error_hint(&err, "write @column: name = text | tag");
        directive_error(reader, &err, &item);
        return;
    }
    column.name = str_trim(str_slice(item.value, 0, equals));
    if (column.name.size == 0) { // an error needs its place
        column.name = (str){item.value.data, 0};
    }
    if (!column_check(reader, "column", "parser.invalid_directive", column.name)) {
        return;
    }
    // Tags are taken from the right end, as long as they are single words.
    str rest = str_trim(str_from_offset(item.value, equals + 1));
    for (size_t bar = str_find_last_char(rest, '|'); bar != SIZE_MAX;
         bar = str_find_last_char(rest, '|')) {
        const str tag = str_trim(str_from_offset(rest, bar + 1));
        if (!is_tag(tag)) {
            break;
        }
        str_list_push(reader->arena, &column.tags, tag);
        rest = str_trim(str_slice(rest, 0, bar));
    }
    for (size_t i = 0; i < column.tags.count / 2; i++) {
        const str tag = column.tags.items[i];
        column.tags.items[i] = column.tags.items[column.tags.count - 1 - i];
        column.tags.items[column.tags.count - 1 - i] = tag;
    }
    for (size_t i = column.tags.count; i > 0; i--) {
        column.mask = is_mask(column.tags.items[i - 1]) ? column.tags.items[i - 1] : column.mask;
    }
    column.description = rest;
    if (!column_is_new(reader, out, &column)) {
        return;
    }
    LIST_PUSH(reader->arena, &out->columns, column);
}

void directive_add_constraint(struct directive_reader *reader, struct directives *out,
                              struct directive item) {
    LIST_PUSH(reader->arena, &out->constraints, item);
}

void directive_add_audit(struct directive_reader *reader, struct directives *out,
                         struct directive item) {
    LIST_PUSH(reader->arena, &out->audits, item);
}

void directive_add_warning(struct directive_reader *reader, struct directives *out,
                           struct directive item) {
    LIST_PUSH(reader->arena, &out->warnings, item);
}

void directive_add_extension(struct directive_reader *reader, struct directives *out,
                             struct directive item) {
    struct extension_directive extension = {.at = item};
    struct str_splitter splitter = {.rest = item.value};
    str word;
    struct str_list words = {0};
    while (str_split_next(&splitter, ' ', &word)) {
        if (str_trim(word).size > 0) {
            str_list_push(reader->arena, &words, str_trim(word));
        }
    }
    const bool with_repository = words.count == 3 && str_equal_nocase(words.items[1], STR("FROM"));
    if ((words.count != 1 && !with_repository) || !str_is_identifier(words.items[0])) {
        struct error err;
        error_rule(&err, ERROR_INVALID, "parser.invalid_directive",
                   "@extension: \"" STR_FORMAT "\" is not `name` or `name FROM repository`",
                   STR_ARGS(item.value));
        directive_error(reader, &err, &item);
        return;
    }
    extension.name = words.items[0];
    extension.repository = with_repository ? words.items[2] : (str){0};
    LIST_PUSH(reader->arena, &out->extensions, extension);
}
