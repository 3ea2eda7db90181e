#include "project/run_lock.h"

#include "base/text.h"

#include <unistd.h>

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
        error_set(err, ERROR_CONFLICT, "another run holds this project: " STR_FORMAT,
                  STR_ARGS(str_trim(holder)));
        error_hint(err, "wait for it to end, or give --lock-timeout SECONDS");
    }
    return code;
}

void run_lock_release(struct file_lock *lock) {
    file_unlock(lock);
}
