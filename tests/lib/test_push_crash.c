#include "push_fixture.h"

#include <signal.h>
#include <sys/wait.h>

// Kills the process at every boundary of libs.md §7.5 and looks at what arrives over both runs.

enum {
    ROWS = 40,
    BATCH = 4,
    IN_FLIGHT = 2 * BATCH, // one batch that was sent, and the one claimed ahead of it
};

static const struct {
    const char *point;  // NAME:n, the n-th pass
    int duplicates_max; // rows that may arrive twice
} kills[] = {
    {"CP_PUSH_BEFORE_RANGE", 0},         {"CP_PUSH_RANGE_OPENED", 0},
    {"CP_STATE_OUTCOME_WRITTEN:1", 0},   {"CP_STATE_OUTCOME_WRITTEN:3", IN_FLIGHT},
    {"CP_STATE_OUTCOME_COMMITTED:1", 0}, {"CP_STATE_OUTCOME_COMMITTED:4", IN_FLIGHT},
    {"CP_PUSH_CLAIMED:2", IN_FLIGHT},    {"CP_PUSH_CALLED:1", BATCH},
    {"CP_PUSH_CALLED:5", IN_FLIGHT},     {"CP_PUSH_BEFORE_OUTCOME:5", IN_FLIGHT},
    {"CP_PUSH_RANGE_SENT", 0},           {"CP_PUSH_FINALIZE", 0},
};

static const char *some_fail(const struct delivery *delivery) {
    return delivery->k % 10 == 3 ? "error: busy" : "ok";
}

// In a process of its own, since DuckDB does not survive a fork.
static void run_child(const char *folder, const char *record, const char *crash_at,
                      void (*prepare)(struct push_fixture *f)) {
    if (crash_at != NULL) {
        setenv("COYPU_CRASH_AT", crash_at, 1);
    } else {
        unsetenv("COYPU_CRASH_AT");
    }
    struct push_fixture f;
    push_fixture_open(&f, folder);
    f.sink.record = record;
    if (prepare != NULL) {
        prepare(&f);
    } else {
        push_once(&f);
    }
    const int64_t pending = f.summary.pending;
    push_fixture_close(&f, true);
    _exit(pending == 0 ? 0 : 3);
}

static int run_process(const char *folder, const char *record, const char *crash_at,
                       void (*prepare)(struct push_fixture *f)) {
    fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        run_child(folder, record, crash_at, prepare);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void make_rows(struct push_fixture *f) {
    fixture_execute(&f->lake, "CREATE TABLE t(k BIGINT, v BIGINT)");
    fixture_execute(&f->lake, "INSERT INTO t SELECT range, range FROM range(40)");
}

static void fail_some(struct push_fixture *f) {
    make_rows(f);
    f->sink.answer = some_fail;
    f->sink.record = "/dev/null";
    push_once(f);
    f->summary.pending = 0;
}

struct arrival {
    char batch_id[40];
    char event[32];
};

static size_t read_arrivals(const char *record, struct arrival *arrivals, size_t most) {
    FILE *file = fopen(record, "r");
    size_t count = 0;
    long long value = 0;
    while (file != NULL && count < most &&
           fscanf(file, "%39s %31s %lld", arrivals[count].batch_id, arrivals[count].event,
                  &value) == 3) {
        count++;
    }
    if (file != NULL) {
        fclose(file);
    }
    return count;
}

// Every event arrived; those that arrived twice did so under one batch_id.
static void check_arrivals(const char *point, const char *record, size_t events, int most_twice) {
    static struct arrival arrivals[4 * ROWS];
    const size_t count = read_arrivals(record, arrivals, ARRAY_COUNT(arrivals));
    size_t different = 0;
    int twice = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_first = true;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(arrivals[i].event, arrivals[j].event) == 0) {
                is_first = false;
                if (strcmp(arrivals[i].batch_id, arrivals[j].batch_id) != 0) {
                    fail_msg("%s: %s came again under another batch_id", point, arrivals[i].event);
                }
            }
        }
        different += is_first ? 1 : 0;
        twice += is_first ? 0 : 1;
    }
    if (different != events || twice > most_twice) {
        fail_msg("%s: %zu of %zu events arrived, %d of them twice", point, different, events,
                 twice);
    }
}

// A short delivery does not come by every point as often as asked for: it then ends by itself.
static void kill_everywhere(void (*prepare)(struct push_fixture *f), size_t events, bool is_short) {
    for (size_t i = 0; i < ARRAY_COUNT(kills); i++) {
        char folder[] = "/tmp/coypu-crash-XXXXXX";
        assert_non_null(mkdtemp(folder));
        char record[64];
        snprintf(record, sizeof(record), "%s/record", folder);
        assert_int_equal(run_process(folder, record, NULL, prepare), 0);
        const int killed = run_process(folder, record, kills[i].point, NULL);
        const bool done = is_short && WIFEXITED(killed) && WEXITSTATUS(killed) == 0;
        if (!WIFSIGNALED(killed) && !done) {
            fail_msg("%s: was not killed there", kills[i].point);
        }
        // At once, without waiting for a lease.
        assert_int_equal(run_process(folder, record, NULL, NULL), 0);
        check_arrivals(kills[i].point, record, events, kills[i].duplicates_max);
        char command[128];
        snprintf(command, sizeof(command), "rm -rf '%s'", folder);
        assert_int_equal(system(command), 0);
    }
}

static void nothing_is_lost_wherever_the_process_dies(void **unused) {
    (void)unused;
    kill_everywhere(make_rows, ROWS, false);
}

static void retries_are_lost_nowhere_either(void **unused) {
    (void)unused;
    kill_everywhere(fail_some, ROWS / 10, true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_wherever_the_process_dies),
        cmocka_unit_test(retries_are_lost_nowhere_either),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
