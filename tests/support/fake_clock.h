#ifndef SUPPORT_FAKE_CLOCK_H
#define SUPPORT_FAKE_CLOCK_H

// A clock that moves only when somebody sleeps on it or the test turns it.
//
// Threads: any.

#include "base/clock.h"

#include <stdatomic.h>

enum { FAKE_CLOCK_SLEEPS_MAX = 64 };

struct fake_clock {
    atomic_llong wall_us;
    atomic_llong monotonic_us;
    atomic_int sleep_count;
    int64_t sleeps_us[FAKE_CLOCK_SLEEPS_MAX]; // the first ones, in order
};

// The clock of a context; `fake` must outlive it.
struct clock fake_clock_init(struct fake_clock *fake, int64_t wall_us);
void fake_clock_turn(struct fake_clock *fake, int64_t us);

#endif
