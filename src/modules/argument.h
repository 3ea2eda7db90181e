#ifndef MODULES_ARGUMENT_H
#define MODULES_ARGUMENT_H

// Reading the arguments of native functions, with messages of one form:
// `md5: got int, want string`, `http.get: timeout: got string, want number`.
//
// `what` is the part before the first "got": "md5" or "http.get: timeout".
// Ownership: text borrows from the value.
// Errors: false (or STAR_ERROR) after star_fail.
// Threads: the thread's own.

#include "base/str.h"
#include "starlark/starlark.h"

struct arena;
struct url_params;

star_value argument_wrong(struct star_thread *thread, const char *what, star_value got,
                          const char *want);
// A string.
bool argument_text(struct star_thread *thread, const char *what, star_value value, str *text);
// A string or bytes.
bool argument_bytes(struct star_thread *thread, const char *what, star_value value, str *bytes);
// An int or float of seconds, not negative, as microseconds.
bool argument_seconds(struct star_thread *thread, const char *what, star_value value, int64_t *us);
bool argument_bool(struct star_thread *thread, const char *what, star_value value, bool *truth);
// An int from 0.
bool argument_count(struct star_thread *thread, const char *what, star_value value, int64_t *count);

// A scalar as a server reads it: strings as they are, ints exact, floats in their shortest form,
// true and false.  The text lives in the arena.
bool argument_scalar(struct star_thread *thread, const char *what, star_value value,
                     struct arena *arena, str *text);
// A dict, or a list of pairs, of scalars or lists of scalars; None is left out (libs.md §8.1).
bool argument_params(struct star_thread *thread, const char *what, star_value value,
                     struct arena *arena, struct url_params *params);

// The text of a value that is a string or bytes; false without an error for any other.
bool value_text(star_value value, str *text);
star_value value_from_str(struct star_thread *thread, str text);

#endif
