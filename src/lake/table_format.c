#include "lake/table_format.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/list.h"
#include "base/text.h"
#include "lake/result.h"

bool table_format_parse(str name, enum table_format *format) {
    if (str_equal(name, STR("csv"))) {
        *format = TABLE_CSV;
    } else if (str_equal(name, STR("json"))) {
        *format = TABLE_JSON;
    } else if (str_equal(name, STR("markdown")) || str_equal(name, STR("md"))) {
        *format = TABLE_MARKDOWN;
    } else {
        return false;
    }
    return true;
}

// Calls `row` for up to `limit` rows (0: all).
struct row_visitor {
    void (*row)(void *self, const struct lake_chunk *chunk, size_t row);
    void *self;
};

static enum error_code visit(struct lake_result *result, int64_t limit,
                             const struct row_visitor *visitor, struct error *err) {
    int64_t count = 0;
    while (true) {
        struct lake_chunk chunk;
        TRY(lake_result_chunk(result, &chunk, err));
        if (chunk.row_count == 0) {
            return ERROR_NONE;
        }
        for (size_t row = 0; row < chunk.row_count; row++) {
            if (limit > 0 && count == limit) {
                return ERROR_NONE;
            }
            visitor->row(visitor->self, &chunk, row);
            count++;
        }
    }
}

// ── csv ──

// RFC 4180: quotes where a comma, a quote or a line end is inside.  An empty text is quoted too, as
// nothing at all is NULL.
static void csv_field(struct text *out, str value, bool is_null) {
    bool needs_quotes = !is_null && value.size == 0;
    for (size_t i = 0; i < value.size && !needs_quotes; i++) {
        const char c = value.data[i];
        needs_quotes = c == ',' || c == '"' || c == '\n' || c == '\r';
    }
    if (!needs_quotes) {
        text_add(out, value);
        return;
    }
    text_add_char(out, '"');
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] == '"') {
            text_add_char(out, '"');
        }
        text_add_char(out, value.data[i]);
    }
    text_add_char(out, '"');
}

static void csv_row(void *self, const struct lake_chunk *chunk, size_t row) {
    struct text *out = self;
    SCRATCH(scratch);
    for (size_t i = 0; i < chunk->column_count; i++) {
        if (i > 0) {
            text_add_char(out, ',');
        }
        const struct lake_vector *column = &chunk->columns[i];
        csv_field(out, lake_cell_text(&scratch, column, row), lake_is_null(column, row));
    }
    text_add_char(out, '\n');
}

static enum error_code csv_write(struct text *out, struct lake_result *result, int64_t limit,
                                 struct error *err) {
    for (size_t i = 0; i < lake_result_column_count(result); i++) {
        if (i > 0) {
            text_add_char(out, ',');
        }
        csv_field(out, lake_result_name(result, i), false);
    }
    text_add_char(out, '\n');
    return visit(result, limit, &(struct row_visitor){csv_row, out}, err);
}

// ── json ──

struct json_rows {
    struct json *json;
    struct lake_result *result;
};

static void json_row(void *self, const struct lake_chunk *chunk, size_t row) {
    static const struct lake_json_style style = {.json_as_value = true};
    struct json_rows *rows = self;
    json_object(rows->json);
    for (size_t i = 0; i < chunk->column_count; i++) {
        json_key(rows->json, lake_result_name(rows->result, i));
        lake_cell_json(rows->json, &chunk->columns[i], row, &style);
    }
    json_end(rows->json);
}

enum error_code table_format_json_rows(struct json *json, struct lake_result *result, int64_t limit,
                                       struct error *err) {
    json_array(json);
    struct json_rows rows = {json, result};
    TRY(visit(result, limit, &(struct row_visitor){json_row, &rows}, err));
    json_end(json);
    return ERROR_NONE;
}

// ── markdown ──

struct markdown {
    struct arena *arena;
    size_t column_count;
    struct str_list cells; // header first, row by row
    size_t *widths;        // code points
};

static str markdown_escape(struct arena *arena, str value) {
    struct text out;
    text_init(&out, arena);
    for (size_t i = 0; i < value.size; i++) {
        const char c = value.data[i];
        if (c == '|') {
            text_add(&out, STR("\\|"));
        } else if (c == '\n') {
            text_add(&out, STR("<br>"));
        } else if (c != '\r') {
            text_add_char(&out, c);
        }
    }
    return text_str(&out);
}

static void markdown_cell(struct markdown *table, size_t column, str value) {
    const str escaped = markdown_escape(table->arena, value);
    const size_t width = str_code_points(escaped);
    if (width > table->widths[column]) {
        table->widths[column] = width;
    }
    str_list_push(table->arena, &table->cells, escaped);
}

static void markdown_row(void *self, const struct lake_chunk *chunk, size_t row) {
    struct markdown *table = self;
    for (size_t i = 0; i < chunk->column_count; i++) {
        const struct lake_vector *column = &chunk->columns[i];
        markdown_cell(table, i,
                      lake_is_null(column, row) ? STR("NULL")
                                                : lake_cell_text(table->arena, column, row));
    }
}

static bool is_right_aligned(const struct lake_type *type) {
    return lake_kind_is_number(type->kind);
}

static void markdown_line(struct text *out, const struct markdown *table,
                          struct lake_result *result, size_t first) {
    for (size_t i = 0; i < table->column_count; i++) {
        const str cell = table->cells.items[first + i];
        const size_t padding = table->widths[i] - str_code_points(cell);
        const bool is_right = is_right_aligned(lake_result_type(result, i));
        text_add(out, i == 0 ? STR("| ") : STR(" "));
        text_add_repeat(out, ' ', is_right ? padding : 0);
        text_add(out, cell);
        text_add_repeat(out, ' ', is_right ? 0 : padding);
        text_add(out, STR(" |"));
    }
    text_add_char(out, '\n');
}

static void markdown_rule(struct text *out, const struct markdown *table,
                          struct lake_result *result) {
    for (size_t i = 0; i < table->column_count; i++) {
        const bool is_right = is_right_aligned(lake_result_type(result, i));
        text_add(out, i == 0 ? STR("| ") : STR(" "));
        text_add_repeat(out, '-', table->widths[i] - (is_right ? 1 : 0));
        text_add(out, is_right ? STR(": |") : STR(" |"));
    }
    text_add_char(out, '\n');
}

static enum error_code markdown_write(struct text *out, struct lake_result *result, int64_t limit,
                                      struct error *err) {
    enum { WIDTH_MIN = 3 }; // a rule of dashes needs three
    SCRATCH(scratch);
    struct markdown table = {.arena = &scratch, .column_count = lake_result_column_count(result)};
    table.widths = ARENA_ARRAY(&scratch, size_t, table.column_count);
    for (size_t i = 0; i < table.column_count; i++) {
        table.widths[i] = WIDTH_MIN;
        markdown_cell(&table, i, lake_result_name(result, i));
    }
    TRY(visit(result, limit, &(struct row_visitor){markdown_row, &table}, err));
    markdown_line(out, &table, result, 0);
    markdown_rule(out, &table, result);
    for (size_t first = table.column_count; first < table.cells.count;
         first += table.column_count) {
        markdown_line(out, &table, result, first);
    }
    return ERROR_NONE;
}

enum error_code table_format_write(struct text *out, struct lake_result *result,
                                   enum table_format format, int64_t limit, struct error *err) {
    switch (format) {
    case TABLE_CSV:
        return csv_write(out, result, limit, err);
    case TABLE_MARKDOWN:
        return markdown_write(out, result, limit, err);
    case TABLE_JSON: {
        struct json json;
        json_init(&json, out);
        TRY(table_format_json_rows(&json, result, limit, err));
        text_add_char(out, '\n');
        return ERROR_NONE;
    }
    }
    return ERROR_NONE;
}
