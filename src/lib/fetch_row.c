#include "lib/fetch_row.h"

#include "base/json.h"
#include "base/text.h"

#include <yyjson.h>
#include <string.h>

void fetch_column_set_init(struct fetch_column_set *set, struct arena *arena, bool is_open) {
    *set = (struct fetch_column_set){.arena = arena, .is_open = is_open};
    map_init_nocase(&set->by_name, arena);
}

static size_t column_find(const struct fetch_column_set *set, str name) {
    const void *found = map_get(&set->by_name, name);
    return found == NULL ? SIZE_MAX : (size_t)(uintptr_t)found - 1;
}

size_t fetch_column_set_add(struct fetch_column_set *set, str name) {
    size_t index = column_find(set, name);
    if (index == SIZE_MAX) {
        index = set->names.count;
        str_list_push(set->arena, &set->names, str_copy(set->arena, name));
        (void)map_set(&set->by_name, name, (void *)(uintptr_t)(index + 1));
    }
    return index;
}

void fetch_page_add(struct fetch_page *page, star_value list) {
    page->lists[page->list_count++] = list;
    page->row_count += (int64_t)star_length(list);
}

void fetch_row_reader_init(struct fetch_row_reader *reader, struct fetch_column_set *columns,
                           const bool *wanted) {
    *reader = (struct fetch_row_reader){.columns = columns, .wanted = wanted};
    arena_init(&reader->arena);
}

void fetch_row_reader_done(struct fetch_row_reader *reader) {
    arena_done(&reader->arena);
    free(reader->cells);
}

// One row, of either origin, as a sequence of keys and values.
struct row_cursor {
    struct star_thread *thread;
    struct yyjson_val *json; // an object; NULL: `value`
    star_value value;
    size_t left; // entries of `json`
    struct yyjson_val *next_key;
    size_t position; // in `value`
    str key;
    struct yyjson_val *json_item;
    star_value item;
};

static void cursor_begin(struct row_cursor *cursor) {
    cursor->position = 0;
    if (cursor->json != NULL) {
        cursor->left = yyjson_obj_size(cursor->json);
        cursor->next_key = cursor->left > 0 ? unsafe_yyjson_get_first(cursor->json) : NULL;
    }
}

static size_t cursor_count(const struct row_cursor *cursor) {
    return cursor->json != NULL ? yyjson_obj_size(cursor->json) : star_length(cursor->value);
}

static bool cursor_next_json(struct row_cursor *cursor) {
    if (cursor->left == 0) {
        return false;
    }
    cursor->left--;
    struct yyjson_val *key = cursor->next_key;
    cursor->key = (str){unsafe_yyjson_get_str(key), unsafe_yyjson_get_len(key)};
    cursor->json_item = key + 1;
    cursor->next_key = unsafe_yyjson_get_next(key + 1);
    return true;
}

// *more is false at the end.
static enum error_code cursor_next(struct row_cursor *cursor, bool *more, struct error *err) {
    if (cursor->json != NULL) {
        *more = cursor_next_json(cursor);
        return ERROR_NONE;
    }
    star_value key = STAR_UNSET;
    *more = star_dict_next(cursor->thread, cursor->value, &cursor->position, &key, &cursor->item);
    if (star_is_error(key)) {
        return error_set(err, ERROR_INVALID, "%s", star_thread_error(cursor->thread)->message);
    }
    const char *data = NULL;
    size_t size = 0;
    if (*more && (star_kind(key) != STAR_KIND_STRING || !star_get_text(key, &data, &size))) {
        return error_set(err, ERROR_INVALID, "a key is of type %s, not string",
                         star_type_name(key));
    }
    cursor->key = (str){data, size};
    return ERROR_NONE;
}

// SQL has no name of no bytes, and DuckDB's end at a zero byte.
static enum error_code check_name(str key, struct error *err) {
    if (key.size > 0 && str_find_char(key, '\0') == SIZE_MAX) {
        return ERROR_NONE;
    }
    SCRATCH(scratch);
    struct text text;
    struct json json;
    text_init(&text, &scratch);
    json_init(&json, &text);
    json_string(&json, key);
    return error_set(err, ERROR_INVALID, "the key " STR_FORMAT " cannot be a column's name",
                     STR_ARGS(text_str(&text)));
}

// *column is SIZE_MAX when nobody asks for the key.
static enum error_code layout_column(struct fetch_row_reader *reader, str key, size_t *column,
                                     struct error *err) {
    *column = column_find(reader->columns, key);
    if (*column == SIZE_MAX && reader->columns->is_open) {
        TRY(check_name(key, err));
        *column = fetch_column_set_add(reader->columns, key);
    }
    if (*column != SIZE_MAX && reader->wanted != NULL && !reader->wanted[*column]) {
        *column = SIZE_MAX;
    }
    return ERROR_NONE;
}

// Learns the keys of a row.  Of equal keys (JSON permits them) the last one counts; keys that
// differ only in case are an error, since SQL cannot tell them apart.
static enum error_code layout_learn(struct fetch_row_reader *reader, struct row_cursor *cursor,
                                    struct error *err) {
    arena_reset(&reader->arena);
    size_t count = cursor_count(cursor);
    reader->keys = ARENA_ARRAY(&reader->arena, struct fetch_layout_key, count);
    reader->key_count = 0;
    reader->exact = false;
    struct map seen;
    map_init_nocase(&seen, &reader->arena);
    cursor_begin(cursor);
    bool more = false;
    TRY(cursor_next(cursor, &more, err));
    while (more && reader->key_count < count) {
        struct fetch_layout_key *entry = &reader->keys[reader->key_count++];
        *entry = (struct fetch_layout_key){.key = str_copy(&reader->arena, cursor->key)};
        struct fetch_layout_key *before = map_set(&seen, entry->key, entry);
        if (before != NULL && !str_equal(before->key, entry->key)) {
            return error_set(err, ERROR_INVALID,
                             "the keys \"" STR_FORMAT "\" and \"" STR_FORMAT
                             "\" differ only in case",
                             STR_ARGS(before->key), STR_ARGS(entry->key));
        }
        if (before != NULL) {
            before->column = SIZE_MAX;
            reader->exact = true;
        }
        TRY(layout_column(reader, entry->key, &entry->column, err));
        TRY(cursor_next(cursor, &more, err));
    }
    return ERROR_NONE;
}

static void cells_clear(struct fetch_row_reader *reader) {
    size_t count = reader->columns->names.count;
    if (count > reader->cell_capacity) {
        reader->cell_capacity = count * 2;
        reader->cells =
            memory_realloc(reader->cells, reader->cell_capacity * sizeof(reader->cells[0]));
    }
    for (size_t i = 0; i < count; i++) {
        reader->cells[i].kind = CELL_NULL;
    }
}

// Reads the row by the layout; *matched is false when it has another one.
static enum error_code read_by_layout(struct fetch_row_reader *reader, struct row_cursor *cursor,
                                      struct arena *arena, bool *matched, struct error *err) {
    *matched = false;
    if (cursor_count(cursor) > reader->key_count ||
        (reader->exact && cursor_count(cursor) != reader->key_count)) {
        return ERROR_NONE;
    }
    cells_clear(reader);
    cursor_begin(cursor);
    bool more = false;
    for (size_t i = 0;; i++) {
        TRY(cursor_next(cursor, &more, err));
        if (!more) {
            break;
        }
        const struct fetch_layout_key *entry = &reader->keys[i];
        if (i >= reader->key_count || entry->key.size != cursor->key.size ||
            memcmp(entry->key.data, cursor->key.data, entry->key.size) != 0) {
            return ERROR_NONE;
        }
        if (entry->column == SIZE_MAX) {
            continue;
        }
        struct fetch_cell *cell = &reader->cells[entry->column];
        enum error_code code =
            cursor->json != NULL
                ? fetch_cell_from_json(arena, cursor->json_item, cell, err)
                : fetch_cell_from_value(cursor->thread, arena, cursor->item, cell, err);
        if (code != ERROR_NONE) {
            error_context(err, "key \"" STR_FORMAT "\"", STR_ARGS(cursor->key));
            return code;
        }
    }
    *matched = true;
    return ERROR_NONE;
}

// Moves to the next row of the page.  A list that is still JSON is walked without making values.
static bool page_next(struct fetch_page *page, struct row_cursor *cursor) {
    while (page->list < page->list_count && page->index >= star_length(page->lists[page->list])) {
        page->list++;
        page->index = 0;
    }
    if (page->list == page->list_count) {
        return false;
    }
    star_value list = page->lists[page->list];
    if (page->index == 0) {
        page->array = fetch_json_of(list);
    }
    *cursor = (struct row_cursor){.thread = page->thread, .value = STAR_NONE};
    if (page->array != NULL) {
        page->json = page->index == 0 ? unsafe_yyjson_get_first(page->array)
                                      : unsafe_yyjson_get_next(page->json);
        cursor->json = page->json;
    } else {
        cursor->value = star_item(page->thread, list, page->index);
        cursor->json = star_is_error(cursor->value) ? NULL : fetch_json_of(cursor->value);
    }
    page->index++;
    page->row++;
    return true;
}

// As star_type_name says it of the value that it would become.
static const char *json_type_name(struct yyjson_val *value) {
    static const char *const NAMES[] = {
        [YYJSON_TYPE_NULL] = "NoneType", [YYJSON_TYPE_BOOL] = "bool", [YYJSON_TYPE_STR] = "string",
        [YYJSON_TYPE_ARR] = "list",      [YYJSON_TYPE_OBJ] = "dict",
    };
    const yyjson_type type = yyjson_get_type(value);
    if (type < ARRAY_COUNT(NAMES) && NAMES[type] != NULL) {
        return NAMES[type];
    }
    SCRATCH(scratch); // a number, perhaps one that only its digits tell
    struct fetch_cell cell = {0};
    struct error ignored;
    const bool is_read = fetch_cell_from_json(&scratch, value, &cell, &ignored) == ERROR_NONE;
    return is_read && cell.kind == CELL_DOUBLE ? "float" : "int";
}

static enum error_code check_row(const struct fetch_page *page, const struct row_cursor *cursor,
                                 struct error *err) {
    bool is_dict = cursor->json != NULL ? yyjson_is_obj(cursor->json)
                                        : star_kind(cursor->value) == STAR_KIND_DICT ||
                                              star_kind(cursor->value) == STAR_KIND_STRUCT;
    if (!is_dict) {
        const char *type =
            cursor->json != NULL ? json_type_name(cursor->json) : star_type_name(cursor->value);
        return error_set(err, ERROR_INVALID, "row %lld of page %lld is not a dict but of type %s",
                         (long long)page->row, (long long)page->number, type);
    }
    if (cursor_count(cursor) == 0) {
        return error_set(err, ERROR_INVALID, "row %lld of page %lld has no columns",
                         (long long)page->row, (long long)page->number);
    }
    return ERROR_NONE;
}

enum error_code fetch_row_read(struct fetch_row_reader *reader, struct fetch_page *page,
                               struct arena *arena, bool *found, struct error *err) {
    struct row_cursor cursor;
    *found = page_next(page, &cursor);
    if (!*found) {
        return ERROR_NONE;
    }
    if (cursor.json == NULL && star_is_error(cursor.value)) {
        return error_set(err, ERROR_INVALID, "%s", star_thread_error(page->thread)->message);
    }
    TRY(check_row(page, &cursor, err));
    bool matched = false;
    enum error_code code = read_by_layout(reader, &cursor, arena, &matched, err);
    if (code == ERROR_NONE && !matched) {
        code = layout_learn(reader, &cursor, err);
        if (code == ERROR_NONE) {
            code = read_by_layout(reader, &cursor, arena, &matched, err);
        }
    }
    if (code != ERROR_NONE) {
        error_context(err, "row %lld of page %lld", (long long)page->row, (long long)page->number);
    }
    return code;
}
