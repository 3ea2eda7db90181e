#ifndef BASE_INTERRUPT_H
#define BASE_INTERRUPT_H

// "Stop now": one flag that Ctrl-C, a timeout or a failing neighbour raises, and that everything
// which waits looks at.
//
// Threads: interrupt_raise and interrupt_is_raised from any thread and from a signal handler.
// A waiter polls `wake_fd` (readable once raised) next to its own descriptors, or waits in
// interrupt_wait.

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct interrupt {
    atomic_bool raised;
    int wake_fd; // eventfd; readable when raised; -1 before interrupt_init
};

void interrupt_init(struct interrupt *interrupt);
void interrupt_done(struct interrupt *interrupt);
// Async-signal-safe.
void interrupt_raise(struct interrupt *interrupt);
// NULL is never raised.
bool interrupt_is_raised(const struct interrupt *interrupt);
// Sleeps up to `us` microseconds; true when raised meanwhile.
bool interrupt_wait(struct interrupt *interrupt, int64_t us);

#endif
