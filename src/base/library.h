#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

// Shared libraries that are loaded when they are needed and not before (design D4): `coypu version`
// must not pay for DuckDB or libcurl.
//
//     #define API(X) X(curl_easy_init) X(curl_easy_perform)
//     struct curl_api { LIBRARY_FIELDS(API) };      // one typed pointer a function, of its own
//     name
//
// The loaded library stays loaded until the process ends.

#include "base/error.h"

// A declaration, so the name cannot stand in parentheses.
#define LIBRARY_FIELD(function)                                                                    \
    __typeof__(&(function)) function; // NOLINT(bugprone-macro-parentheses)
#define LIBRARY_NAME(function) #function,

// Opens the first of `paths` (NULL-terminated list) that loads and fills `functions` (an array of
// pointers) with the symbols `names`.  ERROR_NOT_FOUND names all paths and the loader's reason.
MUST_USE enum error_code library_load(const char *const *paths, const char *const *names,
                                      size_t name_count, void *functions, struct error *err);

#endif
