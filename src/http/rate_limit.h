#ifndef HTTP_RATE_LIMIT_H
#define HTTP_RATE_LIMIT_H

// Never more than N requests in any period: one limiter a lib file and direction, shared by all its
// threads (libs.md §8.4).
//
// A sliding window, not a bucket: request i starts no earlier than one period after request i-N was
// surely at the server.  Waiting is first come, first served; a waiter sleeps until its own time.
// Ownership: free it after all threads that use it ended.
// Errors: ERROR_CANCELLED when interrupted.
// Threads: any; a lock inside, never held while sleeping.

#include "base/error.h"

struct context;
struct rate_limit;

struct rate_limit *rate_limit_new(int64_t requests, int64_t period_us);
void rate_limit_free(struct rate_limit *limit);

// Takes the next place in the window and waits for it.  A NULL limit lets everything pass.
MUST_USE enum error_code rate_limit_wait(struct rate_limit *limit, const struct context *context,
                                         int64_t *ticket, struct error *err);
// The request of that ticket was answered or failed: the server saw it at the latest now.
void rate_limit_done(struct rate_limit *limit, const struct context *context, int64_t ticket);

#endif
