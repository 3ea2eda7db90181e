// Any bytes as the format of `%` and of str.format, with arguments of every type; the bytes behind
// the first newline are one argument more.  The result is text or an error, and the same when the
// format stands in the program as a literal, where the compiler may look into it.
#include "session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char program[] =
    "values = [None, True, 0, -1, 1 << 70, 0.5, -0.0, 1e300, float('nan'), 'text', b'\\xff',\n"
    "          [1, 'a'], (1, 2), {'name': 1, 'a b': 2}, set([1]), range(3), len, 0x10FFFF, "
    "0xD800]\n"
    "def percent(f, *args):\n"
    "    return f % args\n"
    "def one(f, x, *_):\n"
    "    return f % x\n"
    "def formatted(f, *args):\n"
    "    return f.format(name = args[0], *args)\n"
    "def value(i):\n"
    "    return values[i]\n";

static const char *const functions[] = {"percent", "one", "formatted"};

// The functions again, with the format as a literal.
static str program_with(struct arena *arena, str literal) {
    return str_format(arena,
                      "%s"
                      "def literal_percent(f, *args):\n"
                      "    return " STR_FORMAT " %% args\n"
                      "def literal_one(f, x, *_):\n"
                      "    return " STR_FORMAT " %% x\n"
                      "def literal_formatted(f, *args):\n"
                      "    return " STR_FORMAT ".format(name = args[0], *args)\n",
                      program, STR_ARGS(literal), STR_ARGS(literal), STR_ARGS(literal));
}

// What a call gave, as text; an error by its message.
static str outcome(struct session *session, struct arena *arena, const char *function,
                   const star_value *arguments, size_t count) {
    const star_value result = session_call(session, function, arguments, count);
    str text;
    if (star_is_error(result)) {
        const struct star_error *error = star_thread_error(session->thread);
        return error->status == STAR_LIMIT ? STR("limit")
                                           : str_copy(arena, str_from(error->message));
    }
    if (!star_get_text(result, &text.data, &text.size)) {
        abort();
    }
    return str_copy(arena, text);
}

static void try_value(struct session *session, int64_t number, str format, str extra,
                      bool has_literal) {
    struct star_thread *thread = session->thread;
    for (size_t i = 0; i < ARRAY_COUNT(functions); i++) {
        SCRATCH(arena);
        str results[2];
        for (int literal = 0; literal <= (has_literal ? 1 : 0); literal++) {
            star_value index = star_int(thread, number);
            const star_value value = session_call(session, "value", &index, 1);
            const star_value arguments[] = {star_string(thread, format.data, format.size), value,
                                            star_string(thread, extra.data, extra.size), value,
                                            value};
            const char *name = str_to_cstring(
                &arena, str_format(&arena, "%s%s", literal ? "literal_" : "", functions[i]));
            results[literal] = outcome(session, &arena, name, arguments, 2 + (size_t)(number % 4));
            session->transcript.size = 0;
            star_thread_reset(thread);
        }
        if (has_literal && !str_equal(results[0], results[1]) &&
            !str_equal(results[0], STR("limit")) && !str_equal(results[1], STR("limit"))) {
            abort();
        }
    }
}

// The format as a literal of the language; empty when it has none (bytes that are not UTF-8).
static str literal_of(struct arena *arena, str format) {
    struct star_thread *thread = star_thread_new(NULL);
    str text = {NULL, 0};
    star_get_text(star_repr(thread, star_string(thread, format.data, format.size)), &text.data,
                  &text.size);
    const str literal = str_copy(arena, text);
    star_thread_free(thread);
    return str_first_invalid_utf8(format) == SIZE_MAX ? literal : (str){NULL, 0};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    SCRATCH(arena);
    const str all = {(const char *)data, size};
    const size_t cut = str_find_char(all, '\n');
    const str format = str_slice(all, 0, cut == SIZE_MAX ? size : cut);
    const str extra = str_from_offset(all, cut == SIZE_MAX ? size : cut + 1);
    const str literal = literal_of(&arena, format);
    const str text = literal.size > 0 ? program_with(&arena, literal) : str_from(program);
    struct session session;
    if (!session_begin(&session, text, STAR_DIALECT_SCRIPT, 64 * 1024)) {
        abort();
    }
    const struct star_limits limits = {.memory_bytes = SESSION_MEMORY, .depth = SESSION_DEPTH};
    star_thread_set_limits(session.thread, &limits);
    for (int64_t i = 0; i < 19; i++) {
        try_value(&session, i, format, extra, literal.size > 0);
    }
    session_end(&session);
    return 0;
}
