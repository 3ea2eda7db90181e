// Rows: reading the same columns of many dicts, and dicts that view columns.

#include "starlark/sequence.h"
#include "starlark/shape.h"
#include "starlark/thread.h"

struct star_row_reader {
    struct star_thread *thread;
    const struct star_shape *shape; // of the row before
    star_value *names;
    int32_t *slots; // per name in `shape`; -1: absent
    size_t count;
    size_t found; // names that `shape` has
};

void star_row_reader_free(struct star_row_reader *reader) {
    if (reader != NULL) {
        struct star_thread *thread = reader->thread;
        star_thread_memory_grow(thread, reader, 0, 0);
    }
}

struct star_row_reader *star_row_reader_new(struct star_thread *thread, const char *const *names,
                                            const size_t *name_sizes, size_t count) {
    const size_t bytes =
        sizeof(struct star_row_reader) + count * (sizeof(star_value) + sizeof(int32_t));
    struct star_row_reader *reader = star_thread_memory_grow(thread, NULL, 0, bytes);
    if (reader == NULL) {
        star_fail_memory(thread, false);
        return NULL;
    }
    *reader = (struct star_row_reader){.thread = thread, .count = count};
    reader->names = (star_value *)(reader + 1);
    reader->slots = (int32_t *)(reader->names + count);
    for (size_t i = 0; i < count; i++) {
        // Pinned: valid beyond collections and resets.
        reader->names[i] =
            star_heap_text(&thread->pinned, STAR_OBJECT_STRING, (str){names[i], name_sizes[i]});
        if (star_is_error(reader->names[i])) {
            star_row_reader_free(reader);
            star_fail_memory(thread, false);
            return NULL;
        }
        star_string_hash(thread, star_as_string(reader->names[i]));
    }
    return reader;
}

static void bind_shape(struct star_row_reader *reader, const struct star_shape *shape) {
    reader->shape = shape;
    reader->found = 0;
    for (size_t i = 0; i < reader->count; i++) {
        reader->slots[i] =
            star_shape_find(shape, reader->names[i], star_as_string(reader->names[i])->hash);
        reader->found += reader->slots[i] >= 0;
    }
}

bool star_row_read(struct star_row_reader *reader, star_value row, star_value *values) {
    if (!star_is_type(row, STAR_OBJECT_DICT)) {
        return false;
    }
    struct star_dict *dict = star_as_dict(row);
    if (dict->shape == NULL) {
        for (size_t i = 0; i < reader->count; i++) {
            values[i] = star_dict_find(reader->thread, dict, reader->names[i]);
        }
        return true;
    }
    if (dict->shape != reader->shape) {
        bind_shape(reader, dict->shape);
    }
    for (size_t i = 0; i < reader->count; i++) {
        const int32_t slot = reader->slots[i];
        values[i] = slot < 0 ? STAR_UNSET : dict->slots[slot];
        if (slot >= 0 && star_is_unset(values[i])) {
            values[i] = star_dict_find(reader->thread, dict, reader->names[i]);
        }
    }
    return true;
}

size_t star_row_extra_keys(struct star_row_reader *reader, star_value row) {
    if (!star_is_type(row, STAR_OBJECT_DICT)) {
        return 0;
    }
    struct star_dict *dict = star_as_dict(row);
    if (dict->shape != NULL) {
        if (dict->shape != reader->shape) {
            bind_shape(reader, dict->shape);
        }
        return dict->count - reader->found;
    }
    size_t found = 0;
    for (size_t i = 0; i < reader->count; i++) {
        found += !star_is_unset(star_dict_find(reader->thread, dict, reader->names[i]));
    }
    return dict->count - found;
}

// ---- dicts over columns -------------------------------------------------------------------------

static bool fill_cell(struct star_thread *thread, const struct star_lazy *lazy, star_value *items,
                      uint32_t count, uint32_t position) {
    (void)count;
    const struct star_columns *columns = lazy->item;
    items[position] = columns->get(thread, columns->user, lazy->index, position);
    return !star_is_error(items[position]);
}

static const struct star_lazy_source column_source = {"columns", fill_cell, false};

// Without shapes (too many of them): rows are made at once.
static star_value plain_row(struct star_thread *thread, const struct star_columns *columns,
                            const star_value *names, size_t row) {
    struct star_dict *dict = star_dict_new(thread, columns->column_count);
    for (size_t i = 0; dict != NULL && i < columns->column_count; i++) {
        const star_value cell = columns->get(thread, columns->user, row, i);
        if (star_is_error(cell) || !star_dict_insert(thread, dict, names[i], cell)) {
            return STAR_ERROR;
        }
    }
    return dict == NULL ? STAR_ERROR : star_from_object(dict);
}

star_value star_rows_new(struct star_thread *thread, const struct star_columns *columns) {
    struct star_list *rows = star_list_new(thread, columns->row_count);
    struct star_tuple *names = star_tuple_new(thread, columns->column_count);
    struct star_columns *kept = star_buffer_alloc(&thread->pinned, sizeof(*kept));
    if (rows == NULL || names == NULL || kept == NULL) {
        if (kept == NULL) {
            star_fail_memory(thread, false);
        }
        return STAR_ERROR;
    }
    *kept = *columns;
    for (size_t i = 0; i < columns->column_count; i++) {
        names->items[i] = star_string_intern(thread, columns->names[i], columns->name_sizes[i]);
        if (star_is_error(names->items[i])) {
            return STAR_ERROR;
        }
    }
    const struct star_shape *shape = star_shape_of(thread, names->items, columns->column_count);
    for (size_t i = 0; i < columns->row_count; i++) {
        const struct star_lazy lazy = {&column_source, kept, i, STAR_NONE};
        rows->items[i] = shape != NULL ? star_dict_lazy(thread, shape, &lazy)
                                       : plain_row(thread, columns, names->items, i);
        if (star_is_error(rows->items[i])) {
            return STAR_ERROR;
        }
        rows->count = (uint32_t)i + 1;
    }
    return star_from_object(rows);
}
