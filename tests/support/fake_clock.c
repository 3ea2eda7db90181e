#include "support/fake_clock.h"

#include "base/interrupt.h"

static int64_t fake_wall_us(void *self) {
    return atomic_load(&((struct fake_clock *)self)->wall_us);
}

static int64_t fake_monotonic_us(void *self) {
    return atomic_load(&((struct fake_clock *)self)->monotonic_us);
}

void fake_clock_turn(struct fake_clock *fake, int64_t us) {
    atomic_fetch_add(&fake->wall_us, us);
    atomic_fetch_add(&fake->monotonic_us, us);
}

static enum error_code fake_sleep_us(void *self, int64_t us, struct interrupt *interrupt) {
    struct fake_clock *fake = self;
    if (interrupt_is_raised(interrupt)) {
        return ERROR_CANCELLED;
    }
    const int index = atomic_fetch_add(&fake->sleep_count, 1);
    if (index < FAKE_CLOCK_SLEEPS_MAX) {
        fake->sleeps_us[index] = us;
    }
    fake_clock_turn(fake, us);
    return ERROR_NONE;
}

struct clock fake_clock_init(struct fake_clock *fake, int64_t wall_us) {
    *fake = (struct fake_clock){0};
    atomic_store(&fake->wall_us, wall_us);
    return (struct clock){.wall_us = fake_wall_us,
                          .monotonic_us = fake_monotonic_us,
                          .sleep_us = fake_sleep_us,
                          .self = fake};
}
