#ifndef BASE_CONTEXT_H
#define BASE_CONTEXT_H

// What every part of the program needs from outside, in one place: a test replaces any of it.
//
// Made once in cli/ and passed down; there are no mutable globals.
// Ownership: the context borrows everything it points to.
// Threads: read-only after start; what it points to says its own rules.

#include "base/clock.h"

#include <stdbool.h>

struct environment;
struct interrupt;
struct log;
struct redactor;

struct context {
    struct clock clock;
    struct environment *environment;
    struct redactor *redactor;
    struct log *log;             // NULL: silent
    struct interrupt *interrupt; // NULL: never
    // Fills `size` bytes of randomness; NULL: the system's.
    void (*random)(void *self, void *bytes, size_t size);
    void *random_self;
    str program_directory; // where the program's file lies, for its libraries
};

void context_random(const struct context *context, void *bytes, size_t size);

// A named place where a recovery test kills the process.  With COYPU_CRASH_AT=NAME or NAME:3 in the
// environment the process ends by SIGKILL at the first or third pass.  Compiled in test builds
// only.
#ifdef COYPU_CRASH_POINTS
void crash_point(const char *name);
#else
#define crash_point(name) ((void)0)
#endif

// Whether the environment asks for a named mistake (COYPU_PLANT_BUG=NAME), by which a test of tests
// shows that it would be found.  Compiled in test builds only.
#ifdef COYPU_CRASH_POINTS
bool bug_is_planted(const char *name);
#else
#define bug_is_planted(name) false
#endif

#endif
