// Names and texts inside SQL, for the places that take no parameter.

#include "base/text.h"
#include "lake/lake.h"

static void quote(struct text *out, str value, char mark) {
    text_add_char(out, mark);
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] == mark) {
            text_add_char(out, mark);
        }
        text_add_char(out, value.data[i]);
    }
    text_add_char(out, mark);
}

str lake_quote_name(struct arena *arena, str name) {
    struct text out;
    text_init(&out, arena);
    quote(&out, name, '"');
    return text_str(&out);
}

str lake_quote_text(struct arena *arena, str value) {
    struct text out;
    text_init(&out, arena);
    quote(&out, value, '\'');
    return text_str(&out);
}

str lake_quote_target(struct arena *arena, str target) {
    struct text out;
    text_init(&out, arena);
    const size_t dot = str_find_char(target, '.');
    if (dot != SIZE_MAX) {
        quote(&out, str_slice(target, 0, dot), '"');
        text_add_char(&out, '.');
        target = str_from_offset(target, dot + 1);
    }
    quote(&out, target, '"');
    return text_str(&out);
}
