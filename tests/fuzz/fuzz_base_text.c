// Any bytes as `.env`, as text to be redacted and as times: nothing crashes, no secret stays.
#include "base/arena.h"
#include "base/clock.h"
#include "base/environment.h"
#include "base/redact.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    SCRATCH(arena);
    const str text = {(const char *)data, size};
    struct redactor *redactor = redactor_new();
    struct environment environment;
    struct error_list warnings;
    environment_init(&environment, &arena, false);
    error_list_init(&warnings, &arena);
    environment_load(&environment, STR(".env"), text, redactor, &warnings);
    str expanded;
    struct error err;
    (void)environment_expand(&environment, &arena, STR("c.sql"), text, &expanded, &err);
    redact_secret(redactor, STR("s3cret-value"));
    const str shown = redact_text(redactor, &arena, text);
    if (str_find(shown, STR("s3cret-value")) != SIZE_MAX) {
        abort();
    }
    int64_t us = 0;
    (void)time_parse(text, &us);
    (void)time_parse_http(text, &us);
    (void)duration_parse(text, &us);
    environment_done(&environment);
    redactor_free(redactor);
    return 0;
}
