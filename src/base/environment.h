#ifndef BASE_ENVIRONMENT_H
#define BASE_ENVIRONMENT_H

// The project's variables: the process environment over the `.env` file (models.md §1.3).
//
// A variable of the process wins over one of `.env`.  Every `.env` value is a secret: loading tells
// the redactor.  Nothing here calls setenv.
// Threads: load before threads start; environment_get from any thread afterwards; environment_set
// takes a lock.

#include "base/error.h"
#include "base/map.h"

#include <pthread.h>

struct redactor;

struct environment {
    struct arena *arena;
    struct map file_values; // str* by name
    struct map overrides;   // str* by name, set during this run (env.set)
    bool use_process;       // false in tests that want only their own values
    pthread_mutex_t lock;   // guards overrides
};

void environment_init(struct environment *environment, struct arena *arena, bool use_process);
void environment_done(struct environment *environment);
// Reads `.env` text (models.md §1.3).  A line without `=` adds a warning to `warnings`.  Values of
// 6 or more characters are given to `redactor`.
void environment_load(struct environment *environment, str file, str content,
                      struct redactor *redactor, struct error_list *warnings);
// false when the variable is not set anywhere.  The value borrows from the environment.
bool environment_get(struct environment *environment, str name, str *value);
// Where the value comes from, for messages: ".env" or "the environment"; NULL: it is not set.
const char *environment_origin(struct environment *environment, str name);
// For this run only.
void environment_set(struct environment *environment, str name, str value);
// Replaces every ${NAME}; an undefined one is ERROR_INVALID at its place in `text` (file is named
// in the error).  `$1`, `$$` and a lone `$` stay.
MUST_USE enum error_code environment_expand(struct environment *environment, struct arena *arena,
                                            str file, str text, str *expanded, struct error *err);

#endif
