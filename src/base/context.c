#include "base/context.h"

#include "base/arena.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/types.h>

void context_random(const struct context *context, void *bytes, size_t size) {
    if (context != NULL && context->random != NULL) {
        context->random(context->random_self, bytes, size);
        return;
    }
    unsigned char *out = bytes;
    while (size > 0) {
        const ssize_t got = getrandom(out, size, 0);
        if (got > 0) {
            out += got;
            size -= (size_t)got;
        }
    }
}

#ifdef COYPU_CRASH_POINTS
void crash_point(const char *name) {
    static atomic_int passes; // test builds only: how often the asked-for point was passed
    const str wanted = str_from(getenv("COYPU_CRASH_AT"));
    const size_t colon = str_find_char(wanted, ':');
    uint64_t at_pass = 1;
    if (colon != SIZE_MAX && !str_parse_uint64(str_from_offset(wanted, colon + 1), &at_pass)) {
        return;
    }
    if (wanted.size == 0 || !str_equal(str_slice(wanted, 0, colon), str_from(name))) {
        return;
    }
    if ((uint64_t)atomic_fetch_add(&passes, 1) + 1 == at_pass) {
        (void)raise(SIGKILL);
    }
}

bool bug_is_planted(const char *name) {
    return str_equal(str_from(getenv("COYPU_PLANT_BUG")), str_from(name));
}
#endif
