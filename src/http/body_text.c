// The body of a response as text: http_response_text of http.h.
#include "base/text.h"
#include "http/http.h"

#include <errno.h>
#include <iconv.h>

static const str REPLACEMENT = STR_INIT("\xEF\xBF\xBD"); // U+FFFD

static str utf8_repaired(struct arena *arena, str bytes) {
    if (str_is_utf8(bytes)) {
        return bytes;
    }
    struct text out;
    text_init(&out, arena);
    for (;;) {
        const size_t bad = str_first_invalid_utf8(bytes);
        text_add(&out, str_slice(bytes, 0, bad));
        if (bad == SIZE_MAX) {
            return text_str(&out);
        }
        text_add(&out, REPLACEMENT);
        bytes = str_from_offset(bytes, bad + 1);
    }
}

// false when the charset is unknown to the system.
static bool decode(struct arena *arena, str bytes, str charset, str *decoded) {
    iconv_t converter = iconv_open("UTF-8", str_to_cstring(arena, charset));
    if (converter == (iconv_t)-1) {
        return false;
    }
    struct text out;
    text_init(&out, arena);
    union { // iconv takes char **, though it does not write through it
        const char *in;
        char *as_iconv_wants;
    } input = {bytes.data};
    size_t left = bytes.size;
    while (left > 0) {
        enum { ROOM = 4096 };
        char *room = text_reserve(&out, ROOM);
        char *end = room;
        size_t room_left = ROOM;
        const size_t done = iconv(converter, &input.as_iconv_wants, &left, &end, &room_left);
        const int reason = errno;
        text_advance(&out, (size_t)(end - room));
        if (done == (size_t)-1 && reason != E2BIG) {
            text_add(&out, REPLACEMENT);
            input.in++;
            left--;
        }
    }
    (void)iconv_close(converter);
    *decoded = text_str(&out);
    return true;
}

str http_response_text(const struct http_response *response, struct arena *arena) {
    str body = {response->body, response->body_size};
    str type;
    str charset;
    str decoded;
    if (http_headers_get(&response->headers, STR("Content-Type"), &type) &&
        http_header_parameter(arena, type, STR("charset"), &charset) && charset.size > 0 &&
        !str_equal_nocase(charset, STR("utf-8")) && !str_equal_nocase(charset, STR("utf8")) &&
        decode(arena, body, charset, &decoded)) {
        return decoded;
    }
    if (str_starts_with(body, STR("\xEF\xBB\xBF"))) {
        body = str_from_offset(body, 3);
    }
    return utf8_repaired(arena, body);
}
