#include "lib/push_batch.h"

#include "base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { TAGS_CAPACITY_MIN = 64 };

void push_page_drop(struct push_page *page) {
    page->uses--;
    if (page->uses == 0) {
        lake_result_free(page->result);
        free(page);
    }
}

// ── Tags ──

static uint64_t mix(uint64_t value) { // splitmix64's finisher
    value ^= value >> 30;
    value *= UINT64_C(0xbf58476d1ce4e5b9);
    value ^= value >> 27;
    value *= UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

static uint64_t rowid_tag(int64_t rowid) {
    const uint64_t tag = mix((uint64_t)rowid + UINT64_C(0x9e3779b97f4a7c15));
    return tag != 0 ? tag : 1;
}

uint64_t push_row_tag(const struct push_event *event) {
    return push_rowid_is_temporary(event->rowid) && event->tag != 0 ? event->tag
                                                                    : rowid_tag(event->rowid);
}

uint64_t push_keys_tag(str keys) {
    if (str_is_empty(keys) || str_equal(keys, STR("{}"))) {
        return 0;
    }
    const uint64_t tag = str_hash(keys, 0);
    return tag != 0 ? tag : 1;
}

void push_tags_done(struct push_tags *tags) {
    free(tags->tags);
    free(tags->counts);
    *tags = (struct push_tags){0};
}

// The slot of `tag`, or the free one where it would go.  Removed tags keep their slot with count 0.
static size_t tags_slot(const struct push_tags *tags, uint64_t tag) {
    size_t slot = tag & (tags->capacity - 1);
    while (tags->tags[slot] != 0 && tags->tags[slot] != tag) {
        slot = (slot + 1) & (tags->capacity - 1);
    }
    return slot;
}

static void tags_insert(struct push_tags *tags, uint64_t tag, uint32_t count) {
    const size_t slot = tags_slot(tags, tag);
    if (tags->tags[slot] == 0) {
        tags->tags[slot] = tag;
        tags->used++;
    }
    tags->counts[slot] += count;
}

static void tags_grow(struct push_tags *tags) {
    const struct push_tags old = *tags;
    size_t live = 0;
    for (size_t i = 0; i < old.capacity; i++) {
        live += old.counts[i] > 0 ? 1 : 0;
    }
    size_t capacity = TAGS_CAPACITY_MIN;
    while (capacity < live * 4) {
        capacity *= 2;
    }
    *tags = (struct push_tags){.tags = memory_alloc(capacity * sizeof(uint64_t)),
                               .counts = memory_alloc(capacity * sizeof(uint32_t)),
                               .capacity = capacity};
    memset(tags->tags, 0, capacity * sizeof(uint64_t));
    memset(tags->counts, 0, capacity * sizeof(uint32_t));
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.counts[i] > 0) {
            tags_insert(tags, old.tags[i], old.counts[i]);
        }
    }
    free(old.tags);
    free(old.counts);
}

void push_tags_add(struct push_tags *tags, uint64_t tag) {
    assert(tag != 0);
    if (tags->used * 2 >= tags->capacity) {
        tags_grow(tags);
    }
    tags_insert(tags, tag, 1);
}

void push_tags_remove(struct push_tags *tags, uint64_t tag) {
    const size_t slot = tags_slot(tags, tag);
    assert(tags->counts[slot] > 0);
    tags->counts[slot]--;
}

bool push_tags_has(const struct push_tags *tags, uint64_t tag) {
    return tags->capacity > 0 && tags->counts[tags_slot(tags, tag)] > 0;
}

// ── Cutting ──

size_t push_unit(const struct push_cut_rules *rules, const struct push_event *events,
                 size_t count) {
    if (count == 0 || !rules->grouped) {
        return count == 0 ? 0 : 1;
    }
    size_t size = 1;
    while (size < count && events[size].tag == events[0].tag &&
           str_equal(events[size].keys, events[0].keys)) {
        size++;
    }
    return size;
}

// Events that go into a batch together; 0 when the stream must be read on to tell.
static size_t cut_unit(const struct push_cut_rules *rules, const struct push_event *events,
                       size_t count, bool at_end) {
    if (rules->grouped) {
        const size_t size = push_unit(rules, events, count);
        return size == count && !at_end ? 0 : size;
    }
    if (events[0].change != STATE_CHANGE_UPDATE_PREIMAGE || rules->batch_size < 2) {
        return 1;
    }
    if (count < 2) {
        return at_end ? 1 : 0;
    }
    const bool is_pair =
        events[1].change == STATE_CHANGE_UPDATE_POSTIMAGE && events[1].rowid == events[0].rowid;
    return is_pair ? 2 : 1;
}

static uint64_t event_tag(const struct push_event *event) {
    const uint64_t tag = mix(rowid_tag(event->rowid) + (uint64_t)event->change);
    return tag != 0 ? tag : 1;
}

static bool any_known(const struct push_tags *seen, const struct push_event *events, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (push_tags_has(seen, event_tag(&events[i]))) {
            return true;
        }
    }
    return false;
}

// "rowid:change" is how the sink names an event, so one batch must not hold it twice.
static size_t cut(const struct push_cut_rules *rules, const struct push_event *events, size_t count,
                  bool at_end, struct push_tags *seen) {
    size_t size = 0;
    while (size < count && size < rules->batch_size) {
        const size_t unit = cut_unit(rules, &events[size], count - size, at_end);
        if (unit == 0) {
            return 0;
        }
        const bool is_first = size == 0;
        if (!is_first &&
            (size + unit > rules->batch_size || any_known(seen, &events[size], unit))) {
            return size;
        }
        for (size_t i = size; i < size + unit; i++) {
            push_tags_add(seen, event_tag(&events[i]));
        }
        size += unit;
    }
    return size >= rules->batch_size || at_end ? size : 0;
}

size_t push_cut(const struct push_cut_rules *rules, const struct push_event *events, size_t count,
                bool at_end) {
    struct push_tags seen = {0};
    const size_t size = cut(rules, events, count, at_end, &seen);
    push_tags_done(&seen);
    return size;
}

// ── Batches ──

struct push_batch *push_batch_new(void) {
    struct push_batch *batch = memory_alloc(sizeof(*batch));
    *batch = (struct push_batch){0};
    arena_init(&batch->arena);
    return batch;
}

void push_batch_fill(struct push_batch *batch, const struct push_event *events, size_t count) {
    batch->events = ARENA_ARRAY(&batch->arena, struct push_event, count);
    batch->held = ARENA_ARRAY(&batch->arena, struct push_event, count);
    batch->count = count;
    if (count > 0) {
        memcpy(batch->events, events, count * sizeof(events[0]));
    }
    for (size_t i = 0; i < count; i++) {
        events[i].page->uses++;
    }
}

void push_batch_free(struct push_batch *batch) {
    if (batch == NULL) {
        return;
    }
    for (size_t i = 0; i < batch->count; i++) {
        push_page_drop(batch->events[i].page);
    }
    for (size_t i = 0; i < batch->held_count; i++) {
        push_page_drop(batch->held[i].page);
    }
    arena_done(&batch->arena);
    free(batch);
}

str push_event_key(struct arena *arena, const struct push_event *event) {
    return str_format(arena, "%lld:" STR_FORMAT, (long long)event->rowid,
                      STR_ARGS(state_change_name(event->change)));
}
