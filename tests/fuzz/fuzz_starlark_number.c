// Any bytes as the text of an int or a float: what reads, writes a text that reads back as the same
// number; arithmetic on what was read keeps its laws; floats and ints agree on order and hash.
#include "session.h"
#include "starlark/number_text.h"

#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char program[] =
    "def laws(s, t, base):\n"
    "    a = int(s, base)\n"
    "    b = int(t, base)\n"
    "    check(int(str(a)) == a, 'str')\n"
    "    check(int('%x' % a, 16) == a, 'hex')\n"
    "    check(int('%o' % a, 8) == a, 'octal')\n"
    "    check(a + b - b == a, 'add')\n"
    "    check(a ^ b ^ b == a and (a & b) + (a | b) == a + b and ~~a == a, 'bits')\n"
    "    check((a << 67) >> 67 == a and a >> 3 == a // 8, 'shift')\n"
    "    check(a * b == b * a and (a + 1) * b == a * b + b, 'multiply')\n"
    "    if b != 0:\n"
    "        q, r = a // b, a % b\n"
    "        check(q * b + r == a and (0 <= r and r < b or b < r and r <= 0), 'divide')\n"
    "        check(a * b // b == a and a * b % b == 0, 'exact')\n"
    "    check((a < b) == (a - b < 0) and (a == b) == (a - b == 0), 'order')\n"
    "    check(len({a: 1, b: 2}) == (1 if a == b else 2), 'keys')\n"
    "    if abs(a) < 1 << 1000:\n"
    "        f = float(a)\n"
    "        check((f == a) == (int(f) == a) and (f < a) == (int(f) < a), 'float')\n"
    "        check(f != a or len({a: 1, f: 2}) == 1, 'float key')\n"
    "def float_laws(s):\n"
    "    f = float(s)\n"
    "    check(float(str(f)) == f, 'float str')\n"
    "    if f - f == 0.0:\n"
    "        check(int(f) == f or f != f // 1, 'whole')\n"
    "        check(json.decode(json.encode(f)) == f, 'json')\n"
    "        check(len({f: 1, int(f): 2}) == (1 if int(f) == f else 2), 'float int key')\n"
    "def check(holds, what):\n"
    "    if not holds:\n"
    "        fail('law broken:', what)\n";

static void call(struct session *session, const char *function, const star_value *arguments,
                 size_t count) {
    const star_value result = session_call(session, function, arguments, count);
    if (star_is_error(result) &&
        strncmp(star_thread_error(session->thread)->message, "fail: law broken", 16) == 0) {
        abort();
    }
    session->transcript.size = 0;
}

static void check_float_text(str text) {
    double number = 0;
    if (float_parse(text.data, text.size, &number) != FLOAT_PARSE_OK) {
        return;
    }
    char out[FLOAT_TEXT_MAX];
    double again = 0;
    const size_t size = float_format(number, out);
    if (float_parse(out, size, &again) != FLOAT_PARSE_OK ||
        (memcmp(&number, &again, sizeof(number)) != 0 && !(isnan(number) && isnan(again)))) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const str all = {(const char *)data, size};
    const size_t cut = str_find_char(all, '\n');
    const str first = str_slice(all, 0, cut == SIZE_MAX ? size : cut);
    const str second = str_from_offset(all, cut == SIZE_MAX ? size : cut + 1);
    check_float_text(first);
    struct session session;
    if (!session_begin(&session, str_from(program), STAR_DIALECT_SCRIPT, 64 * 1024)) {
        abort();
    }
    struct star_thread *thread = session.thread;
    static const int bases[] = {10, 0, 2, 16, 36};
    for (size_t i = 0; i < ARRAY_COUNT(bases); i++) {
        const star_value arguments[] = {star_string(thread, first.data, first.size),
                                        star_string(thread, second.data, second.size),
                                        star_int(thread, bases[i])};
        call(&session, "laws", arguments, 3);
        star_thread_reset(thread);
    }
    const star_value text = star_string(thread, first.data, first.size);
    call(&session, "float_laws", &text, 1);
    session_end(&session);
    return 0;
}
