#include "state/owner.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

enum {
    HOST_NAME_SIZE = 256,
    STAT_START_TIME = 22 // field of /proc/PID/stat, from 1 (proc(5))
};

// The name in field 2 may hold anything, so fields are counted from behind its last ')'.
static bool stat_start_time(str stat, int64_t *start_time) {
    const size_t name_end = str_find_last_char(stat, ')');
    if (name_end == SIZE_MAX) {
        return false;
    }
    struct str_splitter fields = {.rest = str_trim(str_from_offset(stat, name_end + 1))};
    str field = {0};
    for (int number = 3; str_split_next(&fields, ' ', &field); number++) {
        if (number == STAT_START_TIME) {
            return str_parse_int64(field, start_time);
        }
    }
    return false;
}

static bool process_start_time(int64_t pid, int64_t *start_time) {
    SCRATCH(scratch);
    struct error ignored;
    str stat = {0};
    const str file = str_format(&scratch, "/proc/%lld/stat", (long long)pid);
    return file_read(&scratch, file, &stat, &ignored) == ERROR_NONE &&
           stat_start_time(stat, start_time);
}

struct state_owner state_owner_self(struct arena *arena) {
    char name[HOST_NAME_SIZE] = "";
    if (gethostname(name, sizeof(name) - 1) != 0) {
        name[0] = '\0';
    }
    struct state_owner owner = {.host = str_copy(arena, str_from(name)), .pid = getpid()};
    if (!process_start_time(owner.pid, &owner.start_time)) {
        owner.start_time = 0;
    }
    return owner;
}

bool owner_is_same(const struct state_owner *a, const struct state_owner *b) {
    return a->pid == b->pid && a->start_time == b->start_time && str_equal(a->host, b->host);
}

bool owner_is_gone(const struct state_owner *owner, str this_host) {
    if (owner->pid == 0) {
        return true;
    }
    if (!str_equal(owner->host, this_host)) {
        return false; // only its lease can tell
    }
    int64_t start_time = 0;
    if (process_start_time(owner->pid, &start_time)) {
        return start_time != owner->start_time; // another process has the number now
    }
    // Without /proc a live process still answers signal 0.
    return kill((pid_t)owner->pid, 0) != 0 && errno == ESRCH;
}
