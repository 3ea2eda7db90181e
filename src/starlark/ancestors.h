#ifndef STARLARK_ANCESTORS_H
#define STARLARK_ANCESTORS_H

// The containers that a walk over a value is inside of: tells a cycle in constant time, however
// deep the walk is.  Containers leave in the reverse of the order in which they entered.
//
// Ownership: init/done; memory beyond the first few is the thread's.
// Threads: one walk, one thread.

#include "starlark/value.h"

enum { ANCESTORS_FEW = 24 }; // compared one by one, without a table

struct ancestors {
    struct star_thread *thread;
    uint64_t *stack; // words of the values, outermost first
    uint32_t count;
    uint32_t capacity;
    uint64_t *slots; // open addressing over the stack; 0: free.  NULL while they are few
    uint32_t mask;
    uint64_t few[ANCESTORS_FEW];
};

enum ancestors_result {
    ANCESTORS_ENTERED,
    ANCESTORS_CYCLE,  // it is there already, and did not enter
    ANCESTORS_FAILED, // "out of memory" was set
};

void ancestors_init(struct ancestors *ancestors, struct star_thread *thread);
void ancestors_done(struct ancestors *ancestors);
enum ancestors_result ancestors_enter(struct ancestors *ancestors, star_value container);
// Of the one that entered last.
void ancestors_leave(struct ancestors *ancestors);

#endif
