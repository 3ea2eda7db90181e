#ifndef CLI_STARLARK_PROFILE_H
#define CLI_STARLARK_PROFILE_H

// `coypu starlark --profile FILE`: where the steps and the time of a program went, by function.
//
// A sample every 1,000 steps counts what passed since the last one to the innermost function
// (self) and to all that are active (total).  Builtins count to the function that called them.
// Ownership: everything lives in the arena; the profile must outlive its thread's run.

#include "base/map.h"
#include "starlark/starlark.h"

struct starlark_profile {
    struct arena *arena;
    struct map functions; // "NAME FILE" → struct profile_entry
    uint64_t steps;       // of the thread at the last sample
    int64_t at_us;
    uint64_t samples;
};

// Starts sampling the thread.
void starlark_profile_begin(struct starlark_profile *profile, struct arena *arena,
                            struct star_thread *thread);
// A line a function, the one with the most time first.
str starlark_profile_text(const struct starlark_profile *profile);

#endif
