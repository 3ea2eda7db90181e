#include "project/run_lock.h"

#include "base/text.h"

#include <unistd.h>

// "40 s", "12 min", "3 h 5 min", "2 d 4 h": how long somebody waits for the holder to end.
static str age_text(struct arena *arena, int64_t us) {
    const long long seconds = us > 0 ? (long long)(us / 1000000) : 0;
    const long long minutes = seconds / 60;
    const long long hours = minutes / 60;
    if (minutes == 0) {
        return str_format(arena, "%lld s", seconds);
    }
    if (hours == 0) {
        return str_format(arena, "%lld min", minutes);
    }
    return hours < 24 ? str_format(arena, "%lld h %lld min", hours, minutes % 60)
                      : str_format(arena, "%lld d %lld h", hours / 24, hours % 24);
}

// "pid 12, coypu run, since T" as ": pid 12, coypu run, for 12 min (since T)".  A holder that has
// not come to write the file yet is not told; what cannot be understood is told as it is.
static str holder_text(const struct project *project, str holder) {
    static const str SINCE = STR_INIT(", since ");
    struct arena *arena = project->arena;
    const size_t at = str_find(holder, SINCE);
    int64_t since_us;
    if (holder.size == 0) {
        return holder;
    }
    if (at == SIZE_MAX || !time_parse(str_from_offset(holder, at + SINCE.size), &since_us)) {
        return str_format(arena, ": " STR_FORMAT, STR_ARGS(holder));
    }
    const int64_t age_us = clock_wall_us(&project->context->clock) - since_us;
    return str_format(arena, ": " STR_FORMAT ", for " STR_FORMAT " (since " STR_FORMAT ")",
                      STR_ARGS(str_slice(holder, 0, at)), STR_ARGS(age_text(arena, age_us)),
                      STR_ARGS(str_from_offset(holder, at + SINCE.size)));
}

enum error_code run_lock_take(const struct project *project, const char *command,
                              int64_t timeout_ms, struct file_lock *lock, struct error *err) {
    const str folder = project_path(project, STR(".coypu"));
    TRY(directory_create(folder, 0700, err));
    const str since = time_format_utc(project->arena, clock_wall_us(&project->context->clock));
    const str content = str_format(project->arena, "pid %lld, %s, since " STR_FORMAT,
                                   (long long)getpid(), command, STR_ARGS(since));
    str holder = {0};
    const enum error_code code =
        file_lock(project->arena, path_join(project->arena, folder, STR("run.lock")), content,
                  timeout_ms, lock, &holder, err);
    if (code == ERROR_CONFLICT) {
        error_set(err, ERROR_CONFLICT, "another run holds this project" STR_FORMAT,
                  STR_ARGS(holder_text(project, str_trim(holder))));
        error_hint(err, "wait for it to end, or give --lock-timeout SECONDS");
    }
    return code;
}

void run_lock_release(struct file_lock *lock) {
    file_unlock(lock);
}
