#include "base/clock.h"
#include "base/context.h"
#include "base/interrupt.h"
#include "http/rate_limit.h"
#include "support/fake_clock.h"
#include "support/unit.h"

#include <pthread.h>
#include <stdlib.h>

enum { SECOND = 1000000 };

// Asks for a place; gives the time it was allowed to start.
static int64_t pass(struct rate_limit *limit, const struct context *context, int64_t *ticket) {
    struct error err;
    assert_int_equal(rate_limit_wait(limit, context, ticket, &err), ERROR_NONE);
    return clock_monotonic_us(&context->clock);
}

static void never_more_than_n_in_any_period(void **state) {
    (void)state;
    struct fake_clock clock;
    const struct context context = {.clock = fake_clock_init(&clock, 0)};
    struct rate_limit *limit = rate_limit_new(5, SECOND);
    int64_t starts[40];
    for (int i = 0; i < 40; i++) {
        int64_t ticket;
        starts[i] = pass(limit, &context, &ticket);
        fake_clock_turn(&clock, 7000 * (i % 3));
        rate_limit_done(limit, &context, ticket);
        if (i >= 5) {
            assert_true(starts[i] - starts[i - 5] >= SECOND);
        }
    }
    assert_true(starts[39] < 9 * (int64_t)SECOND); // and not much slower than allowed
    rate_limit_free(limit);
}

static void a_slow_request_counts_from_its_answer(void **state) {
    (void)state;
    struct fake_clock clock;
    const struct context context = {.clock = fake_clock_init(&clock, 0)};
    struct rate_limit *limit = rate_limit_new(1, SECOND);
    int64_t ticket;
    assert_int_equal(pass(limit, &context, &ticket), 0);
    fake_clock_turn(&clock, SECOND / 2); // connecting took long
    rate_limit_done(limit, &context, ticket);
    assert_int_equal(pass(limit, &context, &ticket), SECOND / 2 + SECOND);
    rate_limit_free(limit);
}

static void no_limit_lets_everything_pass(void **state) {
    (void)state;
    struct fake_clock clock;
    const struct context context = {.clock = fake_clock_init(&clock, 0)};
    int64_t ticket;
    assert_int_equal(pass(NULL, &context, &ticket), 0);
    rate_limit_done(NULL, &context, ticket);
    assert_int_equal(atomic_load(&clock.sleep_count), 0);
}

static void an_interrupt_ends_the_wait(void **state) {
    (void)state;
    struct fake_clock clock;
    struct interrupt interrupt;
    interrupt_init(&interrupt);
    const struct context context = {.clock = fake_clock_init(&clock, 0), .interrupt = &interrupt};
    struct rate_limit *limit = rate_limit_new(1, SECOND);
    int64_t ticket;
    struct error err;
    (void)pass(limit, &context, &ticket);
    interrupt_raise(&interrupt);
    assert_int_equal(rate_limit_wait(limit, &context, &ticket, &err), ERROR_CANCELLED);
    rate_limit_free(limit);
    interrupt_done(&interrupt);
}

enum { THREADS = 8, REQUESTS_EACH = 20 };

struct worker {
    struct rate_limit *limit;
    const struct context *context;
    int64_t starts[REQUESTS_EACH];
};

static void *work(void *self) {
    struct worker *worker = self;
    for (int i = 0; i < REQUESTS_EACH; i++) {
        int64_t ticket;
        worker->starts[i] = pass(worker->limit, worker->context, &ticket);
        rate_limit_done(worker->limit, worker->context, ticket);
    }
    return NULL;
}

static int compare_times(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

// With the real clock, as threads that share a fake one would turn it for each other.
static void threads_share_one_window(void **state) {
    (void)state;
    const struct context context = {.clock = clock_system()};
    enum { PERIOD = 20000, N = 10 };
    struct rate_limit *limit = rate_limit_new(N, PERIOD);
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.limit = limit, .context = &context};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    int64_t starts[THREADS * REQUESTS_EACH];
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
        for (int j = 0; j < REQUESTS_EACH; j++) {
            starts[i * REQUESTS_EACH + j] = workers[i].starts[j];
        }
    }
    qsort(starts, ARRAY_COUNT(starts), sizeof(starts[0]), compare_times);
    // The whole takes at least the 15 full periods that 160 places of 10 need.
    assert_true(starts[ARRAY_COUNT(starts) - 1] - starts[0] >= 15 * (int64_t)PERIOD);
    rate_limit_free(limit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_more_than_n_in_any_period),
        cmocka_unit_test(a_slow_request_counts_from_its_answer),
        cmocka_unit_test(no_limit_lets_everything_pass),
        cmocka_unit_test(an_interrupt_ends_the_wait),
        cmocka_unit_test(threads_share_one_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
