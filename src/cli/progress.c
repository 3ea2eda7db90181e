#include "cli/progress.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/layout.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    DRAW_EVERY_US = 100 * 1000,
    RATE_AFTER_US = 500 * 1000, // younger rates are noise
    COLUMNS_DEFAULT = 80,
};

enum phase { PHASE_START, PHASE_FETCH, PHASE_PUSH };

struct progress {
    const struct context *context;
    pthread_mutex_t lock; // guards everything below
    struct arena arena;   // reset at each drawing
    char subject[160];
    size_t number;
    size_t total;
    int64_t started_us;
    int64_t drawn_us;
    enum phase phase;
    int64_t pages;
    int64_t rows;
    int64_t rows_before; // those that were there at started_us
    int64_t rows_total;
    bool visible;
};

static size_t terminal_columns(void) {
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return COLUMNS_DEFAULT;
    }
    return size.ws_col;
}

static void write_line(str text) {
    const ssize_t written = write(STDERR_FILENO, text.data, text.size);
    (void)written; // a progress line that cannot be shown is no loss
}

static void erase(struct progress *progress) {
    if (progress->visible) {
        write_line(STR("\r\x1b[K"));
        progress->visible = false;
    }
}

static str line_text(struct progress *progress, int64_t elapsed_us) {
    struct arena *arena = &progress->arena;
    struct text line;
    text_init(&line, arena);
    text_format(&line, "[%zu/%zu] %s", progress->number, progress->total, progress->subject);
    const double seconds = (double)elapsed_us / 1e6;
    const bool rate_known = elapsed_us >= RATE_AFTER_US && progress->rows > 0;
    const double rate = rate_known ? (double)(progress->rows - progress->rows_before) / seconds : 0;
    switch (progress->phase) {
    case PHASE_START:
        return str_cut(text_str(&line), terminal_columns() - 1);
    case PHASE_FETCH:
        text_format(&line, "  fetch  " STR_FORMAT " pages  " STR_FORMAT " rows",
                    STR_ARGS(count_shown(arena, progress->pages)),
                    STR_ARGS(count_shown(arena, progress->rows)));
        break;
    case PHASE_PUSH:
        text_format(&line, "  push  " STR_FORMAT " of " STR_FORMAT " rows",
                    STR_ARGS(count_shown(arena, progress->rows)),
                    STR_ARGS(count_shown(arena, progress->rows_total)));
        break;
    }
    if (rate_known) {
        text_format(&line, "  " STR_FORMAT " rows/s", STR_ARGS(count_shown(arena, (int64_t)rate)));
    }
    text_format(&line, "  " STR_FORMAT, STR_ARGS(duration_format(arena, elapsed_us)));
    if (rate_known && progress->rows_total > progress->rows) {
        const double left = (double)(progress->rows_total - progress->rows) / rate;
        text_format(&line, "  about " STR_FORMAT " left",
                    STR_ARGS(duration_format(arena, (int64_t)(left * 1e6))));
    }
    return str_cut(text_str(&line), terminal_columns() - 1);
}

// With the lock held.
static void draw(struct progress *progress, int64_t now_us) {
    progress->drawn_us = now_us;
    arena_reset(&progress->arena);
    struct text out;
    text_init(&out, &progress->arena);
    text_add(&out, STR("\r\x1b[K"));
    text_add(&out, line_text(progress, now_us - progress->started_us));
    write_line(text_str(&out));
    progress->visible = true;
}

// The log holds its own lock around these two, so a line and the progress line never mix.
static void before_log(void *self) {
    struct progress *progress = self;
    (void)pthread_mutex_lock(&progress->lock);
    erase(progress);
}

static void after_log(void *self) {
    struct progress *progress = self;
    (void)pthread_mutex_unlock(&progress->lock);
}

struct progress *progress_new(const struct context *context, bool quiet) {
    if (quiet || !isatty(STDERR_FILENO)) {
        return NULL;
    }
    struct progress *progress = memory_alloc(sizeof(*progress));
    *progress = (struct progress){.context = context, .lock = PTHREAD_MUTEX_INITIALIZER};
    arena_init(&progress->arena);
    if (context->log != NULL) {
        log_set_hooks(context->log, before_log, after_log, progress);
    }
    return progress;
}

void progress_free(struct progress *progress) {
    if (progress == NULL) {
        return;
    }
    if (progress->context->log != NULL) {
        log_set_hooks(progress->context->log, NULL, NULL, NULL);
    }
    erase(progress);
    arena_done(&progress->arena);
    (void)pthread_mutex_destroy(&progress->lock);
    free(progress);
}

static void set_subject(struct progress *progress, str subject) {
    const str cut = str_cut(subject, sizeof(progress->subject) - 1);
    memcpy(progress->subject, cut.data, cut.size);
    progress->subject[cut.size] = '\0';
}

static bool is_subject(const struct progress *progress, str subject) {
    return str_equal(str_from(progress->subject), str_cut(subject, sizeof(progress->subject) - 1));
}

void progress_start(struct progress *progress, size_t number, size_t total, str subject) {
    if (progress == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&progress->lock);
    set_subject(progress, subject);
    progress->number = number;
    progress->total = total;
    progress->phase = PHASE_START;
    progress->rows = 0;
    progress->rows_before = 0;
    progress->started_us = clock_monotonic_us(&progress->context->clock);
    if (progress->started_us - progress->drawn_us >= DRAW_EVERY_US) {
        draw(progress, progress->started_us);
    }
    (void)pthread_mutex_unlock(&progress->lock);
}

static void count(struct progress *progress, str subject, enum phase phase, int64_t pages,
                  int64_t rows, int64_t total) {
    const int64_t now_us = clock_monotonic_us(&progress->context->clock);
    const bool takes_over = progress->subject[0] == '\0';
    if (!takes_over && !is_subject(progress, subject)) {
        return; // one line: the other piece has its turn when this one is done
    }
    if (takes_over || (phase == PHASE_PUSH && progress->phase != PHASE_PUSH)) {
        set_subject(progress, subject);
        progress->started_us = now_us; // another rate
        progress->rows_before = takes_over ? rows : 0;
        progress->drawn_us = 0;
    }
    progress->phase = phase;
    progress->pages = pages;
    progress->rows = rows;
    progress->rows_total = total;
    if (now_us - progress->drawn_us >= DRAW_EVERY_US) {
        draw(progress, now_us);
    }
}

void progress_fetch(struct progress *progress, str subject, int64_t pages, int64_t rows) {
    if (progress != NULL) {
        (void)pthread_mutex_lock(&progress->lock);
        count(progress, subject, PHASE_FETCH, pages, rows, 0);
        (void)pthread_mutex_unlock(&progress->lock);
    }
}

void progress_push(struct progress *progress, str subject, int64_t sent, int64_t total) {
    if (progress != NULL) {
        (void)pthread_mutex_lock(&progress->lock);
        count(progress, subject, PHASE_PUSH, 0, sent, total);
        (void)pthread_mutex_unlock(&progress->lock);
    }
}

void progress_clear(struct progress *progress) {
    if (progress == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&progress->lock);
    erase(progress);
    (void)pthread_mutex_unlock(&progress->lock);
}

void progress_finish(struct progress *progress, str subject) {
    if (progress == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&progress->lock);
    erase(progress);
    if (is_subject(progress, subject)) {
        progress->subject[0] = '\0';
    }
    (void)pthread_mutex_unlock(&progress->lock);
}
