#ifndef BASE_LOG_H
#define BASE_LOG_H

// Events on standard error: `push.batch sent=100 failed=2 model=sync.hubspot`.
//
// Results go to standard output, never through here.  Every line is redacted.
// Threads: any; a line is written whole.

#include "base/attributes.h"
#include "base/str.h"

struct redactor;
struct log;

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

// Borrows the redactor.  `fd` is not closed.
struct log *log_new(int fd, enum log_level level, struct redactor *redactor);
void log_free(struct log *log);
// `event` names what happened; the format gives `key=value` fields.  A NULL log is silent.
void log_event(struct log *log, enum log_level level, const char *event, const char *format, ...)
    PRINTF_LIKE(4, 5);
// A line for people as it is (print() of a script, a progress note), redacted.
void log_line(struct log *log, str line);
// While set, `before` runs with the lock held before each line and `after` behind it: the progress
// line clears and redraws itself.
void log_set_hooks(struct log *log, void (*before)(void *self), void (*after)(void *self),
                   void *self);

#endif
