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

// Calls `row` for up to `limit` rows (0: all), which adds to `out`.
struct row_visitor {
    void (*row)(void *self, const struct lake_chunk *chunk, size_t row);
    void *self;
    struct text *out;
    const struct table_output *output; // NULL: everything stays in `out`
};

static enum error_code make_room(const struct row_visitor *visitor, struct error *err) {
    if (visitor->output == NULL || visitor->out->size < TABLE_OUTPUT_MAX) {
        return ERROR_NONE;
    }
    TRY(visitor->output->write(visitor->output->self, text_str(visitor->out), err));
    text_clear(visitor->out);
    return ERROR_NONE;
}

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
            TRY(make_room(visitor, err));
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
                                 const struct table_output *output, struct error *err) {
    for (size_t i = 0; i < lake_result_column_count(result); i++) {
        if (i > 0) {
            text_add_char(out, ',');
        }
        csv_field(out, lake_result_name(result, i), false);
    }
    text_add_char(out, '\n');
    return visit(result, limit, &(struct row_visitor){csv_row, out, out, output}, err);
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
                                       const struct table_output *output, struct error *err) {
    json_array(json);
    struct json_rows rows = {json, result};
    TRY(visit(result, limit, &(struct row_visitor){json_row, &rows, json->out, output}, err));
    json_end(json);
    return ERROR_NONE;
}

// ── markdown ──

struct markdown {
    struct arena *arena; // of the cells that wait
    struct lake_result *result;
    struct text *out;
    size_t column_count;
    struct str_list cells; // that wait for the widths: header first, row by row
    size_t *widths;        // code points
    bool is_open;          // the widths are decided, rows go out as they come
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

static void markdown_keep(struct markdown *table, size_t column, str value) {
    const str escaped = markdown_escape(table->arena, value);
    const size_t width = str_code_points(escaped);
    if (width > table->widths[column]) {
        table->widths[column] = width;
    }
    str_list_push(table->arena, &table->cells, escaped);
}

static void markdown_cell(const struct markdown *table, size_t column, str cell) {
    const size_t size = str_code_points(cell);
    const size_t padding = table->widths[column] > size ? table->widths[column] - size : 0;
    const bool is_right = lake_kind_is_number(lake_result_type(table->result, column)->kind);
    text_add(table->out, column == 0 ? STR("| ") : STR(" "));
    text_add_repeat(table->out, ' ', is_right ? padding : 0);
    text_add(table->out, cell);
    text_add_repeat(table->out, ' ', is_right ? 0 : padding);
    text_add(table->out, column + 1 < table->column_count ? STR(" |") : STR(" |\n"));
}

static void markdown_rule(const struct markdown *table) {
    for (size_t i = 0; i < table->column_count; i++) {
        const bool is_right = lake_kind_is_number(lake_result_type(table->result, i)->kind);
        text_add(table->out, i == 0 ? STR("| ") : STR(" "));
        text_add_repeat(table->out, '-', table->widths[i] - (is_right ? 1 : 0));
        text_add(table->out, is_right ? STR(": |") : STR(" |"));
    }
    text_add_char(table->out, '\n');
}

// Decides the widths by the rows so far and lets them go.
static void markdown_open(struct markdown *table) {
    for (size_t i = 0; i < table->cells.count; i++) {
        markdown_cell(table, i % table->column_count, table->cells.items[i]);
        if (i + 1 == table->column_count) {
            markdown_rule(table);
        }
    }
    table->is_open = true;
    table->cells = (struct str_list){0};
    arena_reset(table->arena);
}

static str markdown_text(struct arena *arena, const struct lake_vector *column, size_t row) {
    return lake_is_null(column, row) ? STR("NULL") : lake_cell_text(arena, column, row);
}

static void markdown_row(void *self, const struct lake_chunk *chunk, size_t row) {
    struct markdown *table = self;
    if (!table->is_open) {
        for (size_t i = 0; i < chunk->column_count; i++) {
            markdown_keep(table, i, markdown_text(table->arena, &chunk->columns[i], row));
        }
        if (table->cells.count > (size_t)TABLE_ROWS_ALIGNED * table->column_count) {
            markdown_open(table);
        }
        return;
    }
    SCRATCH(scratch);
    for (size_t i = 0; i < chunk->column_count; i++) {
        const str value = markdown_text(&scratch, &chunk->columns[i], row);
        markdown_cell(table, i, markdown_escape(&scratch, value));
    }
}

static enum error_code markdown_write(struct text *out, struct lake_result *result, int64_t limit,
                                      const struct table_output *output, struct error *err) {
    enum { WIDTH_MIN = 3 }; // a rule of dashes needs three
    SCRATCH(scratch);
    SCRATCH(waiting);
    struct markdown table = {.arena = &waiting,
                             .result = result,
                             .out = out,
                             .column_count = lake_result_column_count(result)};
    table.widths = ARENA_ARRAY(&scratch, size_t, table.column_count);
    for (size_t i = 0; i < table.column_count; i++) {
        table.widths[i] = WIDTH_MIN;
        markdown_keep(&table, i, lake_result_name(result, i));
    }
    TRY(visit(result, limit, &(struct row_visitor){markdown_row, &table, out, output}, err));
    if (!table.is_open) {
        markdown_open(&table);
    }
    return ERROR_NONE;
}

enum error_code table_format_write(struct text *out, struct lake_result *result,
                                   enum table_format format, int64_t limit,
                                   const struct table_output *output, struct error *err) {
    switch (format) {
    case TABLE_CSV:
        return csv_write(out, result, limit, output, err);
    case TABLE_MARKDOWN:
        return markdown_write(out, result, limit, output, err);
    case TABLE_JSON: {
        struct json json;
        json_init(&json, out);
        TRY(table_format_json_rows(&json, result, limit, output, err));
        text_add_char(out, '\n');
        return ERROR_NONE;
    }
    }
    return ERROR_NONE;
}
