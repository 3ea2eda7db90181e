#include "write/columns.h"

#include "base/number.h"
#include "base/text.h"

static const str EXACT_INTEGER = STR_INIT("DECIMAL(38,0)");

// Whether the word of `type` at `start` names a type, not a field: fields are followed by a space.
static bool is_huge_word(str type, size_t start, size_t *end) {
    const str rest = str_from_offset(type, start);
    size_t size = 0;
    if (str_starts_with(rest, STR("HUGEINT"))) {
        size = 7;
    } else if (str_starts_with(rest, STR("UHUGEINT"))) {
        size = 8;
    }
    const char before = start == 0 ? '(' : type.data[start - 1];
    const char after = size < rest.size ? rest.data[size] : ',';
    *end = start + size;
    return size > 0 && (before == '(' || before == ' ') &&
           (after == ',' || after == ')' || after == '[');
}

// Past the quotes that open at `start`: the name of a field, or a value of an ENUM.  Of a doubled
// quote the second opens what follows.
static size_t quoted_end(str type, size_t start) {
    const size_t size = str_find_char(str_from_offset(type, start + 1), type.data[start]);
    return size == SIZE_MAX ? type.size : start + 1 + size + 1;
}

// ENUM('a', 'b, ''c'')') at `start`; `start` when there is none.
static size_t enum_end(str type, size_t start) {
    const bool begins = start == 0 || type.data[start - 1] == '(' || type.data[start - 1] == ' ';
    if (!begins || !str_starts_with(str_from_offset(type, start), STR("ENUM("))) {
        return start;
    }
    size_t end = start;
    while (end < type.size && type.data[end] != ')') {
        end = type.data[end] == '\'' ? quoted_end(type, end) : end + 1;
    }
    return end < type.size ? end + 1 : end;
}

// The type with every integer of 128 bits as one that Parquet keeps exactly, and every ENUM as its
// text.
static str exact_type(struct arena *arena, str type) {
    struct text text;
    text_init(&text, arena);
    size_t end = 0;
    for (size_t i = 0; i < type.size; i = end) {
        if (is_huge_word(type, i, &end)) {
            text_add(&text, EXACT_INTEGER);
        } else if ((end = enum_end(type, i)) > i) {
            text_add(&text, STR("VARCHAR"));
        } else {
            end = type.data[i] == '"' ? quoted_end(type, i) : i + 1;
            text_add(&text, str_slice(type, i, end));
        }
    }
    return text_str(&text);
}

// DuckLake finds the rows of a table, and the snapshots of its changes, under these names; a column
// of that name hides them, and then the wrong rows are deleted or read.
static const str hidden_by_columns[] = {STR_INIT("rowid"), STR_INIT("snapshot_id")};

static enum error_code check_name(str name, struct error *err) {
    for (size_t i = 0; i < ARRAY_COUNT(hidden_by_columns); i++) {
        if (str_equal_nocase(name, hidden_by_columns[i])) {
            error_rule(err, ERROR_INVALID, "parser.other",
                       "a column cannot be named \"" STR_FORMAT
                       "\": the lake's own column of that name would be hidden",
                       STR_ARGS(name));
            error_hint(
                err, "give it another name with AS, or with SELECT * RENAME (" STR_FORMAT " AS …)",
                STR_ARGS(name));
            return err->code;
        }
    }
    if (name.size >= 10 && str_equal_nocase(str_slice(name, 0, 10), STR("__ondatra_"))) {
        error_rule(err, ERROR_INVALID, "parser.other", "\"" STR_FORMAT "\" is a reserved name",
                   STR_ARGS(name));
        error_hint(err, "names that begin with __ondatra_ belong to the runtime");
        return err->code;
    }
    return ERROR_NONE;
}

// ── Types that DuckLake has not ──

static const struct foreign_type {
    str name;
    const char *lack;
    const char *hint;
} FOREIGN_TYPES[] = {
    {STR_INIT("BIT"), "no BIT", "cast it to VARCHAR"},
    {STR_INIT("BIGNUM"), "no BIGNUM", "cast it to VARCHAR, or to DECIMAL(38, 0) where it fits"},
    {STR_INIT("UNION"), "no UNION", "take a member with union_extract(), or cast it to VARCHAR"},
};

static const struct foreign_type FIXED_ARRAY = {STR_INIT("["), "no lists of a fixed length",
                                                "cast it to a list without the length: TYPE[]"};

static size_t word_end(str type, size_t at) {
    while (at < type.size &&
           ((type.data[at] >= 'A' && type.data[at] <= 'Z') ||
            (type.data[at] >= 'a' && type.data[at] <= 'z') ||
            (type.data[at] >= '0' && type.data[at] <= '9') || type.data[at] == '_')) {
        at++;
    }
    return at;
}

// The first type inside `type` that no table of the lake holds; NULL: it holds them all.  A word
// that a space follows is the name of a field.
static const struct foreign_type *find_foreign(str type) {
    for (size_t at = 0; at < type.size;) {
        if (type.data[at] == '"' || type.data[at] == '\'') {
            at = quoted_end(type, at);
            continue;
        }
        const size_t end = word_end(type, at);
        const char after = end < type.size ? type.data[end] : '\0';
        if (type.data[at] == '[' && at + 1 < type.size && type.data[at + 1] != ']') {
            return &FIXED_ARRAY;
        }
        for (size_t i = 0; end > at && after != ' ' && i < ARRAY_COUNT(FOREIGN_TYPES); i++) {
            if (str_equal(str_slice(type, at, end), FOREIGN_TYPES[i].name)) {
                return &FOREIGN_TYPES[i];
            }
        }
        at = end > at ? end : at + 1;
    }
    return NULL;
}

enum { SHOWN_TYPE_MAX = 160 };

static enum error_code check_foreign(const struct lake_column *column, struct error *err) {
    const struct foreign_type *foreign = find_foreign(column->type);
    if (foreign == NULL) {
        return ERROR_NONE;
    }
    error_rule(err, ERROR_INVALID, "parser.other",
               "column \"" STR_FORMAT "\" is of type " STR_FORMAT "%s: a lake has %s",
               STR_ARGS(column->name), STR_ARGS(str_cut(column->type, SHOWN_TYPE_MAX)),
               column->type.size > SHOWN_TYPE_MAX ? "…" : "", foreign->lack);
    error_hint(err, "%s", foreign->hint);
    return err->code;
}

// A row of values without names: (a, b).  DuckDB has such a type, but cannot make a column of it.
static enum error_code check_type(const struct lake_column *column, struct error *err) {
    if (str_find(column->type, STR("(\"\" ")) == SIZE_MAX) {
        return ERROR_NONE;
    }
    error_rule(err, ERROR_INVALID, "parser.other",
               "column \"" STR_FORMAT
               "\" is a row whose fields have no names, which no table holds",
               STR_ARGS(column->name));
    error_hint(err, "name its fields: {'a': …, 'b': …}");
    return err->code;
}

enum error_code columns_normalise(struct arena *arena, struct lake_column *columns, size_t count,
                                  size_t *wrong, struct error *err) {
    for (size_t i = 0; i < count; i++) {
        *wrong = i;
        TRY(check_name(columns[i].name, err));
        TRY(check_type(&columns[i], err));
        if (str_equal(columns[i].type, STR("\"NULL\"")) ||
            str_equal(columns[i].type, STR("NULL"))) {
            columns[i].type = STR("INTEGER");
        } else {
            TRY(check_foreign(&columns[i], err));
            columns[i].type = exact_type(arena, columns[i].type);
        }
        for (size_t j = 0; j < i; j++) {
            if (str_equal_nocase(columns[i].name, columns[j].name)) {
                error_rule(err, ERROR_INVALID, "parser.other",
                           "the query produces two columns named \"" STR_FORMAT "\"",
                           STR_ARGS(columns[i].name));
                error_hint(err, "give one of them another name with AS");
                return err->code;
            }
        }
    }
    return ERROR_NONE;
}

str columns_list(struct arena *arena, const struct lake_column *columns, size_t count, str prefix) {
    struct text text;
    text_init(&text, arena);
    for (size_t i = 0; i < count; i++) {
        text_add(&text, i > 0 ? STR(", ") : STR(""));
        text_add(&text, prefix);
        text_add(&text, lake_quote_name(arena, columns[i].name));
    }
    return text_str(&text);
}

str columns_cast_list(struct arena *arena, const struct lake_column *columns, size_t count) {
    struct text text;
    text_init(&text, arena);
    for (size_t i = 0; i < count; i++) {
        const str name = lake_quote_name(arena, columns[i].name);
        text_add(&text, i > 0 ? STR(", ") : STR(""));
        // VARCHAR: it may be an ENUM, whose hash and order are not those of its text.
        if (str_find(columns[i].type, EXACT_INTEGER) == SIZE_MAX &&
            str_find(columns[i].type, STR("VARCHAR")) == SIZE_MAX) {
            text_add(&text, name);
        } else {
            text_format(&text, "CAST(" STR_FORMAT " AS " STR_FORMAT ") AS " STR_FORMAT,
                        STR_ARGS(name), STR_ARGS(columns[i].type), STR_ARGS(name));
        }
    }
    return text_str(&text);
}

str columns_definition(struct arena *arena, const struct lake_column *columns, size_t count) {
    struct text text;
    text_init(&text, arena);
    for (size_t i = 0; i < count; i++) {
        text_format(&text, "%s" STR_FORMAT " " STR_FORMAT, i > 0 ? ", " : "",
                    STR_ARGS(lake_quote_name(arena, columns[i].name)), STR_ARGS(columns[i].type));
    }
    return text_str(&text);
}

const struct lake_column *columns_find(const struct lake_column *columns, size_t count, str name) {
    for (size_t i = 0; i < count; i++) {
        if (str_equal_nocase(columns[i].name, name)) {
            return &columns[i];
        }
    }
    return NULL;
}

str columns_names(struct arena *arena, const struct lake_column *columns, size_t count) {
    struct str_list names = {0};
    for (size_t i = 0; i < count; i++) {
        str_list_push(arena, &names, columns[i].name);
    }
    return str_list_join(arena, &names, STR(", "));
}

// ── Columns of our own ──

const struct lake_column *columns_of_kind(enum model_kind kind, size_t *count) {
    static const struct lake_column TRACKED[] = {
        {STR_INIT(COLUMN_CONTENT_HASH), STR_INIT("VARCHAR")}};
    static const struct lake_column SCD2[] = {{STR_INIT(COLUMN_VALID_FROM), STR_INIT("BIGINT")},
                                              {STR_INIT(COLUMN_VALID_TO), STR_INIT("BIGINT")},
                                              {STR_INIT(COLUMN_IS_CURRENT), STR_INIT("BOOLEAN")}};
    *count = kind == MODEL_TRACKED ? ARRAY_COUNT(TRACKED)
             : kind == MODEL_SCD2  ? ARRAY_COUNT(SCD2)
                                   : 0;
    return kind == MODEL_SCD2 ? SCD2 : TRACKED;
}

bool columns_is_of_kind(enum model_kind kind, str name) {
    size_t count = 0;
    const struct lake_column *columns = columns_of_kind(kind, &count);
    return columns_find(columns, count, name) != NULL;
}

// ── Evolution ──

// Types in the order in which each takes the values of those before it.
static const str INTEGERS[] = {STR_INIT("TINYINT"), STR_INIT("SMALLINT"), STR_INIT("INTEGER"),
                               STR_INIT("BIGINT"), STR_INIT("HUGEINT")};

static size_t integer_rank(str type) {
    for (size_t i = 0; i < ARRAY_COUNT(INTEGERS); i++) {
        if (str_equal(type, INTEGERS[i])) {
            return i;
        }
    }
    return SIZE_MAX;
}

static bool decimal_parts(str type, int64_t *width, int64_t *scale) {
    if (!str_starts_with(type, STR("DECIMAL(")) || !str_ends_with(type, STR(")"))) {
        return false;
    }
    const str inner = str_slice(type, STR("DECIMAL(").size, type.size - 1);
    const size_t comma = str_find_char(inner, ',');
    return str_parse_int64(str_trim(str_slice(inner, 0, comma)), width) &&
           str_parse_int64(str_trim(str_from_offset(inner, comma + 1)), scale);
}

bool evolution_keeps_values(str from, str to) {
    const size_t from_rank = integer_rank(from);
    const size_t to_rank = integer_rank(to);
    const bool to_double = str_equal(to, STR("DOUBLE"));
    if (from_rank != SIZE_MAX && to_rank != SIZE_MAX) {
        return from_rank < to_rank;
    }
    if (from_rank != SIZE_MAX) {
        return (from_rank <= 3 && to_double) || (from_rank <= 2 && str_equal(to, STR("FLOAT"))) ||
               (from_rank <= 3 && str_equal(to, EXACT_INTEGER));
    }
    if (str_equal(from, STR("FLOAT"))) {
        return to_double;
    }
    int64_t from_width, from_scale, to_width, to_scale;
    return decimal_parts(from, &from_width, &from_scale) &&
           decimal_parts(to, &to_width, &to_scale) && to_scale >= from_scale &&
           to_width - to_scale >= from_width - from_scale;
}

// The names that a column has until it is dropped; no other can have them.
#define OLD_COLUMN "__ondatra_old"
#define CONVERTED_COLUMN "__ondatra_converted"

struct evolving {
    struct arena *arena;
    const struct evolution_input *input;
    struct evolution *out;
    struct text summary;
};

static void note(struct evolving *evolving, str part) {
    text_add(&evolving->summary, evolving->summary.size > 0 ? STR("; ") : STR(""));
    text_add(&evolving->summary, part);
}

static void alter(struct evolving *evolving, str action) {
    str_list_push(evolving->arena, &evolving->out->statements,
                  str_format(evolving->arena, "ALTER TABLE " STR_FORMAT " " STR_FORMAT,
                             STR_ARGS(evolving->input->target), STR_ARGS(action)));
}

static void add_column(struct evolving *evolving, const struct lake_column *column) {
    alter(evolving, str_format(evolving->arena, "ADD COLUMN " STR_FORMAT " " STR_FORMAT,
                               STR_ARGS(lake_quote_name(evolving->arena, column->name)),
                               STR_ARGS(column->type)));
}

static void drop_column(struct evolving *evolving, const struct lake_column *column) {
    str_list_push(evolving->arena, &evolving->out->dropped, column->name);
    alter(evolving, str_format(evolving->arena, "DROP COLUMN " STR_FORMAT,
                               STR_ARGS(lake_quote_name(evolving->arena, column->name))));
}

// A column of the same name and another type.  The old one gives up its name first and goes last:
// it may be the only one, and a table is never without a column.
static void replace_column(struct evolving *evolving, const struct lake_column *before,
                           const struct lake_column *after) {
    str_list_push(evolving->arena, &evolving->out->dropped, before->name);
    alter(evolving, str_format(evolving->arena, "RENAME COLUMN " STR_FORMAT " TO " OLD_COLUMN,
                               STR_ARGS(lake_quote_name(evolving->arena, before->name))));
    add_column(evolving, after);
    alter(evolving, STR("DROP COLUMN " OLD_COLUMN));
}

// The old column goes when the new one has its values.
static void convert_column(struct evolving *evolving, const struct lake_column *before,
                           const struct lake_column *after) {
    struct arena *arena = evolving->arena;
    const str target = evolving->input->target;
    struct str_list *conversions = &evolving->out->conversions;
    str_list_push(arena, &evolving->out->dropped, before->name);
    alter(evolving, str_format(arena, "RENAME COLUMN " STR_FORMAT " TO " CONVERTED_COLUMN,
                               STR_ARGS(lake_quote_name(arena, before->name))));
    add_column(evolving, after);
    str_list_push(arena, conversions,
                  str_format(arena,
                             "UPDATE " STR_FORMAT " SET " STR_FORMAT " = CAST(" CONVERTED_COLUMN
                             " AS " STR_FORMAT ")",
                             STR_ARGS(target), STR_ARGS(lake_quote_name(arena, after->name)),
                             STR_ARGS(after->type)));
    str_list_push(arena, conversions,
                  str_format(arena, "ALTER TABLE " STR_FORMAT " DROP COLUMN " CONVERTED_COLUMN,
                             STR_ARGS(target)));
}

static void change_type(struct evolving *evolving, const struct lake_column *before,
                        const struct lake_column *after) {
    struct arena *arena = evolving->arena;
    note(evolving,
         str_format(arena, STR_FORMAT ": " STR_FORMAT " → " STR_FORMAT, STR_ARGS(after->name),
                    STR_ARGS(before->type), STR_ARGS(after->type)));
    if (evolution_keeps_values(before->type, after->type)) {
        alter(evolving,
              str_format(arena, "ALTER COLUMN " STR_FORMAT " SET DATA TYPE " STR_FORMAT,
                         STR_ARGS(lake_quote_name(arena, before->name)), STR_ARGS(after->type)));
        return;
    }
    if (str_equal_nocase(before->name, evolving->input->converted)) {
        convert_column(evolving, before, after);
        return;
    }
    // The old values go; the new ones come from the query, so all rows must be written.
    replace_column(evolving, before, after);
    evolving->out->is_destructive = true;
    evolving->out->forces_backfill = true;
}

// The kind's own columns, missing or of another type.
static void add_own_columns(struct evolving *evolving) {
    const struct evolution_input *input = evolving->input;
    size_t count = 0;
    const struct lake_column *own = columns_of_kind(input->kind, &count);
    for (size_t i = 0; i < count; i++) {
        const struct lake_column *now =
            columns_find(input->before, input->before_count, own[i].name);
        if (now == NULL) {
            add_column(evolving, &own[i]);
        } else if (!str_equal_nocase(now->type, own[i].type)) {
            replace_column(evolving, now, &own[i]);
        }
    }
}

// Adds before drops, so that the table is never without a column.
void evolution_plan(struct arena *arena, const struct evolution_input *input,
                    struct evolution *evolution) {
    *evolution = (struct evolution){0};
    struct evolving evolving = {arena, input, evolution, {0}};
    text_init(&evolving.summary, arena);
    for (size_t i = 0; i < input->after_count; i++) {
        const struct lake_column *after = &input->after[i];
        if (columns_find(input->before, input->before_count, after->name) == NULL) {
            note(&evolving, str_format(arena, "+ " STR_FORMAT " (" STR_FORMAT ")",
                                       STR_ARGS(after->name), STR_ARGS(after->type)));
            add_column(&evolving, after);
        }
    }
    add_own_columns(&evolving);
    for (size_t i = 0; i < input->before_count; i++) {
        const struct lake_column *before = &input->before[i];
        const struct lake_column *now =
            columns_find(input->after, input->after_count, before->name);
        if (now != NULL && !str_equal_nocase(now->type, before->type)) {
            change_type(&evolving, before, now);
        } else if (now == NULL && columns_is_of_kind(input->old_kind, before->name) &&
                   !columns_is_of_kind(input->kind, before->name)) {
            drop_column(&evolving, before);
        } else if (now == NULL && !columns_is_of_kind(input->kind, before->name)) {
            note(&evolving, str_format(arena, "- " STR_FORMAT, STR_ARGS(before->name)));
            drop_column(&evolving, before);
            evolution->is_destructive = true;
        }
    }
    evolution->summary = text_str(&evolving.summary);
}
