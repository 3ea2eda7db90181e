// Tokens, literals and indentation, and the errors within tokens.
#include "base/arena.h"
#include "base/text.h"
#include "starlark/lexer.h"
#include "support/unit.h"

#include <string.h>

// Names and texts of the tokens, then the findings.
static const char *lex(struct arena *arena, str source) {
    struct star_report report;
    star_report_init(&report, arena);
    struct star_lexer lexer;
    star_lexer_init(&lexer, source, &report);
    struct text out;
    text_init(&out, arena);
    struct star_token token;
    do {
        star_lexer_next(&lexer, &token);
        const bool is_value = token.kind >= TOKEN_NAME && token.kind <= TOKEN_RESERVED;
        text_format(&out, "%s%s" STR_FORMAT, out.size == 0 ? "" : " ",
                    is_value ? "" : star_token_name(token.kind),
                    STR_ARGS(is_value ? token.text : STR("")));
    } while (token.kind != TOKEN_END);
    star_report_sort(&report);
    for (size_t i = 0; i < report.count; i++) {
        text_format(&out, "\n%u:%u: %s", report.items[i].span.start.line,
                    report.items[i].span.start.column, report.items[i].message);
    }
    return text_cstring(&out);
}

static void check(str source, const char *expected) {
    SCRATCH(arena);
    const char *got = lex(&arena, source);
    if (strcmp(got, expected) != 0) {
        fail_msg("source:\n" STR_FORMAT "\nexpected:\n%s\ngot:\n%s", STR_ARGS(source), expected,
                 got);
    }
}

static void test_cuts_tokens(void **state) {
    (void)state;
    static const struct {
        str source;
        const char *tokens;
    } cases[] = {
        {STR_INIT(""), "end of file"},
        {STR_INIT("\n \t\n# c\n"), "end of file"},
        {STR_INIT("a"), "a newline end of file"},
        {STR_INIT("a\r\nb\rc"), "a newline b newline c newline end of file"},
        {STR_INIT("a//=b**c>>=d"), "a '//=' b '**' c '>>=' d newline end of file"},
        {STR_INIT("a<<b<=c!=d==e"), "a '<<' b '<=' c '!=' d '==' e newline end of file"},
        {STR_INIT("1.e5 .5 1. 0x1F 0b01 0o17 0"),
         "1.e5 .5 1. 0x1F 0b01 0o17 0 newline end of file"},
        {STR_INIT("x.y 1..real"), "x '.' y 1. '.' real newline end of file"},
        {STR_INIT("r'\\' ' rb'x' br\"y\" b'z'"), "r'\\' ' rb'x' br\"y\" b'z' newline end of file"},
        {STR_INIT("'''a\n'b''' \"\"\"c\"\"\""), "'''a\n'b''' \"\"\"c\"\"\" newline end of file"},
        {STR_INIT("(a\n b)\nc"), "'(' a b ')' newline c newline end of file"},
        {STR_INIT("a + \\\n b"), "a '+' b newline end of file"},
        {STR_INIT("if a:\n  b\n\n # c\n  d\ne"),
         "'if' a ':' newline indent b newline d newline unindent e newline end of file"},
        {STR_INIT("if a:\n\tb\n        c\n"),
         "'if' a ':' newline indent b newline c newline unindent end of file"},
        {STR_INIT("a:\n b:\n  c"),
         "a ':' newline indent b ':' newline indent c newline unindent unindent end of file"},
        {STR_INIT("\xC3\xA4\xC3\xB6_1 \xE6\x97\xA5"),
         "\xC3\xA4\xC3\xB6_1 \xE6\x97\xA5 newline end of file"},
        {STR_INIT("notin not_ in"), "notin not_ 'in' newline end of file"},
        {STR_INIT("assert class"), "assert class newline end of file"},
        {STR_INIT("\xEF\xBB\xBF"
                  "a"),
         "a newline end of file"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        check(cases[i].source, cases[i].tokens);
    }
}

static void test_reports_errors_within_tokens(void **state) {
    (void)state;
    static const struct {
        str source;
        const char *findings; // behind the tokens
    } cases[] = {
        {STR_INIT("0777"), "\n1:1: invalid int literal: no leading zeros (octal is 0o…)"},
        {STR_INIT("09"), "\n1:1: invalid int literal: no leading zeros (octal is 0o…)"},
        {STR_INIT("0x"), "\n1:1: invalid hexadecimal literal"},
        {STR_INIT("0b2"), "\n1:1: invalid binary literal"},
        {STR_INIT("0o8"), "\n1:1: invalid octal literal"},
        {STR_INIT("1e"), "\n1:3: invalid float literal: the exponent has no digits"},
        {STR_INIT("1e400"), "\n1:1: floating-point literal too large"},
        {STR_INIT("'a"), "\n1:1: unterminated string literal"},
        {STR_INIT("'a\nb"), "\n1:1: unterminated string literal (newlines need triple quotes)"},
        {STR_INIT("b'''a"), "\n1:1: unterminated bytes literal"},
        {STR_INIT("r'a\\\n'"), "\n1:1: unterminated string literal (newlines need triple quotes)\n"
                               "2:1: unterminated string literal"},
        {STR_INIT("'\xC3\xA4\\q'"), "\n1:3: invalid escape sequence (write \\\\ for a backslash)"},
        {STR_INIT("'\\x80'"), "\n1:2: non-ASCII hex escape in a string (use \\u for a code point)"},
        {STR_INIT("'\\200'"),
         "\n1:2: non-ASCII octal escape in a string (use \\u for a code point)"},
        {STR_INIT("b'\\400'"), "\n1:3: invalid escape: octal value is above 255"},
        {STR_INIT("'\\x1'"), "\n1:2: truncated escape: \\x needs 2 hexadecimal digits"},
        {STR_INIT("'\\u12'"), "\n1:2: truncated escape: \\u needs 4 hexadecimal digits"},
        {STR_INIT("'\\U0011'"), "\n1:2: truncated escape: \\U needs 8 hexadecimal digits"},
        {STR_INIT("'\\U00110000'"), "\n1:2: invalid escape: code point is above U+10FFFF"},
        {STR_INIT("'\\ud800'"), "\n1:2: invalid escape: code point is a surrogate"},
        {STR_INIT("b'\\xff\\377'"), ""},
        {STR_INIT("a ? b"), "\n1:3: unexpected character '?'"},
        {STR_INIT("\x01"), "\n1:1: unexpected character U+0001"},
        {STR_INIT("\xE2\x82\xAC"), "\n1:1: unexpected character '\xE2\x82\xAC' (U+20AC)"},
        {STR_INIT("# \xFF\n'\xC3'"),
         "\n1:3: invalid UTF-8: byte 0xFF\n2:2: invalid UTF-8: byte 0xC3"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        SCRATCH(arena);
        const char *got = lex(&arena, cases[i].source);
        const char *findings = strstr(got, "end of file") + strlen("end of file");
        if (strcmp(findings, cases[i].findings) != 0) {
            fail_msg("source:\n" STR_FORMAT "\nexpected:%s\ngot:%s", STR_ARGS(cases[i].source),
                     cases[i].findings, findings);
        }
    }
}

static void test_decodes_strings(void **state) {
    (void)state;
    static const struct {
        str source;
        str value;
    } cases[] = {
        {STR_INIT("'plain'"), STR_INIT("plain")},
        {STR_INIT("'\\a\\b\\f\\n\\r\\t\\v\\\\\\'\\\"'"), STR_INIT("\a\b\f\n\r\t\v\\'\"")},
        {STR_INIT("'a\\\nb'"), STR_INIT("ab")},
        {STR_INIT("'a\\\r\nb'"), STR_INIT("ab")},
        {STR_INIT("'\\0\\12\\1234'"), STR_INIT("\0\nS4")},
        {STR_INIT("'\\x41\\u20ac\\U0001F600'"), STR_INIT("A\xE2\x82\xAC\xF0\x9F\x98\x80")},
        {STR_INIT("b'\\xff\\200\\u00e4'"), STR_INIT("\xff\x80\xC3\xA4")},
        {STR_INIT("r'\\n\\''"), STR_INIT("\\n\\'")},
        {STR_INIT("'''a\r\nb\rc\nd'''"), STR_INIT("a\nb\nc\nd")},
        {STR_INIT("r'''a\\\r\nb'''"), STR_INIT("a\\\nb")},
        {STR_INIT("''"), STR_INIT("")},
        {STR_INIT("''''a'''"), STR_INIT("'a")},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        SCRATCH(arena);
        struct star_report report;
        star_report_init(&report, &arena);
        struct star_lexer lexer;
        star_lexer_init(&lexer, cases[i].source, &report);
        struct star_token token;
        star_lexer_next(&lexer, &token);
        if (report.total > 0 || !str_equal(token.as.value, cases[i].value)) {
            fail_msg(STR_FORMAT ": got \"" STR_FORMAT "\" and %zu errors",
                     STR_ARGS(cases[i].source), STR_ARGS(token.as.value), report.total);
        }
    }
}

static void test_reads_numbers(void **state) {
    (void)state;
    static const struct {
        str source;
        bool is_small;
        int64_t value;
        double number;
    } cases[] = {
        {STR_INIT("0"), true, 0, 0},
        {STR_INIT("9223372036854775807"), true, INT64_MAX, 0},
        {STR_INIT("9223372036854775808"), false, 0, 0},
        {STR_INIT("0XfF"), true, 255, 0},
        {STR_INIT("0O17"), true, 15, 0},
        {STR_INIT("0B11"), true, 3, 0},
        {STR_INIT("1."), false, 0, 1.0},
        {STR_INIT(".5"), false, 0, 0.5},
        {STR_INIT("1.5E-3"), false, 0, 0.0015},
        {STR_INIT("012.5"), false, 0, 12.5},
        {STR_INIT("9007199254740993.0"), false, 0, 9007199254740992.0},
        {STR_INIT("5e-324"), false, 0, 5e-324},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        SCRATCH(arena);
        struct star_report report;
        star_report_init(&report, &arena);
        struct star_lexer lexer;
        star_lexer_init(&lexer, cases[i].source, &report);
        struct star_token token;
        star_lexer_next(&lexer, &token);
        assert_int_equal(report.total, 0);
        const bool matches =
            token.kind == TOKEN_FLOAT
                ? token.as.number == cases[i].number
                : token.as.integer.is_small == cases[i].is_small &&
                      (!cases[i].is_small || token.as.integer.value == cases[i].value);
        if (!matches) {
            fail_msg(STR_FORMAT ": another value", STR_ARGS(cases[i].source));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cuts_tokens),
        cmocka_unit_test(test_reports_errors_within_tokens),
        cmocka_unit_test(test_decodes_strings),
        cmocka_unit_test(test_reads_numbers),
    };
    return cmocka_run_group_tests_name("starlark lexer", tests, NULL, NULL);
}
