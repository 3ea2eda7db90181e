#include "base/log.h"

#include "base/arena.h"
#include "base/redact.h"
#include "base/text.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct log {
    int fd;
    enum log_level level;
    struct redactor *redactor;
    pthread_mutex_t lock; // guards the descriptor and the hooks
    void (*before)(void *self);
    void (*after)(void *self);
    void *hook_self;
};

struct log *log_new(int fd, enum log_level level, struct redactor *redactor) {
    struct log *log = memory_alloc(sizeof(*log));
    *log = (struct log){
        .fd = fd, .level = level, .redactor = redactor, .lock = PTHREAD_MUTEX_INITIALIZER};
    return log;
}

void log_free(struct log *log) {
    if (log != NULL) {
        (void)pthread_mutex_destroy(&log->lock);
        free(log);
    }
}

void log_set_hooks(struct log *log, void (*before)(void *self), void (*after)(void *self),
                   void *self) {
    (void)pthread_mutex_lock(&log->lock);
    log->before = before;
    log->after = after;
    log->hook_self = self;
    (void)pthread_mutex_unlock(&log->lock);
}

static void write_all(int fd, str bytes) {
    while (bytes.size > 0) {
        const ssize_t written = write(fd, bytes.data, bytes.size);
        if (written < 0 && errno != EINTR) {
            return; // nowhere left to complain
        }
        bytes = str_from_offset(bytes, written < 0 ? 0 : (size_t)written);
    }
}

void log_line(struct log *log, str line) {
    if (log == NULL) {
        return;
    }
    SCRATCH(scratch);
    struct text out;
    text_init(&out, &scratch);
    text_add(&out, str_printable(&scratch, redact_text(log->redactor, &scratch, line)));
    text_add_char(&out, '\n');
    (void)pthread_mutex_lock(&log->lock);
    if (log->before != NULL) {
        log->before(log->hook_self);
    }
    write_all(log->fd, text_str(&out));
    if (log->after != NULL) {
        log->after(log->hook_self);
    }
    (void)pthread_mutex_unlock(&log->lock);
}

void log_event(struct log *log, enum log_level level, const char *event, const char *format, ...) {
    if (log == NULL || level < log->level) {
        return;
    }
    static const char *const names[] = {"debug", "info", "warn", "error"};
    SCRATCH(scratch);
    struct text line;
    text_init(&line, &scratch);
    text_format(&line, "%s %s ", names[level], event);
    va_list args;
    va_start(args, format);
    text_format_list(&line, format, args);
    va_end(args);
    log_line(log, text_str(&line));
}
