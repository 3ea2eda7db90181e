#ifndef MODULES_JSON_BODY_H
#define MODULES_JSON_BODY_H

// A Starlark value as the JSON of a request: compact, dict order kept (json.encode sorts keys),
// every digit of an int, NaN refused.
//
// Errors: false after star_fail, with `what` ("http.post: json") before the message.
// Threads: the thread's own.

#include "base/str.h"
#include "starlark/starlark.h"

struct text;

enum { JSON_BODY_DEPTH_MAX = 512 };

bool json_body_write(struct star_thread *thread, const char *what, struct text *out,
                     star_value value);

#endif
