#include "base/clock.h"

#include "base/interrupt.h"

#include <time.h>

static int64_t system_time_us(clockid_t id) {
    struct timespec now;
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_wall_us(void *self) {
    (void)self;
    return system_time_us(CLOCK_REALTIME);
}

static int64_t system_monotonic_us(void *self) {
    (void)self;
    return system_time_us(CLOCK_MONOTONIC);
}

static enum error_code system_sleep_us(void *self, int64_t us, struct interrupt *interrupt) {
    (void)self;
    return interrupt_wait(interrupt, us) ? ERROR_CANCELLED : ERROR_NONE;
}

struct clock clock_system(void) {
    return (struct clock){.wall_us = system_wall_us,
                          .monotonic_us = system_monotonic_us,
                          .sleep_us = system_sleep_us};
}

int64_t clock_wall_us(const struct clock *clock) {
    return clock->wall_us(clock->self);
}

int64_t clock_monotonic_us(const struct clock *clock) {
    return clock->monotonic_us(clock->self);
}

enum error_code clock_sleep_us(const struct clock *clock, int64_t us, struct interrupt *interrupt,
                               struct error *err) {
    const enum error_code code = clock->sleep_us(clock->self, us, interrupt);
    return code == ERROR_NONE ? ERROR_NONE : error_set(err, code, "interrupted");
}
