// Numbers and strings as they stand in the source; their values are literal.c's.
#include "starlark/lexer_state.h"
#include "starlark/literal.h"

static void skip_digits(struct star_lexer *lexer, bool hex) {
    while (!at_end(lexer) &&
           (is_digit(byte_at(lexer, 0)) || (hex && star_digit_value(byte_at(lexer, 0)) < 16))) {
        lexer->at++;
    }
}

static void scan_prefixed_int(struct star_lexer *lexer, struct star_token *token, int base) {
    lexer->at += 2;
    const char *digits = lexer->at;
    skip_digits(lexer, base == 16);
    token->kind = TOKEN_INT;
    const str text = {digits, (size_t)(lexer->at - digits)};
    if (!star_literal_int(text, base, &token->as.integer)) {
        star_report_add(lexer->report, span_from(lexer, token->span.start), "invalid %s literal",
                        base == 16  ? "hexadecimal"
                        : base == 8 ? "octal"
                                    : "binary");
    }
}

static bool skip_exponent(struct star_lexer *lexer) {
    const unsigned char e = byte_at(lexer, 0);
    if (e != 'e' && e != 'E') {
        return false;
    }
    lexer->at++;
    if (byte_at(lexer, 0) == '+' || byte_at(lexer, 0) == '-') {
        lexer->at++;
    }
    const char *digits = lexer->at;
    skip_digits(lexer, false);
    if (lexer->at == digits) {
        star_report_add(lexer->report, span_from(lexer, position_of(lexer, digits)),
                        "invalid float literal: the exponent has no digits");
    }
    return true;
}

static void scan_decimal(struct star_lexer *lexer, struct star_token *token) {
    const char *start = lexer->at;
    skip_digits(lexer, false);
    const str whole = {start, (size_t)(lexer->at - start)};
    bool is_float = false;
    if (byte_at(lexer, 0) == '.') {
        is_float = true;
        lexer->at++;
        skip_digits(lexer, false);
    }
    is_float = skip_exponent(lexer) || is_float;
    const struct ast_span span = span_from(lexer, token->span.start);
    if (is_float) {
        token->kind = TOKEN_FLOAT;
        const str text = {start, (size_t)(lexer->at - start)};
        if (!star_literal_float(text, &token->as.number)) {
            star_report_add(lexer->report, span, "floating-point literal too large");
        }
        return;
    }
    token->kind = TOKEN_INT;
    (void)star_literal_int(whole, 10, &token->as.integer);
    if (whole.size > 1 && *start == '0') {
        star_report_add(lexer->report, span,
                        "invalid int literal: no leading zeros (octal is 0o…)");
    }
}

void star_lexer_scan_number(struct star_lexer *lexer, struct star_token *token) {
    const unsigned char next = byte_at(lexer, 1) | 0x20;
    const int base = byte_at(lexer, 0) != '0' ? 10
                     : next == 'x'            ? 16
                     : next == 'o'            ? 8
                     : next == 'b'            ? 2
                                              : 10;
    if (base == 10) {
        scan_decimal(lexer, token);
    } else {
        scan_prefixed_int(lexer, token, base);
    }
}

// What is known while a string literal is read.
struct string_scan {
    struct star_literal_text out;
    char quote;
    bool is_triple;
    bool is_raw;
    bool is_bytes;
};

static bool at_closing_quote(const struct star_lexer *lexer, const struct string_scan *scan) {
    const unsigned char quote = (unsigned char)scan->quote;
    return byte_at(lexer, 0) == quote &&
           (!scan->is_triple || (byte_at(lexer, 1) == quote && byte_at(lexer, 2) == quote));
}

// A newline within a literal: \n in its value whatever it is in the file.
static void scan_string_newline(struct star_lexer *lexer, struct string_scan *scan) {
    star_literal_flush(&scan->out, lexer->at);
    skip_newline(lexer);
    star_literal_add(&scan->out, STR("\n"), lexer->at);
}

// At a backslash.  false: a raw literal that ends its line here.
static bool scan_escape(struct star_lexer *lexer, struct string_scan *scan) {
    const struct ast_pos start = position(lexer);
    const str rest = {lexer->at, (size_t)(lexer->end - lexer->at)};
    const char *next = lexer->at + 1;
    const bool breaks_line = next < lexer->end && (*next == '\n' || *next == '\r');
    if (scan->is_raw) { // the pair stays, a quote behind the backslash does not close
        if (breaks_line && !scan->is_triple) {
            return false;
        }
        lexer->at++;
        if (!at_end(lexer) && !breaks_line) {
            skip_byte(lexer);
        }
        return true;
    }
    star_literal_flush(&scan->out, lexer->at);
    if (breaks_line) {
        lexer->at++;
        skip_newline(lexer);
        star_literal_add(&scan->out, STR(""), lexer->at);
        return true;
    }
    struct star_escape escape;
    star_literal_escape(rest, scan->is_bytes, &escape);
    for (size_t i = 0; i < escape.size; i++) {
        skip_byte(lexer);
    }
    if (escape.problem != NULL) {
        star_report_add(lexer->report, span_from(lexer, start), "%s", escape.problem);
    }
    star_literal_add(&scan->out, (str){escape.value, escape.value_size}, lexer->at);
    return true;
}

// Up to the closing quote; false when there is none.
static bool scan_string_body(struct star_lexer *lexer, struct string_scan *scan) {
    while (!at_end(lexer)) {
        if (at_closing_quote(lexer, scan)) {
            return true;
        }
        if (at_newline(lexer)) {
            if (!scan->is_triple) {
                return false;
            }
            scan_string_newline(lexer, scan);
        } else if (*lexer->at == '\\') {
            if (!scan_escape(lexer, scan)) {
                lexer->at++;
                return false;
            }
        } else {
            skip_byte(lexer);
        }
    }
    return false;
}

void star_lexer_scan_string(struct star_lexer *lexer, struct star_token *token, bool is_raw,
                            bool is_bytes) {
    struct string_scan scan = {.quote = *lexer->at, .is_raw = is_raw, .is_bytes = is_bytes};
    const unsigned char quote = (unsigned char)scan.quote;
    scan.is_triple = byte_at(lexer, 1) == quote && byte_at(lexer, 2) == quote;
    lexer->at += scan.is_triple ? 3 : 1;
    star_literal_begin(&scan.out, lexer->arena, lexer->at);
    token->kind = is_bytes ? TOKEN_BYTES : TOKEN_STRING;
    const bool closed = scan_string_body(lexer, &scan);
    token->as.value = star_literal_end(&scan.out, lexer->at);
    if (closed) {
        lexer->at += scan.is_triple ? 3 : 1;
        return;
    }
    token->kind = TOKEN_ERROR;
    star_report_add(lexer->report, span_from(lexer, token->span.start), "unterminated %s literal%s",
                    is_bytes ? "bytes" : "string",
                    at_end(lexer) || scan.is_triple ? "" : " (newlines need triple quotes)");
}

size_t star_lexer_string_prefix(const struct star_lexer *lexer, bool *is_raw, bool *is_bytes) {
    *is_raw = false;
    *is_bytes = false;
    size_t size = 0;
    for (; size < 2; size++) {
        const unsigned char c = byte_at(lexer, size);
        if (c == 'r' && !*is_raw) {
            *is_raw = true;
        } else if (c == 'b' && !*is_bytes) {
            *is_bytes = true;
        } else {
            break;
        }
    }
    const unsigned char quote = byte_at(lexer, size);
    return quote == '"' || quote == '\'' ? size : SIZE_MAX;
}
