#ifndef STARLARK_TRACE_H
#define STARLARK_TRACE_H

// Collects the frames of a backtrace, outermost first, in bounded room.
//
// A group of up to TRACE_GROUP_MAX frames that comes again and again (recursion, also over several
// functions) stands once, with the number of frames left out behind it.  Of what is left the
// outermost and the innermost frames are kept.
// Ownership: everything is in the struct; frames borrow their texts.

#include "starlark/starlark.h"

enum {
    TRACE_FRAMES_MAX = 64,
    TRACE_GROUP_MAX = 16,
    TRACE_ITEMS_MAX = 2 * TRACE_FRAMES_MAX,
};

// A frame, or, with `more` above 0, the mark of frames left out behind the items before it.
struct trace_item {
    struct star_frame frame;
    uint32_t more;
    uint32_t group; // of a mark: how many items before it were repeated
};

struct trace {
    struct trace_item items[TRACE_ITEMS_MAX];
    size_t count;
};

void trace_add(struct trace *trace, const struct star_frame *frame);
// Writes at most TRACE_FRAMES_MAX frames and, for each, how many were left out behind it; gives
// their number.
size_t trace_finish(const struct trace *trace, struct star_frame *frames, uint32_t *more);

#endif
