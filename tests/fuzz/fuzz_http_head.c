// Any bytes as header values: links, parameters and digest challenges, and the answer to one.
#include "base/arena.h"
#include "http/digest.h"
#include "http/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    SCRATCH(arena);
    const str text = {(const char *)data, size};
    struct http_headers headers = {0};
    struct http_links links = {0};
    struct http_digest challenge;
    str parameter;
    http_headers_add(&arena, &headers, STR("Link"), text);
    http_headers_add(&arena, &headers, STR("WWW-Authenticate"), text);
    http_links_parse(&arena, &headers, STR("https://api.x/items"), &links);
    (void)http_header_parameter(&arena, text, STR("charset"), &parameter);
    (void)http_header_canonical(&arena, text);
    if (http_digest_parse(&arena, &headers, &challenge)) {
        const struct http_digest_call call = {.method = STR("GET"), .uri = STR("/"), .user = text};
        (void)http_digest_answer(&arena, &challenge, &call);
    }
    return 0;
}
