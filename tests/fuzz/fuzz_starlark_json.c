// Any bytes as JSON: decoded whole and lazily they are the same value or the same error; what was
// decoded encodes, reads back as an equal value, and encodes the same again.
#include "session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char program[] =
    "def decode(s):\n"
    "    return json.decode(s)\n"
    "def forgiving(s):\n"
    "    return json.decode(s, default = 'none')\n"
    "def layout(s):\n"
    "    return json.indent(s)\n"
    "def same(a, b):\n"
    "    return type(a) == type(b) and a == b and b == a\n"
    "def encode(x):\n"
    "    return json.encode(x)\n"
    "def indented(x):\n"
    "    return json.decode(json.encode_indent(x))\n"
    "def count(x):\n"
    "    t = type(x)\n"
    "    if t == 'dict':\n"
    "        return 1 + total([count(v) + len(k) for k, v in x.items()])\n"
    "    if t == 'list':\n"
    "        return 1 + total([count(v) for v in x])\n"
    "    return len(str(x))\n"
    "def total(l):\n"
    "    s = 0\n"
    "    for x in l:\n"
    "        s += x\n"
    "    return s\n"
    "def change(x):\n"
    "    if type(x) == 'list':\n"
    "        x.append(x[:])\n"
    "        x.pop(0)\n"
    "    elif type(x) == 'dict':\n"
    "        x['new'] = len(x)\n"
    "        x.popitem()\n"
    "    return x\n";

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

static bool is_limit(const struct session *session) {
    return star_thread_error(session->thread)->status == STAR_LIMIT;
}

// `function(a, b)` must be the truth, or fail at a limit.
static void require_true(struct session *session, const char *function, star_value a,
                         star_value b) {
    const star_value both[] = {a, b};
    const star_value result = session_call(session, function, both, 2);
    require(star_is_error(result) ? is_limit(session) : star_truth(result));
}

static void check_values(struct session *session, star_value eager, star_value lazy) {
    struct star_thread *thread = session->thread;
    struct star_handle *first = star_handle_new(thread, eager);
    struct star_handle *second = star_handle_new(thread, lazy);
    static const char *const same[] = {"count", "encode", "indented", "change", "encode"};
    require_true(session, "same", star_handle_value(first), star_handle_value(second));
    for (size_t i = 0; i < ARRAY_COUNT(same); i++) {
        star_value argument = star_handle_value(first);
        const star_value left = session_call(session, same[i], &argument, 1);
        if (star_is_error(left)) {
            break;
        }
        struct star_handle *kept = star_handle_new(thread, left);
        argument = star_handle_value(second);
        const star_value right = session_call(session, same[i], &argument, 1);
        if (!star_is_error(right)) {
            require_true(session, "same", star_handle_value(kept), right);
        } else {
            require(is_limit(session));
        }
        star_handle_free(kept);
    }
    star_handle_free(first);
    star_handle_free(second);
}

static void check_text(struct session *session, str text) {
    struct star_thread *thread = session->thread;
    star_value source = star_string(thread, text.data, text.size);
    const star_value eager = session_call(session, "decode", &source, 1);
    if (star_is_error(eager)) {
        const bool was_limit = is_limit(session);
        const star_value lazy = star_json_lazy(thread, text.data, text.size);
        require(was_limit || star_is_error(lazy));
        source = star_string(thread, text.data, text.size);
        (void)session_call(session, "forgiving", &source, 1);
    } else {
        struct star_handle *kept = star_handle_new(thread, eager);
        const star_value lazy = star_json_lazy(thread, text.data, text.size);
        require(!star_is_error(lazy) || is_limit(session));
        if (!star_is_error(lazy)) {
            check_values(session, star_handle_value(kept), lazy);
        }
        star_handle_free(kept);
    }
    source = star_string(thread, text.data, text.size);
    if (!star_is_error(source)) {
        (void)session_call(session, "layout", &source, 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct session session;
    require(session_begin(&session, str_from(program), STAR_DIALECT_SCRIPT, 64 * 1024));
    check_text(&session, (str){(const char *)data, size});
    session_end(&session);
    return 0;
}
