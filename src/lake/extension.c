// Loading DuckDB's extensions: from our folder only, and only what has the hash that we pinned.
//
// DuckDB's own signature check hashes 36 MB at every start (0.2 s CPU).  We open with
// allow_unsigned_extensions and check ourselves: the file's SHA-256 must be the pinned one, and a
// record in the user's cache folder remembers (path, inode, size, mtime) -> hash, so that the file
// is hashed again only when one of these changes.  Who can write the record can write the program.

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "lake/duckdb_api.h"
#include "lake/extension_pins.h"

#include <string.h>

static bool is_alias_of(str name, str pinned) {
    static const str aliases[][2] = {
        {STR_INIT("sqlite"), STR_INIT("sqlite_scanner")},
        {STR_INIT("sqlite3"), STR_INIT("sqlite_scanner")},
        {STR_INIT("postgres"), STR_INIT("postgres_scanner")},
        {STR_INIT("http"), STR_INIT("httpfs")},
        {STR_INIT("https"), STR_INIT("httpfs")},
        {STR_INIT("s3"), STR_INIT("httpfs")},
    };
    for (size_t i = 0; i < ARRAY_COUNT(aliases); i++) {
        if (str_equal_nocase(name, aliases[i][0]) && str_equal(pinned, aliases[i][1])) {
            return true;
        }
    }
    return str_equal_nocase(name, pinned);
}

static size_t pin_find(str name) {
    size_t i = 0;
    while (i < extension_pin_count && !is_alias_of(name, extension_pins[i].name)) {
        i++;
    }
    return i;
}

bool lake_extension_is_pinned(str name) {
    return pin_find(name) < extension_pin_count;
}

bool lake_extension_is_built_in(str name) {
    static const str names[] = {STR_INIT("json"), STR_INIT("icu"), STR_INIT("parquet"),
                                STR_INIT("core_functions"), STR_INIT("autocomplete")};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (str_equal_nocase(name, names[i])) {
            return true;
        }
    }
    return false;
}

// ── The record: a line a file, "SHA256 INODE SIZE MTIME_NS PATH" ──

static str record_path(const struct lake *lake, struct arena *arena) {
    return path_join(arena, lake->cache_directory, STR("extensions"));
}

static str record_key(struct arena *arena, str path, const struct file_stat *stat) {
    return str_format(arena, " %llu %lld %lld " STR_FORMAT, (unsigned long long)stat->inode,
                      (long long)stat->size, (long long)stat->mtime_ns, STR_ARGS(path));
}

static str record_read(const struct lake *lake, struct arena *arena) {
    struct error ignored = {0};
    str content = {0};
    if (str_is_empty(lake->cache_directory) ||
        file_read(arena, record_path(lake, arena), &content, &ignored) != ERROR_NONE) {
        return (str){0}; // no record: the files are hashed
    }
    return content;
}

static bool record_has(str record, str sha256, str key) {
    struct str_splitter lines = {.rest = record};
    str line = {0};
    while (str_split_next(&lines, '\n', &line)) {
        if (str_starts_with(line, sha256) && str_equal(str_from_offset(line, sha256.size), key)) {
            return true;
        }
    }
    return false;
}

// Writes the record anew without older lines of the same path.  A folder that cannot be written
// costs time at the next start, nothing else.
static void record_add(const struct lake *lake, str record, str path, str sha256, str key) {
    if (str_is_empty(lake->cache_directory)) {
        return;
    }
    SCRATCH(scratch);
    struct text out;
    text_init(&out, &scratch);
    const str ending = str_format(&scratch, " " STR_FORMAT, STR_ARGS(path));
    struct str_splitter lines = {.rest = record};
    str line = {0};
    while (str_split_next(&lines, '\n', &line)) {
        if (!str_is_empty(line) && !str_ends_with(line, ending)) {
            text_format(&out, STR_FORMAT "\n", STR_ARGS(line));
        }
    }
    text_format(&out, STR_FORMAT STR_FORMAT "\n", STR_ARGS(sha256), STR_ARGS(key));
    struct error ignored = {0};
    if (directory_create(lake->cache_directory, 0700, &ignored) == ERROR_NONE) {
        (void)!file_write_atomic(record_path(lake, &scratch), text_str(&out), 0600, &ignored);
    }
}

// ── Verifying and loading ──

static enum error_code verify(const struct lake *lake, const struct extension_pin *pin, str path,
                              struct error *err) {
    SCRATCH(scratch);
    struct file_stat stat = {0};
    if (file_stat(path, &stat, err) != ERROR_NONE) {
        (void)error_set(err, ERROR_NOT_FOUND,
                        "the DuckDB extension " STR_FORMAT " is not in " STR_FORMAT,
                        STR_ARGS(pin->name), STR_ARGS(lake->extension_directory));
        error_hint(err, "run ./dev setup to install it");
        return err->code;
    }
    const str key = record_key(&scratch, path, &stat);
    const str record = record_read(lake, &scratch);
    if (record_has(record, pin->sha256, key)) {
        return ERROR_NONE;
    }
    str content = {0};
    TRY(file_read(&scratch, path, &content, err));
    const str found = sha256_hex(&scratch, content);
    if (!str_equal(found, pin->sha256)) {
        (void)error_set(err, ERROR_INVALID,
                        "the DuckDB extension " STR_FORMAT " is not the file that was pinned: "
                        "SHA-256 " STR_FORMAT ", expected " STR_FORMAT,
                        STR_ARGS(path), STR_ARGS(found), STR_ARGS(pin->sha256));
        error_hint(err, "run ./dev setup to install it again");
        return err->code;
    }
    record_add(lake, record, path, pin->sha256, key);
    return ERROR_NONE;
}

static enum error_code load(struct lake_connection *connection, const struct extension_pin *pin,
                            struct error *err) {
    SCRATCH(scratch);
    const struct lake *lake = connection->lake;
    const str file = str_format(&scratch, STR_FORMAT ".duckdb_extension", STR_ARGS(pin->name));
    const str path = path_join(&scratch, lake->extension_directory, file);
    TRY(verify(lake, pin, path, err));
    str real = {0};
    TRY(path_real(&scratch, path, &real, err));
    const str sql =
        str_format(&scratch, "LOAD " STR_FORMAT, STR_ARGS(lake_quote_text(&scratch, real)));
    struct lake_result *result = NULL;
    TRY(lake_run(connection, sql, false, &result, err));
    lake_result_free(result);
    return ERROR_NONE;
}

enum error_code lake_load_extension(struct lake_connection *connection, str name,
                                    struct error *err) {
    struct lake *lake = connection->lake;
    const size_t index = pin_find(name);
    if (index == extension_pin_count) {
        return error_set(err, ERROR_NOT_FOUND,
                         "the DuckDB extension " STR_FORMAT " is not one that this program pins",
                         STR_ARGS(name));
    }
    // The lock is held while loading: two threads must not load one extension twice.
    pthread_mutex_lock(&lake->lock);
    enum error_code code = ERROR_NONE;
    if (!lake->shared.extension_loaded[index]) {
        code = load(connection, &extension_pins[index], err);
        lake->shared.extension_loaded[index] = code == ERROR_NONE;
    }
    pthread_mutex_unlock(&lake->lock);
    return code;
}

// ── Which ones a text speaks of ──

struct extension_sign {
    str text; // in lower case
    str extension;
};
static const struct extension_sign extension_signs[] = {
    {STR_INIT("ducklake"), STR_INIT("ducklake")},
    {STR_INIT("sqlite"), STR_INIT("sqlite_scanner")},
    {STR_INIT("postgres"), STR_INIT("postgres_scanner")},
    {STR_INIT("s3://"), STR_INIT("httpfs")},
    {STR_INIT("gs://"), STR_INIT("httpfs")},
    {STR_INIT("gcs://"), STR_INIT("httpfs")},
    {STR_INIT("r2://"), STR_INIT("httpfs")},
    {STR_INIT("hf://"), STR_INIT("httpfs")},
    {STR_INIT("http://"), STR_INIT("httpfs")},
    {STR_INIT("https://"), STR_INIT("httpfs")},
    {STR_INIT("type s3"), STR_INIT("httpfs")},
    {STR_INIT("type gcs"), STR_INIT("httpfs")},
    {STR_INIT("type r2"), STR_INIT("httpfs")},
    {STR_INIT("type http"), STR_INIT("httpfs")},
};
_Static_assert(LAKE_EXTENSION_COUNT == 4, "one flag a pinned extension");

enum error_code lake_load_extensions_for(struct lake_connection *connection, str text,
                                         struct error *err) {
    SCRATCH(scratch);
    const str lower = str_to_lower(&scratch, text);
    for (size_t i = 0; i < ARRAY_COUNT(extension_signs); i++) {
        if (str_find(lower, extension_signs[i].text) != SIZE_MAX) {
            TRY(lake_load_extension(connection, extension_signs[i].extension, err));
        }
    }
    return ERROR_NONE;
}
