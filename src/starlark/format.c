// The two ways of filling a template: fmt % args and fmt.format(…) (spec/starlark.md §7).

#include "starlark/builtins.h"
#include "starlark/number_text.h"
#include "starlark/numbers.h"
#include "starlark/operators.h"
#include "starlark/string_methods.h"
#include "starlark/template.h"
#include "starlark/utf8.h"

#include <math.h>

// ---------------------------------------------------------------------------------------------
// %

// The right operand and how much of it was used.
struct percent {
    struct star_thread *thread;
    struct star_text out;
    star_value right;
    const struct star_tuple *tuple; // NULL: `right` is the one argument
    uint32_t used;
};

static uint32_t percent_count(const struct percent *percent) {
    return percent->tuple == NULL ? 1 : percent->tuple->count;
}

static bool percent_next(struct percent *percent, star_value *argument) {
    if (percent->used >= percent_count(percent)) {
        star_fail(percent->thread, "not enough arguments for format string");
        return false;
    }
    *argument = percent->tuple == NULL ? percent->right : percent->tuple->items[percent->used];
    percent->used++;
    return true;
}

static bool add_int(struct percent *percent, char conversion, star_value value) {
    const int base = conversion == 'o' ? 8 : conversion == 'x' || conversion == 'X' ? 16 : 10;
    if (star_is_float(value)) {
        value = star_int_from_double(percent->thread, star_double(value));
        if (star_is_error(value)) {
            return false;
        }
    }
    if (!star_is_int(value)) {
        star_fail(percent->thread, "%%%c format requires integer: got %s", conversion,
                  star_type_name(value));
        return false;
    }
    return star_text_add_int(&percent->out, value, base, conversion == 'X');
}

static bool add_float(struct percent *percent, char conversion, star_value value) {
    double number = 0;
    if (star_is_float(value)) {
        number = star_double(value);
    } else if (!star_is_int(value)) {
        star_fail(percent->thread, "%%%c format requires float: got %s", conversion,
                  star_type_name(value));
        return false;
    } else if (!star_int_to_double(percent->thread, value, &number)) {
        return false;
    }
    char text[FLOAT_FIXED_MAX];
    const char lower = (char)(conversion | 0x20);
    const size_t size =
        lower == 'g' ? float_format(number, text) : float_format_exact(number, lower, text);
    for (size_t i = 0; conversion != lower && isfinite(number) && i < size; i++) {
        text[i] = text[i] == 'e' ? 'E' : text[i];
    }
    return star_text_add(&percent->out, text, size);
}

static bool add_char(struct percent *percent, star_value value) {
    int64_t code_point = 0;
    if (star_is_string(value)) {
        const str text = star_text_of(value);
        if (utf8_count(text.data, text.size) != 1) {
            star_fail(percent->thread, "%%c format requires a single-character string");
            return false;
        }
        return star_text_add_str(&percent->out, text);
    }
    if (!star_is_int(value)) {
        star_fail(percent->thread, "%%c format requires int or single-character string, not %s",
                  star_type_name(value));
        return false;
    }
    if (!star_get_int64(value, &code_point) || code_point < 0 || code_point > 0x10FFFF) {
        star_fail(percent->thread, "%%c format requires a valid Unicode code point");
        return false;
    }
    char encoded[UTF8_SIZE_MAX];
    return star_text_add(&percent->out, encoded, utf8_encode((uint32_t)code_point, encoded));
}

static bool add_conversion(struct percent *percent, char conversion, star_value value) {
    switch (conversion) {
    case 's':
        return star_text_add_value(&percent->out, value);
    case 'r':
        return star_text_add_repr(&percent->out, value);
    case 'd':
    case 'i':
    case 'o':
    case 'x':
    case 'X':
        return add_int(percent, conversion, value);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
        return add_float(percent, conversion, value);
    default:
        return add_char(percent, value);
    }
}

// The value of %(name) from the dict on the right.
static bool percent_named(struct percent *percent, str name, star_value *value) {
    if (!star_is_type(percent->right, STAR_OBJECT_DICT)) {
        star_fail(percent->thread, "format requires a mapping");
        return false;
    }
    const star_value key = star_string_str(percent->thread, name);
    if (star_is_error(key)) {
        return false;
    }
    *value = star_dict_get(percent->thread, percent->right, key);
    if (star_is_unset(*value)) {
        star_fail(percent->thread, "key not found: " STR_FORMAT, STR_ARGS(name));
        return false;
    }
    return !star_is_error(*value);
}

// One conversion, behind its '%'; *rest moves past it.  *named tells that a %(name) was used.
static bool percent_one(struct percent *percent, str *rest, bool *named) {
    if (rest->size > 0 && rest->data[0] == '%') {
        *rest = str_from_offset(*rest, 1);
        return star_text_add_char(&percent->out, '%');
    }
    star_value value = STAR_UNSET;
    const bool is_named = rest->size > 0 && rest->data[0] == '(';
    if (is_named) {
        const size_t end = str_find_char(*rest, ')');
        if (end == SIZE_MAX) {
            star_fail(percent->thread, "incomplete format key");
            return false;
        }
        if (!percent_named(percent, str_slice(*rest, 1, end), &value)) {
            return false;
        }
        *rest = str_from_offset(*rest, end + 1);
        *named = true;
    }
    if (rest->size == 0) {
        star_fail(percent->thread, "incomplete format");
        return false;
    }
    const char conversion = rest->data[0];
    if (!star_conversion_is_known(conversion)) {
        uint32_t ignored = 0;
        const size_t size = utf8_decode(rest->data, rest->size, &ignored, NULL);
        star_fail(percent->thread, "unknown conversion %%" STR_FORMAT,
                  STR_ARGS(str_slice(*rest, 0, size)));
        return false;
    }
    *rest = str_from_offset(*rest, 1);
    if (!is_named && !percent_next(percent, &value)) {
        return false;
    }
    return star_charge(percent->thread, 1) && add_conversion(percent, conversion, value);
}

static bool percent_all(struct percent *percent, str format) {
    bool named = false;
    str rest = format;
    size_t literal = 0;
    while ((literal = str_find_char(rest, '%')) != SIZE_MAX) {
        star_text_add_str(&percent->out, str_slice(rest, 0, literal));
        rest = str_from_offset(rest, literal + 1);
        if (!percent_one(percent, &rest, &named)) {
            return false;
        }
    }
    star_text_add_str(&percent->out, rest);
    // A dict that was used by name is used; so is one for a template without any conversion.
    const bool mapping = percent->tuple == NULL && star_is_type(percent->right, STAR_OBJECT_DICT);
    if (percent->used < percent_count(percent) && !(mapping && (named || percent->used == 0))) {
        star_fail(percent->thread, "too many arguments for format string");
        return false;
    }
    return !percent->out.failed;
}

star_value star_format_percent(struct star_thread *thread, star_value format, star_value right) {
    struct percent percent = {.thread = thread, .right = right};
    if (star_is_type(right, STAR_OBJECT_TUPLE)) {
        percent.tuple = star_as_tuple(right);
    }
    star_text_init(&percent.out, thread);
    const str text = star_text_of(format);
    if (!star_charge(thread, text.size / 16) || !percent_all(&percent, text)) {
        star_text_done(&percent.out);
        return STAR_ERROR;
    }
    return star_text_finish(&percent.out);
}

// ---------------------------------------------------------------------------------------------
// Constant templates

star_value star_template_fill(struct star_thread *thread, const struct star_tuple *template,
                              const star_value *arguments) {
    struct percent percent = {.thread = thread};
    star_text_init(&percent.out, thread);
    // Behind the template itself: text, place, text, …, text.
    bool is_good = star_charge(thread, template->count);
    for (uint32_t i = 1; is_good && i < template->count; i += 2) {
        const str text = star_text_of(template->items[i]);
        is_good = star_text_add(&percent.out, text.data, text.size);
        if (is_good && i + 1 < template->count) {
            const int64_t place = star_small(template->items[i + 1]);
            is_good = add_conversion(&percent, (char)(place & 0xFF), arguments[place >> 8]);
        }
    }
    if (!is_good) {
        star_text_done(&percent.out);
        return STAR_ERROR;
    }
    return star_text_finish(&percent.out);
}

// ---------------------------------------------------------------------------------------------
// format()

enum numbering { NUMBERING_OPEN, NUMBERING_AUTOMATIC, NUMBERING_MANUAL };

struct format {
    struct star_thread *thread;
    const struct star_call_info *call;
    struct star_text out;
    enum numbering numbering;
    uint32_t next;
};

static bool name_is_number(str name) {
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] < '0' || name.data[i] > '9') {
            return false;
        }
    }
    return name.size > 0;
}

static bool format_positional(struct format *format, str name, star_value *value) {
    const bool automatic = name.size == 0;
    if (format->numbering == (automatic ? NUMBERING_MANUAL : NUMBERING_AUTOMATIC)) {
        star_fail(format->thread, automatic
                                      ? "format: cannot switch from manual field specification to "
                                        "automatic field numbering"
                                      : "format: cannot switch from automatic field numbering to "
                                        "manual field specification");
        return false;
    }
    format->numbering = automatic ? NUMBERING_AUTOMATIC : NUMBERING_MANUAL;
    int64_t index = automatic ? format->next++ : INT64_MAX;
    if (!automatic && !str_parse_int64(name, &index)) {
        index = INT64_MAX;
    }
    if (index >= (int64_t)format->call->argument_count) {
        star_fail(format->thread, "format: tuple index out of range");
        return false;
    }
    *value = format->call->arguments[index];
    return true;
}

static bool format_keyword(struct format *format, str name, star_value *value) {
    for (uint32_t i = 0; i < format->call->named_count; i++) {
        if (str_equal(star_text_of(format->call->names[i]), name)) {
            *value = format->call->named[i];
            return true;
        }
    }
    star_fail(format->thread, "format: keyword " STR_FORMAT " not found", STR_ARGS(name));
    return false;
}

// Refuses what is not supported inside a field, naming it.
static bool format_check_name(struct format *format, str name) {
    static const struct {
        char c;
        const char *what;
    } refused[] = {
        {'.', "attribute syntax x.y is not supported in replacement fields"},
        {'[', "element syntax a[i] is not supported in replacement fields"},
        {'{', "nested replacement fields not supported"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        if (str_find_char(name, refused[i].c) != SIZE_MAX) {
            star_fail(format->thread, "format: %s: " STR_FORMAT, refused[i].what, STR_ARGS(name));
            return false;
        }
    }
    return true;
}

// The text between braces: name[!conversion][:spec].
static bool format_field(struct format *format, str field) {
    if (str_find_char(field, '{') != SIZE_MAX) {
        star_fail(format->thread, "format: nested replacement fields not supported");
        return false;
    }
    const size_t colon = str_find_char(field, ':');
    if (colon != SIZE_MAX) {
        star_fail(format->thread,
                  "format: format spec features not supported in replacement "
                  "fields: " STR_FORMAT,
                  STR_ARGS(str_from_offset(field, colon + 1)));
        return false;
    }
    const size_t bang = str_find_char(field, '!');
    const str name = str_slice(field, 0, bang == SIZE_MAX ? field.size : bang);
    const str conversion = bang == SIZE_MAX ? STR("s") : str_from_offset(field, bang + 1);
    const bool repr = str_equal(conversion, STR("r"));
    if (!repr && !str_equal(conversion, STR("s"))) {
        star_fail(format->thread, "format: unknown conversion !" STR_FORMAT, STR_ARGS(conversion));
        return false;
    }
    star_value value = STAR_UNSET;
    if (!format_check_name(format, name)) {
        return false;
    }
    const bool found = name.size == 0 || name_is_number(name)
                           ? format_positional(format, name, &value)
                           : format_keyword(format, name, &value);
    if (!found || !star_charge(format->thread, 1)) {
        return false;
    }
    return repr ? star_text_add_repr(&format->out, value)
                : star_text_add_value(&format->out, value);
}

static bool format_all(struct format *format, str text) {
    size_t i = 0;
    size_t literal = 0;
    while (i < text.size) {
        const char c = text.data[i];
        if (c != '{' && c != '}') {
            i++;
            continue;
        }
        star_text_add_str(&format->out, str_slice(text, literal, i));
        if (i + 1 < text.size && text.data[i + 1] == c) {
            star_text_add_char(&format->out, c);
            i += 2;
        } else if (c == '}') {
            star_fail(format->thread, "format: single '}' in format");
            return false;
        } else {
            const size_t end = str_find_char(str_from_offset(text, i), '}');
            if (end == SIZE_MAX) {
                star_fail(format->thread, "format: unmatched '{' in format");
                return false;
            }
            if (!format_field(format, str_slice(text, i + 1, i + end))) {
                return false;
            }
            i += end + 1;
        }
        literal = i;
    }
    return star_text_add_str(&format->out, str_from_offset(text, literal));
}

star_value string_method_format(struct star_thread *thread, const struct star_call_info *call) {
    struct format format = {.thread = thread, .call = call};
    star_text_init(&format.out, thread);
    const str text = star_text_of(call->receiver);
    if (!star_charge(thread, text.size / 16) || !format_all(&format, text)) {
        star_text_done(&format.out);
        return STAR_ERROR;
    }
    return star_text_finish(&format.out);
}
