// The scanner works on bytes.  Columns count code points: `continuation_bytes` holds how many bytes
// of the line so far do not begin one.  Literals are decoded in literal.c.
#include "starlark/lexer.h"

#include "base/error.h"
#include "base/list.h"
#include "starlark/literal.h"
#include "starlark/unicode.h"
#include "starlark/utf8.h"

#include <assert.h>

enum { TAB_WIDTH = 8 };

// ---- spelling -----------------------------------------------------------------------------------

static const char *const token_names[] = {
    [TOKEN_END] = "end of file",
    [TOKEN_ERROR] = "error",
    [TOKEN_NEWLINE] = "newline",
    [TOKEN_INDENT] = "indent",
    [TOKEN_DEDENT] = "unindent",
    [TOKEN_NAME] = "identifier",
    [TOKEN_INT] = "int literal",
    [TOKEN_FLOAT] = "float literal",
    [TOKEN_STRING] = "string literal",
    [TOKEN_BYTES] = "bytes literal",
    [TOKEN_RESERVED] = "reserved word",
    [TOKEN_AND] = "'and'",
    [TOKEN_BREAK] = "'break'",
    [TOKEN_CONTINUE] = "'continue'",
    [TOKEN_DEF] = "'def'",
    [TOKEN_ELIF] = "'elif'",
    [TOKEN_ELSE] = "'else'",
    [TOKEN_FOR] = "'for'",
    [TOKEN_IF] = "'if'",
    [TOKEN_IN] = "'in'",
    [TOKEN_LAMBDA] = "'lambda'",
    [TOKEN_LOAD] = "'load'",
    [TOKEN_NOT] = "'not'",
    [TOKEN_OR] = "'or'",
    [TOKEN_PASS] = "'pass'",
    [TOKEN_RETURN] = "'return'",
    [TOKEN_WHILE] = "'while'",
    [TOKEN_PLUS] = "'+'",
    [TOKEN_MINUS] = "'-'",
    [TOKEN_STAR] = "'*'",
    [TOKEN_STAR_STAR] = "'**'",
    [TOKEN_SLASH] = "'/'",
    [TOKEN_SLASH_SLASH] = "'//'",
    [TOKEN_PERCENT] = "'%'",
    [TOKEN_AMPERSAND] = "'&'",
    [TOKEN_PIPE] = "'|'",
    [TOKEN_CARET] = "'^'",
    [TOKEN_TILDE] = "'~'",
    [TOKEN_SHIFT_LEFT] = "'<<'",
    [TOKEN_SHIFT_RIGHT] = "'>>'",
    [TOKEN_DOT] = "'.'",
    [TOKEN_COMMA] = "','",
    [TOKEN_ASSIGN] = "'='",
    [TOKEN_SEMICOLON] = "';'",
    [TOKEN_COLON] = "':'",
    [TOKEN_LEFT_PAREN] = "'('",
    [TOKEN_RIGHT_PAREN] = "')'",
    [TOKEN_LEFT_BRACKET] = "'['",
    [TOKEN_RIGHT_BRACKET] = "']'",
    [TOKEN_LEFT_BRACE] = "'{'",
    [TOKEN_RIGHT_BRACE] = "'}'",
    [TOKEN_LESS] = "'<'",
    [TOKEN_GREATER] = "'>'",
    [TOKEN_LESS_EQUAL] = "'<='",
    [TOKEN_GREATER_EQUAL] = "'>='",
    [TOKEN_EQUAL] = "'=='",
    [TOKEN_NOT_EQUAL] = "'!='",
    [TOKEN_PLUS_ASSIGN] = "'+='",
    [TOKEN_MINUS_ASSIGN] = "'-='",
    [TOKEN_STAR_ASSIGN] = "'*='",
    [TOKEN_SLASH_ASSIGN] = "'/='",
    [TOKEN_SLASH_SLASH_ASSIGN] = "'//='",
    [TOKEN_PERCENT_ASSIGN] = "'%='",
    [TOKEN_AMPERSAND_ASSIGN] = "'&='",
    [TOKEN_PIPE_ASSIGN] = "'|='",
    [TOKEN_CARET_ASSIGN] = "'^='",
    [TOKEN_SHIFT_LEFT_ASSIGN] = "'<<='",
    [TOKEN_SHIFT_RIGHT_ASSIGN] = "'>>='",
};
_Static_assert(ARRAY_COUNT(token_names) == TOKEN_SHIFT_RIGHT_ASSIGN + 1, "a name for each token");

static const char *const reserved_words[] = {
    "as",     "async",  "await", "class",    "del",   "except", "finally", "from",
    "global", "import", "is",    "nonlocal", "raise", "try",    "with",    "yield",
};

const char *star_token_name(enum token_kind kind) {
    return token_names[kind];
}

// A keyword's or operator's text: its name without the quotes.
static str token_spelling(enum token_kind kind) {
    const str name = str_from(token_names[kind]);
    return str_slice(name, 1, name.size - 1);
}

static enum token_kind word_kind(str word) {
    if (word.size == 0) {
        return TOKEN_NAME;
    }
    for (int kind = TOKEN_AND; kind <= TOKEN_WHILE; kind++) {
        if (token_names[kind][1] == word.data[0] &&
            str_equal(word, token_spelling((enum token_kind)kind))) {
            return (enum token_kind)kind;
        }
    }
    for (size_t i = 0; i < ARRAY_COUNT(reserved_words); i++) {
        if (reserved_words[i][0] == word.data[0] && str_equal(word, str_from(reserved_words[i]))) {
            return TOKEN_RESERVED;
        }
    }
    return TOKEN_NAME;
}

// ---- positions and bytes ------------------------------------------------------------------------

static struct ast_pos position_of(const struct star_lexer *lexer, const char *at) {
    return (struct ast_pos){.line = lexer->line,
                            .column =
                                (uint32_t)(at - lexer->line_start) - lexer->continuation_bytes + 1};
}

static struct ast_pos position(const struct star_lexer *lexer) {
    return position_of(lexer, lexer->at);
}

static unsigned char byte_at(const struct star_lexer *lexer, size_t ahead) {
    return (size_t)(lexer->end - lexer->at) > ahead ? (unsigned char)lexer->at[ahead] : 0;
}

static bool at_end(const struct star_lexer *lexer) {
    return lexer->at >= lexer->end;
}

// Steps over one byte that is no newline.
static void skip_byte(struct star_lexer *lexer) {
    if (((unsigned char)*lexer->at & 0xC0) == 0x80) {
        lexer->continuation_bytes++;
    }
    lexer->at++;
}

static bool at_newline(const struct star_lexer *lexer) {
    return !at_end(lexer) && (*lexer->at == '\n' || *lexer->at == '\r');
}

// Steps over \n, \r\n or \r.
static void skip_newline(struct star_lexer *lexer) {
    lexer->at += byte_at(lexer, 0) == '\r' && byte_at(lexer, 1) == '\n' ? 2 : 1;
    lexer->line_start = lexer->at;
    lexer->line++;
    lexer->continuation_bytes = 0;
}

static bool is_digit(unsigned char c) {
    return c >= '0' && c <= '9';
}

static bool is_ascii_letter(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// The code point at `at` and its bytes; bad UTF-8 (reported before) gives U+FFFD and 1.
static uint32_t code_point(const struct star_lexer *lexer, size_t *size) {
    uint32_t value = 0;
    *size = utf8_decode(lexer->at, (size_t)(lexer->end - lexer->at), &value, NULL);
    return value;
}

// Bytes of the identifier character at `at`; 0 when there is none.
static size_t identifier_character(const struct star_lexer *lexer, bool is_first) {
    const unsigned char c = byte_at(lexer, 0);
    if (at_end(lexer) || is_ascii_letter(c) || is_digit(c)) {
        return !at_end(lexer) && (is_ascii_letter(c) || !is_first);
    }
    if (c < 0x80) {
        return 0;
    }
    size_t size = 0;
    const uint32_t character = code_point(lexer, &size);
    const bool fits = unicode_is_letter(character) || (!is_first && unicode_is_digit(character));
    return fits ? size : 0;
}

// ---- literals -----------------------------------------------------------------------------------

static void skip_digits(struct star_lexer *lexer, bool hex) {
    while (!at_end(lexer) &&
           (is_digit(byte_at(lexer, 0)) || (hex && star_digit_value(byte_at(lexer, 0)) < 16))) {
        lexer->at++;
    }
}

static struct ast_span span_from(const struct star_lexer *lexer, struct ast_pos start) {
    return (struct ast_span){start, position(lexer)};
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

static void scan_number(struct star_lexer *lexer, struct star_token *token) {
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

// At the first quote; `prefix_size` bytes of prefix stand before it.
static void scan_string(struct star_lexer *lexer, struct star_token *token, bool is_raw,
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

// r, b, rb or br (any case) before a quote: sets the flags and gives the prefix's size, or
// SIZE_MAX.
static size_t string_prefix(const struct star_lexer *lexer, bool *is_raw, bool *is_bytes) {
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

// ---- lines and indentation ----------------------------------------------------------------------

static void skip_comment(struct star_lexer *lexer) {
    while (!at_end(lexer) && !at_newline(lexer)) {
        skip_byte(lexer);
    }
}

// Steps over blank and comment-only lines and gives the column (from 0) of the next line's first
// token.
static uint32_t skip_to_indentation(struct star_lexer *lexer) {
    uint32_t column = 0;
    while (!at_end(lexer)) {
        const char c = *lexer->at;
        if (c == ' ') {
            column++;
            lexer->at++;
        } else if (c == '\t') {
            column += TAB_WIDTH - column % TAB_WIDTH;
            lexer->at++;
        } else if (c == '#') {
            skip_comment(lexer);
        } else if (at_newline(lexer)) {
            skip_newline(lexer);
            column = 0;
        } else {
            return column;
        }
    }
    return 0; // the end closes all suites
}

// At the start of a line, outside of brackets: true when it gave INDENT or noted DEDENTs.
static void measure_indentation(struct star_lexer *lexer, bool *is_indent) {
    *is_indent = false;
    const uint32_t column = skip_to_indentation(lexer);
    if (column > lexer->indents.items[lexer->indents.count - 1]) {
        LIST_PUSH(lexer->arena, &lexer->indents, column);
        *is_indent = true;
        return;
    }
    while (column < lexer->indents.items[lexer->indents.count - 1]) {
        lexer->indents.count--;
        lexer->pending_dedents++;
    }
    if (column != lexer->indents.items[lexer->indents.count - 1]) {
        const struct ast_pos here = position(lexer);
        star_report_add(lexer->report, (struct ast_span){here, here},
                        "unindent matches no outer indentation level");
    }
}

// A line inside of brackets that begins with one of these words shows that a bracket was not
// closed: the words cannot stand there.
static bool line_begins_statement(struct star_lexer ahead) {
    while (byte_at(&ahead, 0) == ' ' || byte_at(&ahead, 0) == '\t') {
        ahead.at++;
    }
    const char *start = ahead.at;
    while (is_ascii_letter(byte_at(&ahead, 0)) || is_digit(byte_at(&ahead, 0))) {
        ahead.at++;
    }
    const enum token_kind kind = word_kind((str){start, (size_t)(ahead.at - start)});
    return kind == TOKEN_DEF || kind == TOKEN_LOAD || kind == TOKEN_RETURN || kind == TOKEN_PASS ||
           kind == TOKEN_BREAK || kind == TOKEN_CONTINUE || kind == TOKEN_WHILE;
}

// NEWLINE and END close every open bracket; the token remembers the innermost.
static void drop_brackets(struct star_lexer *lexer, struct star_token *token) {
    if (lexer->brackets.count > 0) {
        const struct star_bracket bracket = lexer->brackets.items[lexer->brackets.count - 1];
        token->unclosed = bracket.span;
        token->unclosed_bracket = bracket.character;
        lexer->brackets.count = 0;
    }
}

static void give_newline(struct star_lexer *lexer, struct star_token *token) {
    token->kind = TOKEN_NEWLINE;
    drop_brackets(lexer, token);
    lexer->at_line_start = true;
    lexer->after_newline = true;
}

// Steps over white space, comments and joined lines within a line.  true: it ended at a newline
// that counts, and *token is it.
static bool skip_space(struct star_lexer *lexer, struct star_token *token) {
    while (!at_end(lexer)) {
        const unsigned char c = byte_at(lexer, 0);
        if (c == ' ' || c == '\t') {
            lexer->at++;
        } else if (c == '#') {
            skip_comment(lexer);
        } else if (c == '\\' && (byte_at(lexer, 1) == '\n' || byte_at(lexer, 1) == '\r')) {
            lexer->at++;
            skip_newline(lexer);
        } else if (at_newline(lexer)) {
            token->span.start = position(lexer);
            token->offset = (size_t)(lexer->at - lexer->start);
            skip_newline(lexer);
            if (lexer->brackets.count == 0 || line_begins_statement(*lexer)) {
                give_newline(lexer, token);
                return true;
            }
        } else {
            return false;
        }
    }
    return false;
}

// ---- tokens -------------------------------------------------------------------------------------

static void open_bracket(struct star_lexer *lexer, char character, struct ast_pos start) {
    const struct star_bracket bracket = {character, {start, position(lexer)}};
    LIST_PUSH(lexer->arena, &lexer->brackets, bracket);
}

static void close_bracket(struct star_lexer *lexer) {
    if (lexer->brackets.count > 0) {
        lexer->brackets.count--;
    }
}

// The longest operator at `at`, or TOKEN_ERROR.
static enum token_kind punctuation_kind(const struct star_lexer *lexer, size_t *size) {
    const str rest = {lexer->at, (size_t)(lexer->end - lexer->at)};
    enum token_kind found = TOKEN_ERROR;
    *size = 0;
    for (int kind = TOKEN_PLUS; kind <= TOKEN_SHIFT_RIGHT_ASSIGN; kind++) {
        if (token_names[kind][1] != *lexer->at) {
            continue;
        }
        const str spelling = token_spelling((enum token_kind)kind);
        if (spelling.size > *size && str_starts_with(rest, spelling)) {
            found = (enum token_kind)kind;
            *size = spelling.size;
        }
    }
    return found;
}

static void scan_illegal(struct star_lexer *lexer, struct star_token *token) {
    token->kind = TOKEN_ERROR;
    size_t size = 0;
    const uint32_t character = code_point(lexer, &size);
    const char *start = lexer->at;
    for (size_t i = 0; i < size; i++) {
        skip_byte(lexer);
    }
    const struct ast_span span = span_from(lexer, token->span.start);
    if (character > 0x20 && character < 0x7F) {
        star_report_add(lexer->report, span, "unexpected character '%c'", (int)character);
    } else if (character < 0x80) {
        star_report_add(lexer->report, span, "unexpected character U+%04X", character);
    } else if (character != 0xFFFD) {
        star_report_add(lexer->report, span, "unexpected character '%.*s' (U+%04X)", (int)size,
                        start, character);
    } else if (size > 1) {
        star_report_add(lexer->report, span, "unexpected character U+FFFD");
    }
}

// `:=` and `->` are Python's; the message names them whole.
static bool scan_foreign_operator(struct star_lexer *lexer, struct star_token *token) {
    const unsigned char first = byte_at(lexer, 0);
    const unsigned char second = byte_at(lexer, 1);
    const bool is_walrus = first == ':' && second == '=';
    const bool is_arrow = first == '-' && second == '>';
    if (!is_walrus && !is_arrow) {
        return false;
    }
    lexer->at += 2;
    token->kind = TOKEN_ERROR;
    star_report_add(lexer->report, span_from(lexer, token->span.start), "%s",
                    is_walrus ? "':=' is not supported" : "type annotations are not supported");
    return true;
}

static void scan_punctuation(struct star_lexer *lexer, struct star_token *token) {
    if (scan_foreign_operator(lexer, token)) {
        return;
    }
    size_t size = 0;
    token->kind = punctuation_kind(lexer, &size);
    if (token->kind == TOKEN_ERROR) {
        scan_illegal(lexer, token);
        return;
    }
    const char first = *lexer->at;
    lexer->at += size;
    if (first == '(' || first == '[' || first == '{') {
        open_bracket(lexer, first, token->span.start);
    } else if (first == ')' || first == ']' || first == '}') {
        close_bracket(lexer);
    }
}

static void scan_word(struct star_lexer *lexer, struct star_token *token) {
    const char *start = lexer->at;
    for (size_t size = identifier_character(lexer, true); size > 0;
         size = identifier_character(lexer, false)) {
        for (size_t i = 0; i < size; i++) {
            skip_byte(lexer);
        }
    }
    token->kind = word_kind((str){start, (size_t)(lexer->at - start)});
}

static void scan_token(struct star_lexer *lexer, struct star_token *token) {
    bool is_raw = false;
    bool is_bytes = false;
    const size_t prefix = string_prefix(lexer, &is_raw, &is_bytes);
    const unsigned char first = byte_at(lexer, 0);
    if (prefix != SIZE_MAX) {
        lexer->at += prefix;
        scan_string(lexer, token, is_raw, is_bytes);
    } else if (is_digit(first) || (first == '.' && is_digit(byte_at(lexer, 1)))) {
        scan_number(lexer, token);
    } else if (identifier_character(lexer, true) > 0) {
        scan_word(lexer, token);
    } else {
        scan_punctuation(lexer, token);
    }
}

// A last line without a newline gets one; then the suites close.
static void give_end(struct star_lexer *lexer, struct star_token *token) {
    if (!lexer->after_newline) {
        give_newline(lexer, token);
        return;
    }
    token->kind = TOKEN_END;
    drop_brackets(lexer, token);
    if (lexer->indents.count > 1) {
        lexer->indents.count--;
        token->kind = TOKEN_DEDENT;
    }
}

static void scan(struct star_lexer *lexer, struct star_token *token) {
    if (lexer->at_line_start) {
        lexer->at_line_start = false;
        bool is_indent = false;
        measure_indentation(lexer, &is_indent);
        if (is_indent) {
            token->kind = TOKEN_INDENT;
            return;
        }
    }
    if (lexer->pending_dedents > 0) {
        lexer->pending_dedents--;
        token->kind = TOKEN_DEDENT;
        return;
    }
    if (skip_space(lexer, token)) {
        return;
    }
    token->span.start = position(lexer);
    token->offset = (size_t)(lexer->at - lexer->start);
    if (at_end(lexer)) {
        give_end(lexer, token);
        return;
    }
    lexer->after_newline = false;
    scan_token(lexer, token);
}

void star_lexer_next(struct star_lexer *lexer, struct star_token *token) {
    *token = (struct star_token){.kind = TOKEN_ERROR};
    if (arena_is_exhausted(lexer->arena)) {
        // Nothing more is read: the parser unwinds as at the end of a file.
        token->kind = TOKEN_END;
        token->span.start = token->span.end = position(lexer);
        token->offset = (size_t)(lexer->at - lexer->start);
        return;
    }
    scan(lexer, token);
    if (token->kind == TOKEN_INDENT || token->kind == TOKEN_DEDENT) {
        token->span.start = position(lexer);
        token->offset = (size_t)(lexer->at - lexer->start);
    }
    token->span.end = token->kind == TOKEN_NEWLINE ? token->span.start : position(lexer);
    if (token->kind > TOKEN_DEDENT) {
        token->text =
            (str){lexer->start + token->offset, (size_t)(lexer->at - lexer->start) - token->offset};
    }
}

// ---- the start ----------------------------------------------------------------------------------

static void report_bad_utf8(struct star_report *report, str source) {
    size_t from = 0;
    for (size_t found = 0; found < REPORT_SHOWN_MAX; found++) {
        const size_t bad = str_first_invalid_utf8(str_from_offset(source, from));
        if (bad == SIZE_MAX) {
            return;
        }
        int line = 0;
        int column = 0;
        source_position(source, from + bad, &line, &column);
        const struct ast_pos pos = {(uint32_t)line, (uint32_t)column};
        star_report_add(report, (struct ast_span){pos, pos}, "invalid UTF-8: byte 0x%02X",
                        (unsigned char)source.data[from + bad]);
        from += bad + 1;
    }
}

void star_lexer_init(struct star_lexer *lexer, str source, struct star_report *report) {
    assert(source.size <= UINT32_MAX);
    const str mark = STR("\xEF\xBB\xBF");
    if (str_starts_with(source, mark)) {
        source = str_from_offset(source, mark.size);
    }
    if (source.data == NULL) {
        source = STR("");
    }
    report_bad_utf8(report, source);
    *lexer = (struct star_lexer){
        .report = report,
        .arena = report->arena,
        .start = source.data,
        .at = source.data,
        .end = source.data + source.size,
        .line_start = source.data,
        .line = 1,
        .at_line_start = true,
        .after_newline = true,
    };
    const uint32_t outermost = 0;
    LIST_PUSH(lexer->arena, &lexer->indents, outermost);
}
