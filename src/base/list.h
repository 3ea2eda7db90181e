#ifndef BASE_LIST_H
#define BASE_LIST_H

// A growing array in an arena:
//
//     struct names { str *items; size_t count; size_t capacity; };
//     LIST_PUSH(arena, &names, STR("a"));
//
// The items move when the array grows: keep indexes, not pointers.
// In an arena whose supply is exhausted (arena.h) an item that finds no room is dropped.

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

#define LIST_PUSH(arena, list, value)                                                              \
    do {                                                                                           \
        if (list_reserve((arena), (void **)&(list)->items, (list)->count, &(list)->capacity,       \
                         sizeof((list)->items[0]))) {                                              \
            (list)->items[(list)->count++] = (value);                                              \
        }                                                                                          \
    } while (0)

// Room for one more item behind `count`; doubles the capacity.  false only when the arena's supply
// is exhausted.
bool list_reserve(struct arena *arena, void **items, size_t count, size_t *capacity,
                  size_t item_size);

// The most used list.
struct str_list {
    str *items;
    size_t count;
    size_t capacity;
};
void str_list_push(struct arena *arena, struct str_list *list, str item);
bool str_list_has(const struct str_list *list, str item);
bool str_list_has_nocase(const struct str_list *list, str item);
void str_list_sort(struct str_list *list);
// "a, b, c"
str str_list_join(struct arena *arena, const struct str_list *list, str separator);

#endif
