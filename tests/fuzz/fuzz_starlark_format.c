// Any bytes as the format of `%` and of str.format, with arguments of every type; the bytes behind
// the first newline are one argument more.  The result is text or an error.
#include "session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char program[] =
    "values = [None, True, 0, -1, 1 << 70, 0.5, -0.0, 1e300, float('nan'), 'text', b'\\xff',\n"
    "          [1, 'a'], (1, 2), {'name': 1, 'a b': 2}, set([1]), range(3), len, 0x10FFFF, "
    "0xD800]\n"
    "def percent(f, *args):\n"
    "    return f % args\n"
    "def percent_one(f, x):\n"
    "    return f % x\n"
    "def formatted(f, *args):\n"
    "    return f.format(name = args[0], *args)\n"
    "def value(i):\n"
    "    return values[i]\n";

static void try_values(struct session *session, const char *function, str format, str extra) {
    struct star_thread *thread = session->thread;
    for (int64_t i = 0; i < 19; i++) {
        star_value index = star_int(thread, i);
        const star_value value = session_call(session, "value", &index, 1);
        const star_value arguments[] = {star_string(thread, format.data, format.size), value,
                                        star_string(thread, extra.data, extra.size), value, value};
        const size_t count = function[0] == 'o' ? 2 : 2 + (size_t)(i % 4);
        const star_value result = session_call(session, function + 1, arguments, count);
        const char *text = NULL;
        size_t size = 0;
        if (!star_is_error(result) && !star_get_text(result, &text, &size)) {
            abort();
        }
        session->transcript.size = 0;
        star_thread_reset(thread);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const str all = {(const char *)data, size};
    const size_t cut = str_find_char(all, '\n');
    const str format = str_slice(all, 0, cut == SIZE_MAX ? size : cut);
    const str extra = str_from_offset(all, cut == SIZE_MAX ? size : cut + 1);
    struct session session;
    if (!session_begin(&session, str_from(program), STAR_DIALECT_SCRIPT, 64 * 1024)) {
        abort();
    }
    try_values(&session, "*percent", format, extra);
    try_values(&session, "opercent_one", format, extra);
    try_values(&session, "*formatted", format, extra);
    session_end(&session);
    return 0;
}
