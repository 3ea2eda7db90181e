// How tokens are written: keywords, reserved words, operators.
#include "starlark/lexer_state.h"

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

str star_token_spelling(enum token_kind kind) {
    const str name = str_from(token_names[kind]);
    return str_slice(name, 1, name.size - 1);
}

enum token_kind star_token_of_word(str word) {
    if (word.size == 0) {
        return TOKEN_NAME;
    }
    for (int kind = TOKEN_AND; kind <= TOKEN_WHILE; kind++) {
        if (token_names[kind][1] == word.data[0] &&
            str_equal(word, star_token_spelling((enum token_kind)kind))) {
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
