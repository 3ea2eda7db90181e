// Any bytes as URL and as reference: what is built can be sent, and resolving stays within the
// text.
#include "base/arena.h"
#include "http/url.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sendable(str url) {
    for (size_t i = 0; i < url.size; i++) {
        const unsigned char c = (unsigned char)url.data[i];
        if (c <= ' ' || c >= 0x7f || c == '#') {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    SCRATCH(arena);
    struct error err;
    const str text = {(const char *)data, size};
    const size_t line = str_find_char(text, '\n');
    const str base = str_slice(text, 0, line);
    const str reference = line == SIZE_MAX ? text : str_from_offset(text, line + 1);
    str url;
    if (url_build(&arena, base, reference, &url, &err) == ERROR_NONE) {
        check_sendable(url);
        struct url parts;
        if (url_parse(url, &parts, &err) != ERROR_NONE || parts.host.size == 0) {
            abort();
        }
        struct url_params params = {0};
        url_params_parse(&arena, parts.query, &params);
        check_sendable(url_with_params(&arena, url, &params));
    }
    (void)url_resolve(&arena, base, reference);
    (void)url_redact(&arena, text);
    return 0;
}
