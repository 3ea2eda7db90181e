#include "base/list.h"

#include "base/text.h"

#include <stdlib.h>

bool list_reserve(struct arena *arena, void **items, size_t count, size_t *capacity,
                  size_t item_size) {
    if (count < *capacity) {
        return true;
    }
    const size_t grown = *capacity < 8 ? 8 : *capacity * 2;
    void *moved = arena_try_grow(arena, *items, *capacity * item_size, grown * item_size);
    if (moved == NULL) {
        return false;
    }
    *items = moved;
    *capacity = grown;
    return true;
}

void str_list_push(struct arena *arena, struct str_list *list, str item) {
    LIST_PUSH(arena, list, item);
}

bool str_list_has(const struct str_list *list, str item) {
    for (size_t i = 0; i < list->count; i++) {
        if (str_equal(list->items[i], item)) {
            return true;
        }
    }
    return false;
}

bool str_list_has_nocase(const struct str_list *list, str item) {
    for (size_t i = 0; i < list->count; i++) {
        if (str_equal_nocase(list->items[i], item)) {
            return true;
        }
    }
    return false;
}

static int compare_items(const void *a, const void *b) {
    return str_compare(*(const str *)a, *(const str *)b);
}

void str_list_sort(struct str_list *list) {
    if (list->count > 1) {
        qsort(list->items, list->count, sizeof(list->items[0]), compare_items);
    }
}

str str_list_join(struct arena *arena, const struct str_list *list, str separator) {
    struct text text;
    text_init(&text, arena);
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0) {
            text_add(&text, separator);
        }
        text_add(&text, list->items[i]);
    }
    return text_str(&text);
}
