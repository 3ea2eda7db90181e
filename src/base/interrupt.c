#include "base/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

void interrupt_init(struct interrupt *interrupt) {
    atomic_init(&interrupt->raised, false);
    interrupt->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void interrupt_done(struct interrupt *interrupt) {
    if (interrupt->wake_fd >= 0) {
        (void)close(interrupt->wake_fd);
        interrupt->wake_fd = -1;
    }
}

void interrupt_raise(struct interrupt *interrupt) {
    const int saved = errno;
    atomic_store(&interrupt->raised, true);
    if (interrupt->wake_fd >= 0) {
        const uint64_t one = 1;
        const ssize_t written = write(interrupt->wake_fd, &one, sizeof(one));
        (void)written; // a full counter is as readable as a fresh one
    }
    errno = saved;
}

bool interrupt_is_raised(const struct interrupt *interrupt) {
    return interrupt != NULL && atomic_load_explicit(&interrupt->raised, memory_order_relaxed);
}

static int64_t monotonic_us(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

bool interrupt_wait(struct interrupt *interrupt, int64_t us) {
    const int64_t end = monotonic_us() + (us > 0 ? us : 0);
    while (!interrupt_is_raised(interrupt)) {
        const int64_t left = end - monotonic_us();
        if (left <= 0) {
            return false;
        }
        const struct timespec wait = {.tv_sec = (time_t)(left / 1000000),
                                      .tv_nsec = (long)(left % 1000000) * 1000};
        struct pollfd wake = {.fd = interrupt == NULL ? -1 : interrupt->wake_fd, .events = POLLIN};
        (void)ppoll(&wake, 1, &wait, NULL);
    }
    return true;
}
