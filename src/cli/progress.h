#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

// One live line on a terminal while something long goes on; nothing at all in a pipe.
//
//     [3/12] raw.orders  fetch  41 pages  205,000 rows  68,300 rows/s  3s
//     [9/12] sync.crm  push  1,200 of 4,800 rows  410 rows/s  2s  about 9s left
//
// The line lives on standard error and disappears when something else is printed there: the log
// takes it away before a line and draws it again behind it.
// Ownership: progress_new's result is freed by progress_free, which also removes the line.
// Threads: any; a lock guards the line.

#include "base/context.h"

struct progress;

// NULL when standard error is no terminal or `quiet`: every function below takes NULL.
struct progress *progress_new(const struct context *context, bool quiet);
void progress_free(struct progress *progress);
// A new piece of work begins: its number of how many, and what it is about.  Pieces that follow
// each other fast are not all shown.
void progress_start(struct progress *progress, size_t number, size_t total, str subject);
// Counts so far; `total` 0 when it is not known.  Drawn at most ten times a second.  Of several
// pieces at once one is shown, the latest, then whichever counts after it is finished.
void progress_fetch(struct progress *progress, str subject, int64_t pages, int64_t rows);
void progress_push(struct progress *progress, str subject, int64_t sent, int64_t total);
// The piece is over.
void progress_finish(struct progress *progress, str subject);
// Takes the line away until the next count.
void progress_clear(struct progress *progress);

#endif
