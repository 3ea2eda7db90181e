#include "cli/starlark_profile.h"
#include "base/arena.h"
#include "base/text.h"

#include <stdlib.h>
#include <time.h>

enum {
    SAMPLE_STEPS = 1000,
    FRAMES_MAX = 256, // of a sample; what is further out gets no total
};

struct profile_entry {
    str name;
    uint64_t self_steps;
    uint64_t total_steps;
    int64_t self_us;
    int64_t total_us;
    uint64_t last_sample; // so that a recursive function gets a sample once
};

static int64_t now_us(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct profile_entry *entry_of(struct starlark_profile *profile,
                                      const struct star_frame *frame) {
    SCRATCH(scratch);
    const str name = str_format(&scratch, "%s %s", frame->function, frame->file);
    struct profile_entry *entry = map_get(&profile->functions, name);
    if (entry == NULL) {
        entry = ARENA_NEW(profile->arena, struct profile_entry);
        entry->name = str_copy(profile->arena, name);
        map_set(&profile->functions, name, entry);
    }
    return entry;
}

static void sample(void *user, struct star_thread *thread) {
    struct starlark_profile *profile = user;
    struct star_frame frames[FRAMES_MAX];
    const size_t active = star_thread_frames(thread, frames, FRAMES_MAX);
    const size_t count = active < FRAMES_MAX ? active : FRAMES_MAX;
    const int64_t at_us = now_us();
    const uint64_t steps = star_thread_steps(thread) - profile->steps;
    const int64_t passed_us = at_us - profile->at_us;
    profile->samples++;
    for (size_t i = 0; i < count; i++) {
        struct profile_entry *entry = entry_of(profile, &frames[i]);
        if (i + 1 == count) {
            entry->self_steps += steps;
            entry->self_us += passed_us;
        }
        if (entry->last_sample != profile->samples) {
            entry->last_sample = profile->samples;
            entry->total_steps += steps;
            entry->total_us += passed_us;
        }
    }
    profile->steps += steps;
    profile->at_us = now_us(); // the sample's own time counts to nobody
}

void starlark_profile_begin(struct starlark_profile *profile, struct arena *arena,
                            struct star_thread *thread) {
    *profile = (struct starlark_profile){.arena = arena, .steps = star_thread_steps(thread)};
    map_init(&profile->functions, arena);
    profile->at_us = now_us();
    star_thread_sample(thread, SAMPLE_STEPS, sample, profile);
}

static int by_self_time(const void *a, const void *b) {
    const struct profile_entry *x = ((const struct map_entry *)a)->value;
    const struct profile_entry *y = ((const struct map_entry *)b)->value;
    return x->self_us != y->self_us ? (x->self_us < y->self_us ? 1 : -1)
                                    : str_compare(x->name, y->name);
}

str starlark_profile_text(const struct starlark_profile *profile) {
    const size_t count = profile->functions.count;
    struct map_entry *sorted = ARENA_ARRAY(profile->arena, struct map_entry, count);
    for (size_t i = 0; i < count; i++) {
        sorted[i] = profile->functions.entries[i];
    }
    qsort(sorted, count, sizeof(*sorted), by_self_time);
    struct text text;
    text_init(&text, profile->arena);
    text_format(&text, "%12s %12s %14s %14s  function\n", "self ms", "total ms", "self steps",
                "total steps");
    for (size_t i = 0; i < count; i++) {
        const struct profile_entry *entry = sorted[i].value;
        text_format(&text, "%12.3f %12.3f %14llu %14llu  " STR_FORMAT "\n",
                    (double)entry->self_us / 1000, (double)entry->total_us / 1000,
                    (unsigned long long)entry->self_steps, (unsigned long long)entry->total_steps,
                    STR_ARGS(entry->name));
    }
    return text_str(&text);
}
