// Sets: a table without values (table.h).

#include "starlark/hash.h"
#include "starlark/table.h"

struct star_set *star_set_new(struct star_thread *thread, size_t capacity) {
    struct star_set *set = star_heap_object(&thread->heap, STAR_OBJECT_SET, sizeof(*set));
    if (set == NULL) {
        return NULL;
    }
    set->iterating = 0;
    set->count = 0;
    set->table = NULL;
    return star_table_reserve(&thread->heap, &set->table, 0, capacity) ? set : NULL;
}

bool star_set_check_mutable(struct star_thread *thread, const struct star_set *set,
                            const char *verb) {
    return star_table_check_mutable(thread, set->header.flags, set->iterating, verb);
}

static int has_hashed(struct star_thread *thread, const struct star_set *set, star_value item,
                      uint32_t hash) {
    const int64_t entry = star_table_find(thread, set->table, item, hash);
    return entry >= 0 ? 1 : entry == -1 ? 0 : -1;
}

int star_set_has(struct star_thread *thread, const struct star_set *set, star_value item) {
    uint32_t hash;
    return star_hash(thread, item, &hash) ? has_hashed(thread, set, item, hash) : -1;
}

static bool put_hashed(struct star_thread *thread, struct star_set *set, star_value item,
                       uint32_t hash) {
    return star_table_put(thread, &set->table, &set->count, item, STAR_NONE, hash) >= 0;
}

bool star_set_put(struct star_thread *thread, struct star_set *set, star_value item) {
    uint32_t hash;
    return star_hash(thread, item, &hash) && put_hashed(thread, set, item, hash);
}

bool star_set_insert(struct star_thread *thread, struct star_set *set, star_value item) {
    return star_set_check_mutable(thread, set, "insert into") && star_set_put(thread, set, item);
}

bool star_set_remove(struct star_thread *thread, struct star_set *set, star_value item,
                     bool *found) {
    *found = false;
    uint32_t hash;
    if (!star_set_check_mutable(thread, set, "delete from") || !star_hash(thread, item, &hash)) {
        return false;
    }
    const int64_t entry = star_table_find(thread, set->table, item, hash);
    if (entry < 0) {
        return entry == -1;
    }
    star_table_delete(set->table, (uint32_t)entry);
    set->count--;
    *found = true;
    return true;
}

bool star_set_remove_first(struct star_thread *thread, struct star_set *set, star_value *item,
                           bool *found) {
    *found = false;
    if (!star_set_check_mutable(thread, set, "delete from")) {
        return false;
    }
    if (set->count > 0) {
        *item = set->table->entries[set->table->first].key;
        star_table_delete(set->table, set->table->first);
        set->count--;
        *found = true;
    }
    return true;
}

bool star_set_clear(struct star_thread *thread, struct star_set *set) {
    if (!star_set_check_mutable(thread, set, "clear")) {
        return false;
    }
    if (set->table != NULL) {
        star_buffer_free(&thread->heap, set->table,
                         star_table_bytes(set->table->capacity, set->table->index_mask));
    }
    set->table = NULL;
    set->count = 0;
    return true;
}

bool star_set_step(const struct star_set *set, uint32_t *position, star_value *item) {
    const struct star_entry *entry = star_table_step(set->table, position);
    if (entry == NULL) {
        return false;
    }
    *item = entry->key;
    return true;
}

struct star_set *star_set_copy(struct star_thread *thread, const struct star_set *set) {
    struct star_set *copy = star_set_new(thread, 0);
    if (copy == NULL || set->table == NULL) {
        return copy;
    }
    copy->table = star_table_copy(&thread->heap, set->table);
    copy->count = set->count;
    return copy->table == NULL ? NULL : copy;
}

bool star_set_add_all(struct star_thread *thread, struct star_set *set,
                      const struct star_set *more) {
    const struct star_entry *entry;
    uint32_t position = 0;
    while ((entry = star_table_step(more->table, &position)) != NULL) {
        if (!star_charge_item(thread) || !put_hashed(thread, set, entry->key, entry->hash)) {
            return false;
        }
    }
    return true;
}

struct star_set *star_set_select(struct star_thread *thread, const struct star_set *set,
                                 const struct star_set *other, bool wanted) {
    struct star_set *made = star_set_new(thread, 0);
    const struct star_entry *entry;
    uint32_t position = 0;
    while (made != NULL && (entry = star_table_step(set->table, &position)) != NULL) {
        const int has = has_hashed(thread, other, entry->key, entry->hash);
        if (has < 0 || !star_charge_item(thread)) {
            return NULL;
        }
        if ((has > 0) == wanted) {
            if (!star_table_add(&thread->heap, &made->table, made->count, entry->key, STAR_NONE,
                                entry->hash)) {
                return NULL;
            }
            made->count++;
        }
    }
    return made;
}

struct star_set *star_set_either(struct star_thread *thread, const struct star_set *a,
                                 const struct star_set *b) {
    struct star_set *made = star_set_select(thread, a, b, false);
    const struct star_set *rest = made == NULL ? NULL : star_set_select(thread, b, a, false);
    return rest != NULL && star_set_add_all(thread, made, rest) ? made : NULL;
}
