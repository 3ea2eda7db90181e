#ifndef LIB_API_VALUE_H
#define LIB_API_VALUE_H

// Typed reading of one value of the API dict; a wrong one is reported at its own token.
//
// Every getter leaves *out alone when the value is absent (NULL) or wrong, so that the default
// stays, and returns whether it was set.

#include "lib/api_read.h"

struct api_reader {
    struct arena *arena;
    const struct api_source *source;
    struct error_list *errors;
};

// One dict of the API: its path ("API.push") and what was found behind each known key.
enum { API_KEYS_MAX = 32 };
struct api_section {
    struct api_reader *reader;
    str path;
    const str *keys;
    size_t key_count;
    const struct lib_literal *found[API_KEYS_MAX]; // NULL: not written
};

void api_report(struct api_reader *reader, const struct lib_literal *at, const char *format, ...)
    PRINTF_LIKE(3, 4);
// Reports unknown keys (nearest known one as hint), duplicates and keys that are no strings.  false
// when `literal` is no dict.
bool api_section_read(struct api_reader *reader, str path, const struct lib_literal *literal,
                      const str *keys, size_t key_count, struct api_section *section);
// The path of one key: API.push.batch_mode.
str api_key_path(const struct api_section *section, size_t key);

bool api_string(const struct api_section *section, size_t key, str *out);
bool api_bool(const struct api_section *section, size_t key, bool *out);
bool api_integer(const struct api_section *section, size_t key, int64_t minimum, int64_t *out);
// A number of seconds as microseconds; 0 only when `allow_zero`.
bool api_seconds(const struct api_section *section, size_t key, bool allow_zero, int64_t *out_us);
// "1m30s", or a plain number of seconds.
bool api_duration(const struct api_section *section, size_t key, int64_t *out_us);
bool api_strings(const struct api_section *section, size_t key, struct str_list *out);
// A list of strings out of a closed set.
bool api_choices(const struct api_section *section, size_t key, const str *choices, size_t count,
                 struct str_list *out);
// "a, b, c"
str api_join(struct arena *arena, const str *names, size_t count);
// `a string`, `an int`, …: the value's type for `must be …, got a string`.
const char *api_kind_name(const struct lib_literal *literal);
// Reports a value that is no literal anywhere inside; false then.
bool api_check_literal(struct api_reader *reader, str path, const struct lib_literal *literal);

#endif
