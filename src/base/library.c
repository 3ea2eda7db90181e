#include "base/library.h"

#include "base/arena.h"
#include "base/text.h"

#include <dlfcn.h>
#include <string.h>

enum error_code library_load(const char *const *paths, const char *const *names, size_t name_count,
                             void *functions, struct error *err) {
    SCRATCH(scratch);
    struct text tried;
    text_init(&tried, &scratch);
    void *library = NULL;
    for (size_t i = 0; paths[i] != NULL && library == NULL; i++) {
        library = dlopen(paths[i], RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) {
            const char *reason = dlerror();
            text_format(&tried, "%s%s", i > 0 ? "; " : "", reason != NULL ? reason : paths[i]);
        }
    }
    if (library == NULL) {
        return error_set(err, ERROR_NOT_FOUND, "cannot load a shared library: %s",
                         text_cstring(&tried));
    }
    for (size_t i = 0; i < name_count; i++) {
        void *symbol = dlsym(library, names[i]);
        if (symbol == NULL) {
            return error_set(err, ERROR_NOT_FOUND, "%s has no function %s", paths[0], names[i]);
        }
        // POSIX guarantees that a function's address survives in a void pointer.
        memcpy((char *)functions + i * sizeof(symbol), &symbol, sizeof(symbol));
    }
    return ERROR_NONE;
}
