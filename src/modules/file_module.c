// The flat builtins that read files: glob, file_exists, read_text, read_blob, md5_file.
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "modules/argument.h"
#include "modules/builtins.h"
#include "modules/host.h"
#include "modules/path.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

// The path of a file that may be read; false after star_fail.
static bool file_argument(struct star_thread *thread, const char *what, star_value value,
                          struct arena *arena, str *real) {
    struct error err;
    str path;
    if (!argument_text(thread, what, value, &path)) {
        return false;
    }
    if (path_allowed(&modules_host_of(thread)->options, arena, path, real, &err) != ERROR_NONE) {
        error_context(&err, "%s", what);
        (void)modules_fail(thread, &err);
        return false;
    }
    return true;
}

static star_value file_exists(struct star_thread *thread, const struct star_call_info *call) {
    SCRATCH(scratch);
    struct error err;
    str path;
    str real;
    if (!argument_text(thread, "file_exists", call->arguments[0], &path)) {
        return STAR_ERROR;
    }
    const enum error_code code =
        path_allowed(&modules_host_of(thread)->options, &scratch, path, &real, &err);
    if (code == ERROR_INVALID) {
        error_context(&err, "file_exists");
        return modules_fail(thread, &err);
    }
    return star_bool(code == ERROR_NONE && path_is_file(real));
}

static bool read_whole(struct star_thread *thread, const char *what, star_value value,
                       struct arena *arena, str *content) {
    struct error err;
    str real;
    if (!file_argument(thread, what, value, arena, &real)) {
        return false;
    }
    if (file_read(arena, real, content, &err) != ERROR_NONE) {
        error_context(&err, "%s", what);
        (void)modules_fail(thread, &err);
        return false;
    }
    return true;
}

static star_value read_text(struct star_thread *thread, const struct star_call_info *call) {
    SCRATCH(scratch);
    str content;
    if (!read_whole(thread, "read_text", call->arguments[0], &scratch, &content)) {
        return STAR_ERROR;
    }
    const size_t bad = str_first_invalid_utf8(content);
    if (bad != SIZE_MAX) {
        return star_fail(thread, "read_text: the file is not UTF-8 (byte %zu); use read_blob", bad);
    }
    return value_from_str(thread, content);
}

static star_value read_blob(struct star_thread *thread, const struct star_call_info *call) {
    SCRATCH(scratch);
    str content;
    if (!read_whole(thread, "read_blob", call->arguments[0], &scratch, &content)) {
        return STAR_ERROR;
    }
    return star_bytes(thread, content.size > 0 ? content.data : "", content.size);
}

static star_value md5_file(struct star_thread *thread, const struct star_call_info *call) {
    SCRATCH(scratch);
    str real;
    if (!file_argument(thread, "md5_file", call->arguments[0], &scratch, &real)) {
        return STAR_ERROR;
    }
    enum { PIECE = 256 << 10 };
    FILE *file = fopen(str_to_cstring(&scratch, real), "rbe");
    if (file == NULL) {
        return star_fail_host(thread, STAR_HOST, ERROR_IO, "md5_file: cannot open " STR_FORMAT,
                              STR_ARGS(real));
    }
    struct hash *hash = hash_new(HASH_MD5);
    char *piece = arena_alloc_bytes(&scratch, PIECE);
    size_t got = PIECE;
    while (got == PIECE) {
        got = fread(piece, 1, PIECE, file);
        hash_add(hash, (str){piece, got});
    }
    const bool failed = ferror(file) != 0;
    (void)fclose(file);
    const str hex = hash_finish(hash, &scratch);
    if (failed) {
        return star_fail_host(thread, STAR_HOST, ERROR_IO, "md5_file: cannot read " STR_FORMAT,
                              STR_ARGS(real));
    }
    return value_from_str(thread, hex);
}

// --- glob ----------------------------------------------------------------------------------------

static bool has_wildcard(str part) {
    return str_find_char(part, '*') != SIZE_MAX || str_find_char(part, '?') != SIZE_MAX ||
           str_find_char(part, '[') != SIZE_MAX;
}

// Splits off what stands before the first slash.
static str first_part(str path, str *rest) {
    const size_t slash = str_find_char(path, '/');
    *rest = slash == SIZE_MAX ? (str){0} : str_from_offset(path, slash + 1);
    return str_slice(path, 0, slash);
}

// Part by part; "**" stands for any number of folders.
static bool path_matches(struct arena *scratch, str pattern, str path) {
    str pattern_rest;
    str path_rest;
    if (str_is_empty(pattern) || str_is_empty(path)) {
        return str_is_empty(pattern) && str_is_empty(path);
    }
    const str wanted = first_part(pattern, &pattern_rest);
    const str got = first_part(path, &path_rest);
    if (str_equal(wanted, STR("**"))) {
        return path_matches(scratch, pattern_rest, path) ||
               path_matches(scratch, pattern, path_rest);
    }
    return fnmatch(str_to_cstring(scratch, wanted), str_to_cstring(scratch, got), FNM_PERIOD) ==
               0 &&
           path_matches(scratch, pattern_rest, path_rest);
}

// The folder to walk: the parts of the pattern before the first wildcard, but for the last part.
static str fixed_folder(str pattern, str *rest) {
    size_t end = 0;
    *rest = pattern;
    for (;;) {
        str after;
        const str part = first_part(*rest, &after);
        if (has_wildcard(part) || str_is_empty(after)) {
            return str_slice(pattern, 0, end);
        }
        end += part.size + 1;
        *rest = after;
    }
}

static star_value glob_matches(struct star_thread *thread, str folder, str pattern,
                               const struct str_list *paths, struct arena *scratch) {
    const struct modules_options *options = &modules_host_of(thread)->options;
    const star_value list = star_list(thread, NULL, 0);
    for (size_t i = 0; i < paths->count && !star_is_error(list); i++) {
        struct error ignored;
        str real;
        const str whole =
            str_format(scratch, STR_FORMAT STR_FORMAT, STR_ARGS(folder), STR_ARGS(paths->items[i]));
        if (!path_matches(scratch, pattern, paths->items[i]) ||
            path_allowed(options, scratch, whole, &real, &ignored) != ERROR_NONE) {
            continue;
        }
        const star_value item = value_from_str(thread, whole);
        if (star_is_error(item) || !star_list_append(thread, list, item)) {
            return STAR_ERROR;
        }
    }
    return list;
}

static star_value glob_call(struct star_thread *thread, const struct star_call_info *call) {
    SCRATCH(scratch);
    struct error err;
    struct str_list paths = {0};
    str pattern;
    str rest;
    str real;
    if (!argument_text(thread, "glob", call->arguments[0], &pattern)) {
        return STAR_ERROR;
    }
    while (str_starts_with(pattern, STR("./"))) {
        pattern = str_from_offset(pattern, 2);
    }
    const str folder = fixed_folder(pattern, &rest);
    enum error_code code = path_allowed(&modules_host_of(thread)->options, &scratch,
                                        str_is_empty(folder) ? STR(".") : folder, &real, &err);
    if (code == ERROR_NONE) {
        code = directory_walk(&scratch, real, &paths, &err);
    }
    if (code == ERROR_NOT_FOUND) {
        return star_list(thread, NULL, 0);
    }
    if (code != ERROR_NONE) {
        error_context(&err, "glob");
        return modules_fail(thread, &err);
    }
    return glob_matches(thread, folder, rest, &paths, &scratch);
}

static const struct star_parameter path_parameter[] = {{"path", STAR_REQUIRED, 0}};
static const struct star_parameter pattern_parameter[] = {{"pattern", STAR_REQUIRED, 0}};
static const struct star_builtin functions[] = {
    STAR_BUILTIN("glob", glob_call, pattern_parameter),
    STAR_BUILTIN("file_exists", file_exists, path_parameter),
    STAR_BUILTIN("read_text", read_text, path_parameter),
    STAR_BUILTIN("read_blob", read_blob, path_parameter),
    STAR_BUILTIN("md5_file", md5_file, path_parameter),
};
const struct builtin_table file_builtins = {NULL, functions, ARRAY_COUNT(functions)};
