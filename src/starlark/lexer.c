// Lines, indentation and tokens.
#include "starlark/lexer_state.h"

#include "base/error.h"
#include "base/list.h"
#include "starlark/unicode.h"
#include "starlark/utf8.h"

#include <assert.h>

enum { TAB_WIDTH = 8 };

// ---- identifiers --------------------------------------------------------------------------------

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
    const enum token_kind kind = star_token_of_word((str){start, (size_t)(ahead.at - start)});
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
        if (star_token_name((enum token_kind)kind)[1] != *lexer->at) {
            continue;
        }
        const str spelling = star_token_spelling((enum token_kind)kind);
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
    token->kind = star_token_of_word((str){start, (size_t)(lexer->at - start)});
}

static void scan_token(struct star_lexer *lexer, struct star_token *token) {
    bool is_raw = false;
    bool is_bytes = false;
    const size_t prefix = star_lexer_string_prefix(lexer, &is_raw, &is_bytes);
    const unsigned char first = byte_at(lexer, 0);
    if (prefix != SIZE_MAX) {
        lexer->at += prefix;
        star_lexer_scan_string(lexer, token, is_raw, is_bytes);
    } else if (is_digit(first) || (first == '.' && is_digit(byte_at(lexer, 1)))) {
        star_lexer_scan_number(lexer, token);
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
