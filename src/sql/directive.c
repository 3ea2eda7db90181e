// The header of a model file, read line by line, then checked as a whole.
//
// Two passes: `header_read` finds the directives and where the SQL begins and stores each value by
// the table DIRECTIVES; `check_matrix` then looks at what only several directives together can tell
// (models.md §3.2).  Nothing stops at the first mistake.
#include "sql/directive.h"

#include "base/suggest.h"
#include "base/text.h"
#include "lake/script.h"
#include "sql/directive_value.h"

#include <string.h>

static const str KIND_NAMES[] = {
    [MODEL_TABLE] = STR_INIT("table"), [MODEL_APPEND] = STR_INIT("append"),
    [MODEL_MERGE] = STR_INIT("merge"), [MODEL_TRACKED] = STR_INIT("tracked"),
    [MODEL_SCD2] = STR_INIT("scd2"),
};

str model_kind_name(enum model_kind kind) {
    return KIND_NAMES[kind];
}

bool model_kind_find(str name, enum model_kind *kind) {
    for (size_t i = 0; i < ARRAY_COUNT(KIND_NAMES); i++) {
        if (str_equal_nocase(name, KIND_NAMES[i])) {
            *kind = (enum model_kind)i;
            return true;
        }
    }
    return false;
}

static const struct {
    str name;
    const char *rule;
    const char *hint;
} REMOVED_DIRECTIVES[] = {
    {STR_INIT("script"), "parser.deprecated_script",
     "write the script as lib/NAME.star with a fetch function and select FROM NAME(…)"},
    {STR_INIT("sink_detect_deletes"), "parser.deprecated_sink_detect_deletes",
     "use @kind: tracked or table: their change feed carries deletes"},
    {STR_INIT("sink_delete_threshold"), "parser.deprecated_sink_delete_threshold",
     "check the row count with @audit: row_count(>=, N) instead"},
};

static const struct {
    str name;
    const char *hint;
} REMOVED_KINDS[] = {
    {STR_INIT("view"), "use @kind: table; it is rebuilt only when an input changed"},
    {STR_INIT("partition"), "use @kind: tracked with @group_key"},
    {STR_INIT("events"), "the collector for events is not built; use @kind: append"},
};

static void parse_kind(struct directive_reader *reader, struct directives *out) {
    const str value = out->kind_at.value;
    struct str_list names = {0};
    for (size_t i = 0; i < ARRAY_COUNT(KIND_NAMES); i++) {
        str_list_push(reader->arena, &names, KIND_NAMES[i]);
        if (str_equal(value, KIND_NAMES[i])) {
            out->kind = (enum model_kind)i;
            return;
        }
    }
    struct error err;
    for (size_t i = 0; i < ARRAY_COUNT(REMOVED_KINDS); i++) {
        if (str_equal_nocase(value, REMOVED_KINDS[i].name)) {
            error_rule(&err, ERROR_INVALID, "parser.invalid_kind",
                       "@kind: \"" STR_FORMAT "\" is not a kind any more", STR_ARGS(value));
            error_hint(&err, "%s", REMOVED_KINDS[i].hint);
            directive_error(reader, &err, &out->kind_at);
            return;
        }
    }
    error_rule(&err, ERROR_INVALID, "parser.invalid_kind",
               "@kind: \"" STR_FORMAT "\" is not one of table, append, merge, tracked, scd2",
               STR_ARGS(value));
    const str near = suggest(value, &names);
    if (near.size > 0) {
        error_hint(&err, "did you mean " STR_FORMAT "?", STR_ARGS(near));
    }
    directive_error(reader, &err, &out->kind_at);
}

static void parse_unique_key(struct directive_reader *reader, struct directives *out) {
    if (str_find_char(out->unique_key.value, ',') != SIZE_MAX) {
        struct error err;
        error_rule(&err, ERROR_INVALID, "parser.invalid_unique_key",
                   "@unique_key: \"" STR_FORMAT "\" names more than one column",
                   STR_ARGS(out->unique_key.value));
        error_hint(&err, "a key of several columns is @kind: tracked with @group_key");
        directive_error(reader, &err, &out->unique_key);
        return;
    }
    directive_column(reader, &out->unique_key, "unique_key", "parser.invalid_unique_key");
}

static void parse_group_key(struct directive_reader *reader, struct directives *out) {
    directive_columns(reader, &out->group_key, "group_key", "parser.invalid_directive",
                      &out->group_columns);
}

static void parse_incremental(struct directive_reader *reader, struct directives *out) {
    directive_column(reader, &out->incremental, "incremental", "parser.invalid_incremental");
}

static void parse_incremental_initial(struct directive_reader *reader, struct directives *out) {
    (void)reader;
    out->incremental_initial.value = directive_unquote(out->incremental_initial.value);
}

static void parse_fetch(struct directive_reader *reader, struct directives *out) {
    (void)reader;
    (void)out;
}

static void parse_sink(struct directive_reader *reader, struct directives *out) {
    directive_sink(reader, &out->sink);
}

static void parse_description(struct directive_reader *reader, struct directives *out) {
    (void)reader;
    (void)out;
}

static void parse_partitioned_by(struct directive_reader *reader, struct directives *out) {
    directive_partitions(reader, &out->partitioned_by, &out->partition_parts,
                         &out->partition_columns);
}

static void parse_sorted_by(struct directive_reader *reader, struct directives *out) {
    directive_columns(reader, &out->sorted_by, "sorted_by", "parser.invalid_sorted_by",
                      &out->sort_columns);
}

static void parse_expose(struct directive_reader *reader, struct directives *out) {
    struct error err;
    error_rule(&err, ERROR_INVALID, "parser.invalid_directive", "@expose is not built yet");
    error_hint(&err, "remove it: OData is not served");
    directive_error(reader, &err, &out->expose);
}

enum directive_form {
    FORM_VALUE,    // `@name: value`
    FORM_BARE,     // `@name`
    FORM_REPEATED, // `@name: value`, any number of times
    FORM_SPACE,    // `@name value`
};

// Where each directive goes: a single-valued one into the struct directive at `offset`, then to
// `parse`; a repeated one to `parse_item` at once.
static const struct directive_spec {
    str name;
    enum directive_form form;
    const char *rule;    // of a missing value
    const char *example; // of a value, with what stands before it
    size_t offset;
    void (*parse)(struct directive_reader *reader, struct directives *out);
    void (*parse_item)(struct directive_reader *reader, struct directives *out,
                       struct directive item);
} DIRECTIVES[] = {
#define AT(field) offsetof(struct directives, field)
    {STR_INIT("kind"), FORM_VALUE, "parser.invalid_kind", ": merge", AT(kind_at), parse_kind, NULL},
    {STR_INIT("unique_key"), FORM_VALUE, "parser.invalid_unique_key", ": COLUMN", AT(unique_key),
     parse_unique_key, NULL},
    {STR_INIT("group_key"), FORM_VALUE, "parser.invalid_directive", ": COLUMN, COLUMN",
     AT(group_key), parse_group_key, NULL},
    {STR_INIT("incremental"), FORM_VALUE, "parser.invalid_incremental", ": COLUMN", AT(incremental),
     parse_incremental, NULL},
    {STR_INIT("incremental_initial"), FORM_VALUE, "parser.invalid_incremental", ": VALUE",
     AT(incremental_initial), parse_incremental_initial, NULL},
    {STR_INIT("sink"), FORM_VALUE, "parser.invalid_directive", ": NAME", AT(sink.at), parse_sink,
     NULL},
    {STR_INIT("push"), FORM_VALUE, "parser.invalid_directive", ": NAME", AT(sink.at), parse_sink,
     NULL},
    {STR_INIT("fetch"), FORM_BARE, "parser.invalid_directive", "", AT(fetch), parse_fetch, NULL},
    {STR_INIT("description"), FORM_VALUE, "parser.invalid_directive", ": TEXT", AT(description),
     parse_description, NULL},
    {STR_INIT("partitioned_by"), FORM_VALUE, "parser.invalid_partitioned_by", ": COLUMN",
     AT(partitioned_by), parse_partitioned_by, NULL},
    {STR_INIT("sorted_by"), FORM_VALUE, "parser.invalid_sorted_by", ": COLUMN", AT(sorted_by),
     parse_sorted_by, NULL},
    {STR_INIT("expose"), FORM_SPACE, "parser.invalid_directive", " COLUMN", AT(expose),
     parse_expose, NULL},
    {STR_INIT("column"), FORM_REPEATED, "parser.invalid_directive", ": NAME = TEXT", 0, NULL,
     directive_add_column},
    {STR_INIT("constraint"), FORM_REPEATED, "parser.invalid_directive", ": not_null(COLUMN)", 0,
     NULL, directive_add_constraint},
    {STR_INIT("audit"), FORM_REPEATED, "parser.invalid_directive", ": row_count(>, 0)", 0, NULL,
     directive_add_audit},
    {STR_INIT("warning"), FORM_REPEATED, "parser.invalid_directive", ": not_null(COLUMN)", 0, NULL,
     directive_add_warning},
    {STR_INIT("extension"), FORM_REPEATED, "parser.invalid_directive", ": NAME", 0, NULL,
     directive_add_extension},
#undef AT
};

static const struct directive_spec *spec_find(str name) {
    for (size_t i = 0; i < ARRAY_COUNT(DIRECTIVES); i++) {
        if (str_equal(name, DIRECTIVES[i].name)) {
            return &DIRECTIVES[i];
        }
    }
    return NULL;
}

static void unknown_directive(struct directive_reader *reader, str name,
                              const struct directive *at) {
    struct error err;
    for (size_t i = 0; i < ARRAY_COUNT(REMOVED_DIRECTIVES); i++) {
        if (str_equal(name, REMOVED_DIRECTIVES[i].name)) {
            error_rule(&err, ERROR_INVALID, REMOVED_DIRECTIVES[i].rule,
                       "@" STR_FORMAT " was removed", STR_ARGS(name));
            error_hint(&err, "%s", REMOVED_DIRECTIVES[i].hint);
            directive_error(reader, &err, at);
            return;
        }
    }
    error_rule(&err, ERROR_INVALID, "parser.invalid_directive", "unknown directive @" STR_FORMAT,
               STR_ARGS(name));
    struct str_list names = {0};
    for (size_t i = 0; i < ARRAY_COUNT(DIRECTIVES); i++) {
        str_list_push(reader->arena, &names, DIRECTIVES[i].name);
    }
    const str near = suggest(name, &names);
    if (near.size > 0) {
        error_hint(&err, "did you mean @" STR_FORMAT "?", STR_ARGS(near));
    } else {
        error_hint(&err, "directives are @" STR_FORMAT,
                   STR_ARGS(str_list_join(reader->arena, &names, STR(", @"))));
    }
    directive_error(reader, &err, at);
}

// The value in the form its directive wants; false (and an error) when it is not so.
static bool directive_value(struct directive_reader *reader, const struct directive_spec *spec,
                            bool has_colon, struct directive *item) {
    struct error err;
    if (spec->form == FORM_BARE) {
        if (!has_colon && item->value.size == 0) {
            return true;
        }
        error_rule(&err, ERROR_INVALID, spec->rule, "@" STR_FORMAT " takes no value",
                   STR_ARGS(spec->name));
        directive_error(reader, &err, item);
        return false;
    }
    if (spec->form != FORM_SPACE && !has_colon) {
        error_rule(&err, ERROR_INVALID, spec->rule,
                   "@" STR_FORMAT " needs a colon: @" STR_FORMAT ": value", STR_ARGS(spec->name),
                   STR_ARGS(spec->name));
        directive_error(reader, &err, item);
        return false;
    }
    if (item->value.size == 0) {
        error_rule(&err, ERROR_INVALID, spec->rule, "@" STR_FORMAT " has no value",
                   STR_ARGS(spec->name));
        error_hint(&err, "write `-- @" STR_FORMAT "%s`, or remove the line", STR_ARGS(spec->name),
                   spec->example);
        directive_error(reader, &err, item);
        return false;
    }
    return true;
}

static void directive_store(struct directive_reader *reader, const struct directive_spec *spec,
                            struct directives *out, struct directive item) {
    if (spec->form == FORM_REPEATED) {
        spec->parse_item(reader, out, item);
        return;
    }
    struct directive *slot = (struct directive *)(void *)((char *)out + spec->offset);
    if (slot->is_set) {
        struct error err;
        error_rule(&err, ERROR_INVALID, "parser.invalid_directive",
                   "@" STR_FORMAT " is given twice: \"" STR_FORMAT "\" here, \"" STR_FORMAT
                   "\" in line %d",
                   STR_ARGS(spec->name), STR_ARGS(item.value), STR_ARGS(slot->value), slot->line);
        directive_error(reader, &err, &item);
        return;
    }
    *slot = item;
    if (str_equal(spec->name, STR("push"))) {
        out->sink.is_push = true;
    }
    spec->parse(reader, out);
}

static bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Splits `@name: value`; false when `comment` (without its marker) is no directive.
static bool directive_split(str comment, str *name, bool *has_colon, str *value) {
    const str rest = str_trim(comment);
    if (!str_starts_with(rest, STR("@"))) {
        return false;
    }
    size_t end = 1;
    while (end < rest.size && is_name_char(rest.data[end])) {
        end++;
    }
    *name = str_slice(rest, 1, end);
    const str behind = str_trim(str_from_offset(rest, end));
    *has_colon = str_starts_with(behind, STR(":"));
    *value = *has_colon ? str_trim(str_from_offset(behind, 1)) : behind;
    return name->size > 0;
}

static void header_directive(struct directive_reader *reader, str comment, struct directives *out) {
    str name;
    bool has_colon;
    struct directive item = {.is_set = true};
    if (!directive_split(comment, &name, &has_colon, &item.value)) {
        return;
    }
    const str at = item.value.size > 0 ? item.value : name;
    source_position(reader->text, (size_t)(at.data - reader->text.data), &item.line, &item.column);
    const struct directive_spec *spec = spec_find(name);
    if (spec == NULL) {
        source_position(reader->text, (size_t)(name.data - reader->text.data), &item.line,
                        &item.column);
        unknown_directive(reader, name, &item);
    } else if (directive_value(reader, spec, has_colon, &item)) {
        directive_store(reader, spec, out, item);
    }
}

static size_t line_end(str text, size_t start) {
    const size_t size = str_find_char(str_from_offset(text, start), '\n');
    return size == SIZE_MAX ? text.size : start + size;
}

static void unterminated_comment(struct directive_reader *reader, size_t offset) {
    struct error err;
    error_rule(&err, ERROR_INVALID, "parser.unterminated_block_comment",
               "the block comment is never closed");
    error_hint(&err, "close it with */: all that follows is part of the comment");
    error_at_offset(&err, reader->file, reader->text, offset);
    error_list_add(reader->errors, &err);
}

// The offset of the first byte that is neither white space nor comment.
static size_t header_read(struct directive_reader *reader, struct directives *out) {
    const str text = reader->text;
    size_t i = str_starts_with(text, STR("\xef\xbb\xbf")) ? 3 : 0;
    while (i < text.size) {
        const str rest = str_from_offset(text, i);
        if (strchr(" \t\r\n\f\v", text.data[i]) != NULL) {
            i++;
        } else if (str_starts_with(rest, STR("/*"))) {
            const size_t end = str_find(str_from_offset(rest, 2), STR("*/"));
            if (end == SIZE_MAX) {
                unterminated_comment(reader, i);
                return text.size;
            }
            i += end + 4;
        } else if (str_starts_with(rest, STR("--")) || str_starts_with(rest, STR("//")) ||
                   str_starts_with(rest, STR("#"))) {
            const size_t end = line_end(text, i);
            header_directive(reader, str_slice(text, i + (text.data[i] == '#' ? 1 : 2), end), out);
            i = end;
        } else {
            break;
        }
    }
    return i;
}

static void body_comment(struct directive_reader *reader, str comment) {
    str name;
    str value;
    bool has_colon;
    if (directive_split(comment, &name, &has_colon, &value) && (has_colon || value.size == 0)) {
        struct error err;
        error_rule(&err, ERROR_INVALID, "parser.invalid_directive",
                   "@" STR_FORMAT " stands below the first line of SQL", STR_ARGS(name));
        error_hint(&err, "directives belong above the query");
        error_at_offset(&err, reader->file, reader->text,
                        (size_t)(name.data - reader->text.data) - 1);
        error_list_add(reader->errors, &err);
    }
}

// The `--` comments between two tokens.
static void gap_comments(struct directive_reader *reader, size_t start, size_t end) {
    const str text = reader->text;
    for (size_t i = start; i < end; i++) {
        const str rest = str_from_offset(text, i);
        if (str_starts_with(rest, STR("/*"))) {
            const size_t size = str_find(rest, STR("*/"));
            if (size == SIZE_MAX) {
                unterminated_comment(reader, i);
                return;
            }
            i += size + 1;
        } else if (str_starts_with(rest, STR("--"))) {
            const size_t stop = line_end(text, i);
            body_comment(reader, str_slice(text, i + 2, stop));
            i = stop;
        }
    }
}

// A directive below the first line of SQL would be silently without effect.
static void body_check_comments(struct directive_reader *reader, size_t start) {
    const str text = reader->text;
    for (size_t i = start; i < text.size;) {
        const size_t end = sql_skip_space(text, i);
        gap_comments(reader, i, end);
        i = end < text.size ? sql_skip_token(text, end) : end;
    }
}

static void body_read(struct directive_reader *reader, size_t start, struct model_source *source) {
    const str text = reader->text;
    struct sql_statement_list statements = {0};
    sql_split(reader->arena, str_from_offset(text, start), &statements);
    struct error err;
    if (statements.count > 0) {
        source->body_offset = start + statements.items[0].offset;
        source->body = str_trim(statements.items[0].text);
    }
    if (statements.count == 0) {
        error_rule(&err, ERROR_INVALID, "parser.other", "the file has no query");
        error_hint(&err, "write one SELECT below the directives");
        error_at_offset(&err, reader->file, text, start);
        error_list_add(reader->errors, &err);
    } else if (statements.count > 1) {
        error_rule(&err, ERROR_INVALID, "parser.multi_statement",
                   "a model is one query, and here a second statement begins");
        error_hint(&err, "put it into a model file of its own");
        error_at_offset(&err, reader->file, text, start + statements.items[1].offset);
        error_list_add(reader->errors, &err);
    }
}

static void matrix_error(struct directive_reader *reader, const struct directive *at,
                         const char *rule, const char *message, const char *hint) {
    struct error err;
    error_rule(&err, ERROR_INVALID, rule, "%s", message);
    error_hint(&err, "%s", hint);
    directive_error(reader, &err, at);
}

static void check_unique_key(struct directive_reader *reader, const struct directives *out) {
    const str kind = model_kind_name(out->kind);
    const bool needed = out->kind == MODEL_MERGE || out->kind == MODEL_SCD2;
    struct error err;
    if (needed && !out->unique_key.is_set) {
        error_rule(&err, ERROR_INVALID,
                   out->sink.at.is_set ? "push.missing_unique_key" : "parser.missing_directive",
                   "@kind: " STR_FORMAT " needs @unique_key", STR_ARGS(kind));
        error_hint(&err, "add `-- @unique_key: COLUMN`");
        directive_error(reader, &err, &out->kind_at);
    } else if (out->unique_key.is_set && out->kind == MODEL_TRACKED) {
        matrix_error(reader, &out->unique_key, "parser.invalid_unique_key",
                     "@unique_key does not go with @kind: tracked", "use @group_key");
    } else if (out->unique_key.is_set && !needed) {
        error_rule(&err, ERROR_INVALID, "parser.invalid_unique_key",
                   "@unique_key is ignored by @kind: " STR_FORMAT, STR_ARGS(kind));
        error_hint(&err, "remove it, or use @kind: merge");
        error_at(&err, reader->file, out->unique_key.line, out->unique_key.column);
        error_source(&err, reader->text);
        error_list_add(reader->warnings, &err);
    }
}

static void check_group_key(struct directive_reader *reader, const struct directives *out) {
    if (out->kind == MODEL_TRACKED && !out->group_key.is_set) {
        matrix_error(reader, &out->kind_at,
                     out->sink.at.is_set ? "push.missing_group_key" : "parser.missing_directive",
                     "@kind: tracked needs @group_key", "add `-- @group_key: COLUMN, COLUMN`");
    } else if (out->kind != MODEL_TRACKED && out->group_key.is_set) {
        struct error err;
        error_rule(&err, ERROR_INVALID, "parser.invalid_directive",
                   "@group_key does not go with @kind: " STR_FORMAT,
                   STR_ARGS(model_kind_name(out->kind)));
        error_hint(&err, "use @kind: tracked");
        directive_error(reader, &err, &out->group_key);
    }
}

static void check_matrix(struct directive_reader *reader, const struct directives *out) {
    check_unique_key(reader, out);
    check_group_key(reader, out);
    if (out->kind == MODEL_SCD2 && out->sink.at.is_set) {
        matrix_error(reader, &out->sink.at, "push.kind_not_supported",
                     out->sink.is_push ? "@push does not go with @kind: scd2"
                                       : "@sink does not go with @kind: scd2",
                     "use @kind: table with WHERE is_current = true");
    }
    if (out->fetch.is_set && out->sink.at.is_set) {
        matrix_error(reader, &out->sink.at, "strict_push.lib_call_disallowed",
                     "a model cannot both fetch and push",
                     "fetch in one model and push from a second one that reads it");
    }
    if (out->incremental_initial.is_set && !out->incremental.is_set) {
        matrix_error(reader, &out->incremental_initial, "parser.missing_directive",
                     "@incremental_initial needs @incremental", "add `-- @incremental: COLUMN`");
    }
}

bool model_source_parse(struct arena *arena, str file, str text, struct model_source *source,
                        struct error_list *errors, struct error_list *warnings) {
    struct directive_reader reader = {arena, file, text, errors, warnings};
    *source = (struct model_source){
        .directives = {.kind = MODEL_TABLE,
                       .incremental_initial = {.value = STR_INIT("1970-01-01T00:00:00Z")}}};
    const size_t errors_before = errors->count;
    const size_t bad = str_first_invalid_utf8(text);
    if (bad != SIZE_MAX) {
        struct error err;
        error_rule(&err, ERROR_INVALID, "parser.other", "the file is not UTF-8");
        error_at_offset(&err, file, text, bad);
        error_list_add(errors, &err);
        return false;
    }
    const size_t nul = str_find_char(text, '\0');
    if (nul != SIZE_MAX) { // DuckDB would end the query there
        struct error err;
        error_rule(&err, ERROR_INVALID, "parser.other", "the file has a zero byte");
        error_hint(&err, "save it as plain text in UTF-8");
        error_at_offset(&err, file, text, nul);
        error_list_add(errors, &err);
        return false;
    }
    const size_t start = header_read(&reader, &source->directives);
    if (errors->count == errors_before || start < text.size) {
        body_read(&reader, start, source);
        body_check_comments(&reader, start);
    }
    // Without a valid kind the matrix would only repeat the mistake in other words.
    bool kind_is_valid = true;
    for (size_t i = errors_before; i < errors->count; i++) {
        const char *rule = errors->items[i].rule;
        kind_is_valid = kind_is_valid && (rule == NULL || strcmp(rule, "parser.invalid_kind") != 0);
    }
    if (kind_is_valid) {
        check_matrix(&reader, &source->directives);
    }
    return errors->count == errors_before;
}
