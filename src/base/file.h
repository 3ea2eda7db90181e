#ifndef BASE_FILE_H
#define BASE_FILE_H

// Files and paths.  errno is read here and travels no further.
//
// Errors: ERROR_NOT_FOUND when the path does not exist, ERROR_IO for everything else, both with the
// path in the message.
// Threads: any, on different paths.

#include "base/error.h"
#include "base/list.h"

struct arena;

enum { FILE_SIZE_MAX = 1 << 30 }; // bytes that file_read takes at the most

// The whole file.  A directory is ERROR_IO.
MUST_USE enum error_code file_read(struct arena *arena, str path, str *content, struct error *err);
// Writes a neighbouring temporary file, fsyncs it, renames it over `path` and fsyncs the folder: a
// reader sees the old or the new content, also after a crash.  `mode` as for open(2).
MUST_USE enum error_code file_write_atomic(str path, str content, unsigned mode, struct error *err);
// As file_write_atomic, but ERROR_CONFLICT when `path` exists.
MUST_USE enum error_code file_create(str path, str content, unsigned mode, struct error *err);
MUST_USE enum error_code directory_create(str path, unsigned mode,
                                          struct error *err); // and its parents
// The folder with everything below it; symlinks are removed, not followed.  Fine when it is not
// there.
MUST_USE enum error_code directory_remove(str path, struct error *err);
// Names of the folders directly in `path`, sorted by byte; empty when it does not exist.
MUST_USE enum error_code directory_folders(struct arena *arena, str path, struct str_list *names,
                                           struct error *err);
bool path_exists(str path);
bool path_is_directory(str path);
bool path_is_file(str path);

bool path_is_writable(str path); // by this user

struct file_stat {
    int64_t size;     // bytes
    int64_t mtime_ns; // since the epoch
    uint64_t inode;
    bool is_directory;
};
MUST_USE enum error_code file_stat(str path, struct file_stat *out, struct error *err);

// Names of the files (not folders) directly in `path`, sorted by byte; empty when it does not
// exist.
MUST_USE enum error_code directory_files(struct arena *arena, str path, struct str_list *names,
                                         struct error *err);
// Paths relative to `path` of all regular files below it, sorted by byte.  Names that begin with a
// dot are left out.  Symlinks are followed; a loop ends at DIRECTORY_DEPTH_MAX.
enum { DIRECTORY_DEPTH_MAX = 32 };
MUST_USE enum error_code directory_walk(struct arena *arena, str path, struct str_list *paths,
                                        struct error *err);

str path_join(struct arena *arena, str directory, str name);
str path_directory(str path); // "a/b" for "a/b/c"; "." when there is no slash
str path_base(str path);      // "c" for "a/b/c"
str path_stem(str path);      // "c" for "a/b/c.sql"
str path_working_directory(struct arena *arena);
bool path_is_absolute(str path);
// The path with symlinks and dots resolved; every part must exist.
MUST_USE enum error_code path_real(struct arena *arena, str path, str *real, struct error *err);
// Whether `real` (resolved) is `root` (resolved) or lies below it.
bool path_is_inside(str real, str root);

// An advisory lock on a file (flock), held until file_unlock or the end of the process.
struct file_lock {
    int fd; // -1 when not held
};
// Tries until `timeout_ms` has passed (0: once).  ERROR_CONFLICT when another process holds it; the
// content of the file, written by its holder, is then in *holder.
MUST_USE enum error_code file_lock(struct arena *arena, str path, str content, int64_t timeout_ms,
                                   struct file_lock *lock, str *holder, struct error *err);
void file_unlock(struct file_lock *lock);

#endif
