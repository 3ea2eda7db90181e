#include "sql/check_call.h"

#include "base/text.h"
#include "lake/lake.h"

static enum error_code refuse(struct error *err, str text, const char *what) {
    error_rule(err, ERROR_INVALID, "check.bad_arguments", "\"" STR_FORMAT "\" %s", STR_ARGS(text),
               what);
    error_hint(err, "write name or name(argument, …); put an argument with odd commas, quotes or "
                    "parentheses into single quotes");
    return err->code;
}

// ── Forms ──

bool check_is_operator(str text) {
    static const str OPERATORS[] = {STR_INIT(">="), STR_INIT(">"), STR_INIT("<="),
                                    STR_INIT("<"),  STR_INIT("="), STR_INIT("!=")};
    for (size_t i = 0; i < ARRAY_COUNT(OPERATORS); i++) {
        if (str_equal(text, OPERATORS[i])) {
            return true;
        }
    }
    return false;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static size_t digits_end(str text, size_t offset) {
    while (offset < text.size && is_digit(text.data[offset])) {
        offset++;
    }
    return offset;
}

// -12, 3.5, .5, 1e-3
static bool is_number(str text) {
    size_t at = text.size > 0 && (text.data[0] == '-' || text.data[0] == '+') ? 1 : 0;
    const size_t whole = digits_end(text, at);
    size_t digits = whole - at;
    at = whole;
    if (at < text.size && text.data[at] == '.') {
        const size_t end = digits_end(text, at + 1);
        digits += end - at - 1;
        at = end;
    }
    if (digits > 0 && at < text.size && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at++;
        at += at < text.size && (text.data[at] == '-' || text.data[at] == '+') ? 1 : 0;
        const size_t end = digits_end(text, at);
        return end > at && end == text.size;
    }
    return digits > 0 && at == text.size;
}

bool check_unquote(struct arena *arena, str text, str *value) {
    if (text.size < 2 || (text.data[0] != '\'' && text.data[0] != '"')) {
        return false;
    }
    struct text out;
    text_init(&out, arena);
    for (size_t i = 1; i < text.size; i++) {
        if (text.data[i] == text.data[0]) {
            if (i + 1 == text.size) {
                *value = text_str(&out);
                return true;
            }
            if (text.data[++i] != text.data[0]) {
                return false;
            }
        }
        text_add_char(&out, text.data[i]);
    }
    return false;
}

static struct check_argument argument_make(struct arena *arena, str part) {
    struct check_argument argument = {.form = CHECK_TEXT, .value = part, .literal = part};
    const size_t digits = digits_end(part, 0);
    if (is_number(part)) {
        argument.form = CHECK_NUMBER;
        return argument;
    }
    if (digits > 0 && digits + 1 == part.size &&
        (part.data[digits] == 'h' || part.data[digits] == 'd')) {
        argument.form = CHECK_SPAN;
        argument.value = str_format(arena, STR_FORMAT " %s", STR_ARGS(str_slice(part, 0, digits)),
                                    part.data[digits] == 'h' ? "HOUR" : "DAY");
    } else if (check_unquote(arena, part, &argument.value)) {
        argument.is_name = part.data[0] == '"';
    }
    argument.literal = lake_quote_text(arena, argument.value);
    return argument;
}

void check_argument_quote(struct arena *arena, struct check_argument *argument) {
    argument->literal = lake_quote_text(arena, lake_quote_name(arena, argument->value));
}

// ── Splitting ──

// Behind the quoted piece at `offset`; SIZE_MAX when it is not closed.
static size_t quote_end(str text, size_t offset) {
    const size_t close = str_find_char(str_from_offset(text, offset + 1), text.data[offset]);
    return close == SIZE_MAX ? SIZE_MAX : offset + close + 2;
}

static enum error_code argument_add(struct arena *arena, str text, str part,
                                    struct check_call *call, struct error *err) {
    const str trimmed = str_trim(part);
    if (trimmed.size == 0) {
        return refuse(err, text, "has an empty argument");
    }
    LIST_PUSH(arena, &call->arguments, argument_make(arena, trimmed));
    return ERROR_NONE;
}

// The arguments behind the opening parenthesis at `open`; *end is behind the closing one.
static enum error_code arguments_parse(struct arena *arena, str text, size_t open,
                                       struct check_call *call, size_t *end, struct error *err) {
    int depth = 1;
    size_t start = open + 1;
    for (size_t i = start; i < text.size; i++) {
        const char c = text.data[i];
        if (c == '\'' || c == '"') {
            const size_t behind = quote_end(text, i);
            if (behind == SIZE_MAX) {
                return refuse(err, text, "has a quote that is not closed");
            }
            i = behind - 1;
        } else if (c == '(' || c == '{') {
            depth++;
        } else if (c == ')' || c == '}') {
            depth--;
        } else if (c == ',' && depth == 1) {
            TRY(argument_add(arena, text, str_slice(text, start, i), call, err));
            start = i + 1;
        }
        if (depth == 0) {
            *end = i + 1;
            const str last = str_slice(text, start, i);
            const bool none = call->arguments.count == 0 && str_trim(last).size == 0;
            return none ? ERROR_NONE : argument_add(arena, text, last, call, err);
        }
    }
    return refuse(err, text, "has a parenthesis that is not closed");
}

enum error_code check_call_parse(struct arena *arena, str text, struct check_call *call,
                                 struct error *err) {
    *call = (struct check_call){0};
    text = str_trim(text);
    const size_t open = str_find_char(text, '(');
    call->name = str_trim(str_slice(text, 0, open));
    if (!str_is_identifier(call->name)) {
        return refuse(err, text, "does not begin with the name of a macro");
    }
    if (open == SIZE_MAX) {
        return ERROR_NONE;
    }
    size_t end = 0;
    TRY(arguments_parse(arena, text, open, call, &end, err));
    if (end < text.size) {
        return refuse(err, text, "goes on behind the closing parenthesis");
    }
    return ERROR_NONE;
}

str check_call_sql(struct arena *arena, const struct check_call *call, str prefix, str table) {
    struct text sql;
    text_init(&sql, arena);
    text_format(&sql, "memory." STR_FORMAT STR_FORMAT "(" STR_FORMAT, STR_ARGS(prefix),
                STR_ARGS(call->name), STR_ARGS(lake_quote_text(arena, table)));
    for (size_t i = 0; i < call->arguments.count; i++) {
        text_format(&sql, ", " STR_FORMAT, STR_ARGS(call->arguments.items[i].literal));
    }
    text_add_char(&sql, ')');
    return text_str(&sql);
}
