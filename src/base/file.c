#include "base/file.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// The one place where errno becomes an error; read it in the line after the call.
static enum error_code io_error(struct error *err, const char *what, str path, int number) {
    const enum error_code code = number == ENOENT || number == ENOTDIR ? ERROR_NOT_FOUND : ERROR_IO;
    error_set(err, code, "cannot %s " STR_FORMAT ": %s", what, STR_ARGS(path), strerror(number));
    if (number == EACCES || number == EPERM) {
        error_hint(err, "check the owner and the permissions of this path");
    } else if (number == ENOSPC || number == EDQUOT) {
        error_hint(err, "the disk is full: free some space and run again");
    }
    return code;
}

static void fd_close(const int *fd) {
    if (*fd >= 0) {
        (void)close(*fd);
    }
}
#define FD int CLEANUP(fd_close)

static enum error_code fd_read_all(int fd, struct arena *arena, str path, str *content,
                                   struct error *err) {
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return io_error(err, "read", path, errno);
    }
    if (S_ISDIR(info.st_mode)) {
        return io_error(err, "read", path, EISDIR);
    }
    struct text text;
    text_init(&text, arena);
    const size_t expected = info.st_size > 0 ? (size_t)info.st_size : 4096;
    for (;;) {
        if (text.size > FILE_SIZE_MAX) {
            return error_set(err, ERROR_LIMIT, STR_FORMAT " is larger than %d bytes",
                             STR_ARGS(path), FILE_SIZE_MAX);
        }
        const size_t ask = text.size < expected ? expected - text.size + 1 : 65536;
        char *room = text_reserve(&text, ask);
        const ssize_t got = read(fd, room, ask);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return io_error(err, "read", path, errno);
        }
        if (got == 0) {
            *content = text_str(&text);
            return ERROR_NONE;
        }
        text_advance(&text, (size_t)got);
    }
}

enum error_code file_read(struct arena *arena, str path, str *content, struct error *err) {
    SCRATCH(scratch);
    FD fd = open(str_to_cstring(&scratch, path), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return io_error(err, "read", path, errno);
    }
    return fd_read_all(fd, arena, path, content, err);
}

static enum error_code fd_write_all(int fd, str path, str content, struct error *err) {
    while (content.size > 0) {
        const ssize_t written = write(fd, content.data, content.size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return io_error(err, "write", path, errno);
        }
        content = str_from_offset(content, (size_t)written);
    }
    return fsync(fd) == 0 ? ERROR_NONE : io_error(err, "write", path, errno);
}

static enum error_code directory_sync(str path, struct error *err) {
    SCRATCH(scratch);
    FD fd = open(str_to_cstring(&scratch, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        return io_error(err, "sync folder", path, errno);
    }
    return ERROR_NONE;
}

// Writes the content to a fresh neighbour of `path` whose name goes to *temporary.
static enum error_code write_neighbour(struct arena *scratch, str path, str content, unsigned mode,
                                       char **temporary, struct error *err) {
    *temporary = str_to_cstring(scratch, str_format(scratch, STR_FORMAT ".XXXXXX", STR_ARGS(path)));
    FD fd = mkostemp(*temporary, O_CLOEXEC);
    if (fd < 0) {
        return io_error(err, "create", path, errno);
    }
    enum error_code code = ERROR_NONE;
    if (fchmod(fd, (mode_t)mode) != 0) {
        code = io_error(err, "create", path, errno);
    }
    if (code == ERROR_NONE) {
        code = fd_write_all(fd, path, content, err);
    }
    if (code != ERROR_NONE) {
        (void)unlink(*temporary);
    }
    return code;
}

enum error_code file_write_atomic(str path, str content, unsigned mode, struct error *err) {
    SCRATCH(scratch);
    char *temporary = NULL;
    TRY(write_neighbour(&scratch, path, content, mode, &temporary, err));
    if (rename(temporary, str_to_cstring(&scratch, path)) != 0) {
        const enum error_code code = io_error(err, "write", path, errno);
        (void)unlink(temporary);
        return code;
    }
    return directory_sync(path_directory(path), err);
}

enum error_code file_create(str path, str content, unsigned mode, struct error *err) {
    SCRATCH(scratch);
    char *temporary = NULL;
    TRY(write_neighbour(&scratch, path, content, mode, &temporary, err));
    // link(2) fails when the name exists: no window between a check and the write.
    const int failed = link(temporary, str_to_cstring(&scratch, path)) != 0 ? errno : 0;
    (void)unlink(temporary);
    if (failed == EEXIST) {
        return error_set(err, ERROR_CONFLICT, STR_FORMAT " exists already", STR_ARGS(path));
    }
    if (failed != 0) {
        return io_error(err, "create", path, failed);
    }
    return directory_sync(path_directory(path), err);
}

enum error_code directory_create(str path, unsigned mode, struct error *err) {
    if (path.size == 0 || path_is_directory(path)) {
        return ERROR_NONE;
    }
    const str parent = path_directory(path);
    if (!str_equal(parent, path)) {
        TRY(directory_create(parent, mode, err));
    }
    SCRATCH(scratch);
    if (mkdir(str_to_cstring(&scratch, path), (mode_t)mode) != 0 && errno != EEXIST) {
        return io_error(err, "create folder", path, errno);
    }
    return ERROR_NONE;
}

static bool stat_path(str path, struct stat *info) {
    SCRATCH(scratch);
    return stat(str_to_cstring(&scratch, path), info) == 0;
}

bool path_exists(str path) {
    struct stat info;
    return stat_path(path, &info);
}

bool path_is_directory(str path) {
    struct stat info;
    return stat_path(path, &info) && S_ISDIR(info.st_mode);
}

bool path_is_file(str path) {
    struct stat info;
    return stat_path(path, &info) && S_ISREG(info.st_mode);
}

bool path_is_writable(str path) {
    SCRATCH(scratch);
    return access(str_to_cstring(&scratch, path), W_OK) == 0;
}

enum error_code file_stat(str path, struct file_stat *out, struct error *err) {
    struct stat info;
    if (!stat_path(path, &info)) {
        return io_error(err, "look at", path, errno);
    }
    *out = (struct file_stat){.size = info.st_size,
                              .mtime_ns =
                                  (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec,
                              .inode = info.st_ino,
                              .is_directory = S_ISDIR(info.st_mode)};
    return ERROR_NONE;
}

// What to do with one name of a folder; `relative` is its path below the folder first opened.
struct walk {
    struct arena *arena;
    struct str_list *paths;
    bool recursive;
    struct error *err;
};

static enum error_code walk_directory(const struct walk *walk, str path, str prefix, int depth) {
    if (depth > DIRECTORY_DEPTH_MAX) {
        return error_set(walk->err, ERROR_LIMIT, STR_FORMAT " is nested deeper than %d folders",
                         STR_ARGS(path), DIRECTORY_DEPTH_MAX);
    }
    SCRATCH(scratch);
    DIR *directory = opendir(str_to_cstring(&scratch, path));
    if (directory == NULL) {
        return errno == ENOENT ? ERROR_NONE : io_error(walk->err, "read folder", path, errno);
    }
    enum error_code code = ERROR_NONE;
    const struct dirent *entry = NULL;
    while (code == ERROR_NONE && (entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        const str name = str_from(entry->d_name);
        const str full = path_join(&scratch, path, name);
        const str relative =
            prefix.size == 0 ? str_copy(walk->arena, name) : path_join(walk->arena, prefix, name);
        if (path_is_file(full)) {
            str_list_push(walk->arena, walk->paths, relative);
        } else if (walk->recursive && path_is_directory(full)) {
            code = walk_directory(walk, full, relative, depth + 1);
        }
    }
    (void)closedir(directory);
    return code;
}

enum error_code directory_files(struct arena *arena, str path, struct str_list *names,
                                struct error *err) {
    const struct walk walk = {.arena = arena, .paths = names, .recursive = false, .err = err};
    TRY(walk_directory(&walk, path, (str){NULL, 0}, 0));
    str_list_sort(names);
    return ERROR_NONE;
}

enum error_code directory_walk(struct arena *arena, str path, struct str_list *paths,
                               struct error *err) {
    const struct walk walk = {.arena = arena, .paths = paths, .recursive = true, .err = err};
    TRY(walk_directory(&walk, path, (str){NULL, 0}, 0));
    str_list_sort(paths);
    return ERROR_NONE;
}

str path_join(struct arena *arena, str directory, str name) {
    if (directory.size == 0 || path_is_absolute(name)) {
        return str_copy(arena, name);
    }
    const bool slash = str_ends_with(directory, STR("/"));
    return str_format(arena, STR_FORMAT "%s" STR_FORMAT, STR_ARGS(directory), slash ? "" : "/",
                      STR_ARGS(name));
}

str path_directory(str path) {
    const size_t slash = str_find_last_char(path, '/');
    if (slash == SIZE_MAX) {
        return STR(".");
    }
    return str_slice(path, 0, slash == 0 ? 1 : slash);
}

str path_base(str path) {
    const size_t slash = str_find_last_char(path, '/');
    return slash == SIZE_MAX ? path : str_from_offset(path, slash + 1);
}

str path_stem(str path) {
    const str base = path_base(path);
    const size_t dot = str_find_last_char(base, '.');
    return dot == SIZE_MAX || dot == 0 ? base : str_slice(base, 0, dot);
}

str path_working_directory(struct arena *arena) {
    char buffer[PATH_MAX];
    return getcwd(buffer, sizeof(buffer)) == NULL ? STR(".") : str_copy(arena, str_from(buffer));
}

bool path_is_absolute(str path) {
    return str_starts_with(path, STR("/"));
}

enum error_code path_real(struct arena *arena, str path, str *real, struct error *err) {
    char buffer[PATH_MAX];
    SCRATCH(scratch);
    if (realpath(str_to_cstring(&scratch, path), buffer) == NULL) {
        return io_error(err, "resolve", path, errno);
    }
    *real = str_copy(arena, str_from(buffer));
    return ERROR_NONE;
}

bool path_is_inside(str real, str root) {
    if (!str_starts_with(real, root)) {
        return false;
    }
    return real.size == root.size || str_ends_with(root, STR("/")) || real.data[root.size] == '/';
}

enum { LOCK_POLL_US = 50 * 1000 };

enum error_code file_lock(struct arena *arena, str path, str content, int64_t timeout_ms,
                          struct file_lock *lock, str *holder, struct error *err) {
    SCRATCH(scratch);
    lock->fd = -1;
    *holder = (str){NULL, 0};
    FD fd = open(str_to_cstring(&scratch, path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return io_error(err, "lock", path, errno);
    }
    const struct clock clock = clock_system();
    const int64_t deadline = clock_monotonic_us(&clock) + timeout_ms * 1000;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return io_error(err, "lock", path, errno);
        }
        if (clock_monotonic_us(&clock) >= deadline) {
            TRY(fd_read_all(fd, arena, path, holder, err));
            return error_set(err, ERROR_CONFLICT, STR_FORMAT " is locked", STR_ARGS(path));
        }
        TRY(clock_sleep_us(&clock, LOCK_POLL_US, NULL, err));
    }
    if (ftruncate(fd, 0) != 0) {
        return io_error(err, "lock", path, errno);
    }
    TRY(fd_write_all(fd, path, content, err));
    lock->fd = fd;
    fd = -1; // the caller's now: NOLINT(clang-analyzer-deadcode.DeadStores)
    return ERROR_NONE;
}

void file_unlock(struct file_lock *lock) {
    if (lock->fd >= 0) {
        (void)close(lock->fd);
        lock->fd = -1;
    }
}

static int remove_entry(const char *path, const struct stat *stat, int flag, struct FTW *walk) {
    (void)stat;
    (void)flag;
    (void)walk;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

enum error_code directory_remove(str path, struct error *err) {
    enum { DESCRIPTORS_MAX = 16 };
    SCRATCH(scratch);
    if (nftw(str_to_cstring(&scratch, path), remove_entry, DESCRIPTORS_MAX, FTW_DEPTH | FTW_PHYS) ==
            0 ||
        errno == ENOENT) {
        return ERROR_NONE;
    }
    return error_set(err, ERROR_IO, "cannot remove " STR_FORMAT ": %s", STR_ARGS(path),
                     strerror(errno));
}

enum error_code directory_folders(struct arena *arena, str path, struct str_list *names,
                                  struct error *err) {
    SCRATCH(scratch);
    *names = (struct str_list){0};
    DIR *directory = opendir(str_to_cstring(&scratch, path));
    if (directory == NULL) {
        return errno == ENOENT ? ERROR_NONE
                               : error_set(err, ERROR_IO, "cannot read " STR_FORMAT ": %s",
                                           STR_ARGS(path), strerror(errno));
    }
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        const str name = str_from(entry->d_name);
        if (!str_equal(name, STR(".")) && !str_equal(name, STR("..")) &&
            path_is_directory(path_join(&scratch, path, name))) {
            str_list_push(arena, names, str_copy(arena, name));
        }
    }
    (void)closedir(directory);
    str_list_sort(names);
    return ERROR_NONE;
}
