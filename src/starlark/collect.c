// The copying collector (Cheney's): live objects move to a fresh chunk, the old chunks go away.
//
// To-space is one chunk as large as everything in use, taken before anything moves: when it cannot
// be had, nothing is collected.  A copied object takes the small buffers it owns along, directly
// behind it, so its header's size steps over both and to-space can be scanned in a line.  Large
// buffers stay where they are and are marked with this collection's epoch.

#include "starlark/code.h"
#include "starlark/module.h"
#include "starlark/table.h"
#include "starlark/thread.h"

enum { QUICK_GROWTH_BYTES = 32 * 1024 * 1024 };

struct collector {
    struct star_thread *thread;
    struct star_heap *heap;
    char *to; // next free byte of to-space
};

// What follows the header of an object that moved.
struct forwarded {
    struct star_object header;
    struct star_object *target;
};

static void *take(struct collector *collector, size_t size) {
    void *memory = collector->to;
    collector->to += (size + 7) & ~(size_t)7;
    return memory;
}

// Moves a buffer along with its owner; a large one is only marked.
static void *copy_buffer(struct collector *collector, void *buffer, size_t size) {
    if (buffer == NULL || size == 0) {
        return buffer;
    }
    if (size >= STAR_EXTERNAL_MIN) {
        ((struct star_buffer *)buffer - 1)->epoch = collector->heap->epoch;
        return buffer;
    }
    void *fresh = take(collector, size);
    memcpy(fresh, buffer, size);
    return fresh;
}

static void copy_string(struct collector *collector, struct star_string *string,
                        const struct star_string *old) {
    if (string->header.flags & (STAR_FLAG_BORROWED | STAR_FLAG_LENT)) {
        return; // a prefix finds its owner's bytes when it is scanned
    }
    if (old->data != old->content) {
        copy_buffer(collector, (void *)(uintptr_t)old->data, string->size);
    } else {
        string->data = string->content;
    }
}

static void copy_dict(struct collector *collector, struct star_dict *dict) {
    if (dict->shape == NULL) {
        if (dict->table != NULL) {
            const size_t bytes = star_table_bytes(dict->table->capacity, dict->table->index_mask);
            dict->table = copy_buffer(collector, dict->table, bytes);
            star_table_relocate(dict->table);
        }
        return;
    }
    dict->slots = copy_buffer(collector, dict->slots, dict->header.extra * sizeof(star_value));
    dict->lazy = copy_buffer(collector, dict->lazy, sizeof(*dict->lazy));
}

// Object and buffers, to the end of to-space.
static struct star_object *copy_object(struct collector *collector, struct star_object *old) {
    const size_t size = (size_t)old->words * 8;
    struct star_object *fresh = take(collector, size);
    memcpy(fresh, old, size);
    switch ((enum star_object_type)fresh->type) {
    case STAR_OBJECT_STRING:
    case STAR_OBJECT_BYTES:
        copy_string(collector, (struct star_string *)(void *)fresh,
                    (const struct star_string *)(const void *)old);
        break;
    case STAR_OBJECT_LIST: {
        struct star_list *list = (struct star_list *)(void *)fresh;
        list->items = copy_buffer(collector, list->items, list->capacity * sizeof(star_value));
        list->lazy = copy_buffer(collector, list->lazy, sizeof(*list->lazy));
        break;
    }
    case STAR_OBJECT_DICT:
        copy_dict(collector, (struct star_dict *)(void *)fresh);
        break;
    case STAR_OBJECT_SET: {
        struct star_set *set = (struct star_set *)(void *)fresh;
        if (set->table != NULL) {
            set->table =
                copy_buffer(collector, set->table,
                            star_table_bytes(set->table->capacity, set->table->index_mask));
            star_table_relocate(set->table);
        }
        break;
    }
    case STAR_OBJECT_BIGINT:
    case STAR_OBJECT_TUPLE:
    case STAR_OBJECT_RANGE:
    case STAR_OBJECT_FUNCTION:
    case STAR_OBJECT_BUILTIN:
    case STAR_OBJECT_STRUCT:
    case STAR_OBJECT_HOST:
    case STAR_OBJECT_CELL:
    case STAR_OBJECT_FORWARDED:
        break;
    }
    fresh->words = (uint32_t)((size_t)(collector->to - (char *)fresh) / 8);
    return fresh;
}

static star_value forward(struct collector *collector, star_value value) {
    if (!star_is_object(value)) {
        return value;
    }
    struct star_object *object = star_object(value);
    if (object->flags & STAR_FLAG_PINNED) {
        return value;
    }
    struct forwarded *moved = (struct forwarded *)(void *)object;
    if (object->type != STAR_OBJECT_FORWARDED) {
        struct star_object *fresh = copy_object(collector, object);
        object->type = STAR_OBJECT_FORWARDED;
        moved->target = fresh;
    }
    return star_from_object(moved->target);
}

static void forward_all(struct collector *collector, star_value *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        values[i] = forward(collector, values[i]);
    }
}

static void forward_lazy(struct collector *collector, struct star_lazy *lazy) {
    if (lazy != NULL) {
        lazy->owner = forward(collector, lazy->owner);
    }
}

static void scan_table(struct collector *collector, struct star_table *table) {
    for (uint32_t i = 0; table != NULL && i < table->used; i++) {
        table->entries[i].key = forward(collector, table->entries[i].key);
        table->entries[i].value = forward(collector, table->entries[i].value);
    }
}

static void scan(struct collector *collector, struct star_object *object) {
    switch ((enum star_object_type)object->type) {
    case STAR_OBJECT_LIST: {
        struct star_list *list = (struct star_list *)(void *)object;
        forward_all(collector, list->items, list->count);
        forward_lazy(collector, list->lazy);
        return;
    }
    case STAR_OBJECT_TUPLE: {
        struct star_tuple *tuple = (struct star_tuple *)(void *)object;
        forward_all(collector, tuple->items, tuple->count);
        return;
    }
    case STAR_OBJECT_DICT: {
        struct star_dict *dict = (struct star_dict *)(void *)object;
        if (dict->shape == NULL) {
            scan_table(collector, dict->table);
        } else {
            forward_all(collector, dict->slots, dict->count);
            forward_lazy(collector, dict->lazy);
        }
        return;
    }
    case STAR_OBJECT_SET:
        scan_table(collector, ((struct star_set *)(void *)object)->table);
        return;
    case STAR_OBJECT_FUNCTION: {
        struct star_function_object *function = (struct star_function_object *)(void *)object;
        forward_all(collector, function->values,
                    (size_t)function->default_count + function->capture_count);
        return;
    }
    case STAR_OBJECT_BUILTIN:
        forward_all(collector, &((struct star_builtin_object *)(void *)object)->receiver, 1);
        return;
    case STAR_OBJECT_STRUCT: {
        struct star_struct_object *fields = (struct star_struct_object *)(void *)object;
        forward_all(collector, &fields->constructor, 1);
        forward_all(collector, fields->items, 2UL * fields->count);
        return;
    }
    case STAR_OBJECT_HOST: {
        struct star_host_object *host = (struct star_host_object *)(void *)object;
        forward_all(collector, host->slots, host->header.extra);
        return;
    }
    case STAR_OBJECT_CELL:
        forward_all(collector, &((struct star_cell *)(void *)object)->value, 1);
        return;
    case STAR_OBJECT_STRING:
    case STAR_OBJECT_BYTES: {
        struct star_string *string = (struct star_string *)(void *)object;
        if (string->header.flags & STAR_FLAG_LENT) {
            star_value owner;
            memcpy(&owner, string->content, sizeof(owner));
            owner = forward(collector, owner);
            memcpy(string->content, &owner, sizeof(owner));
            string->data = star_as_string(owner)->content;
        }
        return;
    }
    case STAR_OBJECT_BIGINT:
    case STAR_OBJECT_RANGE:
    case STAR_OBJECT_FORWARDED:
        return;
    }
}

static void forward_roots(struct collector *collector) {
    struct star_thread *thread = collector->thread;
    forward_all(collector, thread->stack, (size_t)(thread->stack_top - thread->stack));
    // What lies above may hold words of the space that goes away.
    while (thread->stack_used > thread->stack_top) {
        *--thread->stack_used = STAR_NONE;
    }
    for (uint32_t i = 0; i < thread->frame_count; i++) {
        const star_value function = star_from_object(thread->frames[i].function);
        thread->frames[i].function = STAR_AS(star_function_object, forward(collector, function));
    }
    forward_all(collector, thread->guards, thread->guard_count);
    for (struct star_handle *handle = thread->handles; handle != NULL; handle = handle->next) {
        handle->value = forward(collector, handle->value);
    }
    for (struct star_module *module = thread->running; module != NULL;
         module = module->outer_running) {
        forward_all(collector, module->globals, star_module_global_count(module));
        forward_all(collector, module->predeclared, module->program->predeclared_count);
    }
}

// Host objects that nobody reached say good-bye.
static void finalize(struct star_heap *heap) {
    size_t kept = 0;
    for (size_t i = 0; i < heap->finalizable_count; i++) {
        struct star_object *object = star_object(heap->finalizable[i]);
        if (object->type == STAR_OBJECT_FORWARDED) {
            heap->finalizable[kept++] =
                star_from_object(((struct forwarded *)(void *)object)->target);
        } else if (object->flags & STAR_FLAG_PINNED) {
            heap->finalizable[kept++] = heap->finalizable[i];
        } else {
            struct star_host_object *host = (struct star_host_object *)(void *)object;
            heap->used_bytes -= host->type->charged != NULL ? host->type->charged(host->data) : 0;
            host->type->free(host->data);
        }
    }
    heap->finalizable_count = kept;
}

static void sweep_buffers(struct star_heap *heap) {
    for (struct star_buffer *buffer = heap->buffers; buffer != NULL;) {
        struct star_buffer *next = buffer->next;
        if (buffer->epoch != heap->epoch) {
            star_buffer_free(heap, buffer + 1, buffer->size);
        }
        buffer = next;
    }
}

// The first collections come early, as most programs keep little and then run in the same few
// megabytes, which stay in the processor's cache.  Who keeps much is left alone sooner, and who
// kept nearly all of it (rows being built) much sooner: the next collection would copy the same
// again, to fresh pages, which cost more than the copying.
static void next_threshold(struct star_heap *heap, size_t used_before) {
    const bool is_growing = heap->used_bytes > used_before / 4 * 3;
    const size_t factor = heap->used_bytes >= QUICK_GROWTH_BYTES ? 2 : is_growing ? 12 : 4;
    size_t at = heap->used_bytes * factor;
    at = at < heap->collect_minimum ? heap->collect_minimum : at;
    // Near the limit: more often, but not at every step.
    if (at > heap->limit_bytes) {
        at = heap->used_bytes + (heap->limit_bytes - heap->used_bytes) / 2;
    }
    heap->collect_at = at;
}

void star_collect(struct star_thread *thread) {
    struct star_heap *heap = &thread->heap;
    const size_t used_before = heap->used_bytes;
    // A shadow dict copies the slots of its lender once more: leave room for every copy twice.
    size_t region = 0;
    for (struct star_chunk *chunk = heap->chunks; chunk != NULL; chunk = chunk->next) {
        region += chunk->charged;
    }
    const size_t block = sizeof(struct star_chunk) + 2 * region;
    struct star_chunk *to = heap->allocate(heap->allocate_user, NULL, 0, block);
    if (to == NULL) {
        heap->collect_at = SIZE_MAX; // there is no room to collect in
        return;
    }
    heap->epoch++;
    to->next = NULL;
    to->size = block;
    struct collector collector = {thread, heap, (char *)(to + 1)};
    forward_roots(&collector);
    for (char *at = (char *)(to + 1); at < collector.to;) {
        struct star_object *object = (struct star_object *)(void *)at;
        scan(&collector, object);
        at += (size_t)object->words * 8;
    }
    finalize(heap);
    sweep_buffers(heap);
    while (heap->chunks != NULL) {
        struct star_chunk *next = heap->chunks->next;
        heap->used_bytes -= heap->chunks->charged;
        star_heap_recycle(heap, heap->chunks);
        heap->chunks = next;
    }
    // Only what is used, and some room, is kept of to-space: the rest was never touched.
    heap->chunks = to;
    heap->top = collector.to;
    heap->end = (char *)to + block;
    const size_t live = (size_t)(collector.to - (char *)to);
    if (live + STAR_CHUNK_BYTES < block) {
        heap->end = heap->top + (size_t)STAR_CHUNK_BYTES / 8 * 8;
    }
    to->charged = block < live + STAR_CHUNK_BYTES ? block : live + STAR_CHUNK_BYTES;
    heap->used_bytes += to->charged;
    next_threshold(heap, used_before);
}
