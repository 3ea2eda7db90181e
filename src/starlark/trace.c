// Folding works on the newest end: after each frame, are the last items those before them over
// again?  Then they go, and a mark behind the first group counts them.  A mark is an item like a
// frame, so that a group may hold a folded one.
#include "starlark/trace.h"

#include "base/attributes.h"

#include <string.h>

static bool is_mark(const struct trace_item *item) {
    return item->more > 0;
}

static bool item_equal(const struct trace_item *a, const struct trace_item *b) {
    return a->more == b->more && a->group == b->group && a->frame.file == b->frame.file &&
           a->frame.line == b->frame.line && a->frame.column == b->frame.column &&
           a->frame.function == b->frame.function;
}

// Frames that the items stand for.
static uint32_t frames_in(const struct trace_item *items, size_t count) {
    uint32_t frames = 0;
    for (size_t i = 0; i < count; i++) {
        frames += is_mark(&items[i]) ? items[i].more : 1;
    }
    return frames;
}

// Whether the last `size` items are the group of that size before them; `mark` is set when that
// group was folded before.
static bool group_again(struct trace *trace, size_t size, struct trace_item **mark) {
    *mark = NULL;
    if (trace->count < 2 * size) {
        return false;
    }
    const struct trace_item *last = trace->items + trace->count - size;
    struct trace_item *before = trace->items + trace->count - size;
    if (is_mark(before - 1) && (before - 1)->group == size) {
        *mark = --before;
    }
    if ((size_t)(before - trace->items) < size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!item_equal(&last[i], &(before - size)[i])) {
            return false;
        }
    }
    return true;
}

// Whether it folded anything.
static bool fold(struct trace *trace) {
    for (size_t size = 1; size <= TRACE_GROUP_MAX; size++) {
        struct trace_item *mark = NULL;
        const struct trace_item *newest = &trace->items[trace->count - 1];
        if ((size == 1 && is_mark(newest)) || !group_again(trace, size, &mark)) {
            continue;
        }
        const uint32_t frames = frames_in(trace->items + trace->count - size, size);
        trace->count -= size;
        if (mark == NULL) {
            mark = &trace->items[trace->count++];
            *mark = (struct trace_item){.group = (uint32_t)size};
        }
        mark->more += frames;
        return true;
    }
    return false;
}

// Room for one more: an item of the middle goes and is counted in a mark of no group.
static void drop_middle(struct trace *trace) {
    const size_t half = TRACE_FRAMES_MAX / 2;
    struct trace_item *mark = &trace->items[half];
    if (!is_mark(mark) || mark->group != 0) {
        *mark = (struct trace_item){.more = frames_in(mark, 1)};
    }
    mark->more += frames_in(mark + 1, 1);
    trace->count--;
    memmove(mark + 1, mark + 2, (trace->count - half - 1) * sizeof(*mark));
}

void trace_add(struct trace *trace, const struct star_frame *frame) {
    if (trace->count == ARRAY_COUNT(trace->items)) {
        drop_middle(trace);
    }
    trace->items[trace->count++] = (struct trace_item){.frame = *frame};
    while (fold(trace)) {
    }
}

size_t trace_finish(const struct trace *trace, struct star_frame *frames, uint32_t *more) {
    struct trace cut = *trace;
    while (cut.count > TRACE_FRAMES_MAX) {
        drop_middle(&cut);
    }
    size_t count = 0;
    for (size_t i = 0; i < cut.count; i++) {
        if (is_mark(&cut.items[i])) {
            more[count - 1] += cut.items[i].more; // never the first item
        } else {
            frames[count] = cut.items[i].frame;
            more[count++] = 0;
        }
    }
    return count;
}
