#include "starlark/template.h"

#include "base/text.h"
#include "starlark/sequence.h"

enum numbering { NUMBERING_OPEN, NUMBERING_AUTOMATIC, NUMBERING_MANUAL };

// A template being split.
struct splitter {
    struct star_build *build;
    struct star_constants items;
    struct text literal; // behind the last place
    const struct ast_call *call;
    enum numbering numbering;
    size_t next; // argument of the next automatic place
};

static void splitter_init(struct splitter *splitter, struct star_build *build, str template) {
    *splitter = (struct splitter){.build = build};
    text_init(&splitter->literal, build->arena);
    const star_value whole = star_build_string(build, template);
    LIST_PUSH(build->arena, &splitter->items, whole);
}

static void end_literal(struct splitter *splitter) {
    const str text = str_copy(splitter->build->arena, text_str(&splitter->literal));
    const star_value value = star_build_string(splitter->build, text);
    LIST_PUSH(splitter->build->arena, &splitter->items, value);
    text_clear(&splitter->literal);
}

static void add_place(struct splitter *splitter, size_t argument, char conversion) {
    end_literal(splitter);
    const star_value place = star_from_small((int64_t)(argument << 8 | (unsigned char)conversion));
    LIST_PUSH(splitter->build->arena, &splitter->items, place);
}

static star_value splitter_finish(struct splitter *splitter) {
    end_literal(splitter);
    if (star_build_is_out_of_memory(splitter->build)) {
        return STAR_UNSET;
    }
    struct star_tuple *tuple = star_tuple_new(splitter->build->thread, splitter->items.count);
    if (tuple == NULL) {
        splitter->build->failed = true;
        return STAR_UNSET;
    }
    memcpy(tuple->items, splitter->items.items, splitter->items.count * sizeof(star_value));
    return star_from_object(tuple);
}

// ---- % ------------------------------------------------------------------------------------------

bool star_conversion_is_known(char c) {
    return c == 's' || c == 'd' || (c != '\0' && strchr("rioxXeEfFgGc", c) != NULL);
}

star_value star_template_percent(struct star_build *build, str template, size_t argument_count) {
    struct splitter splitter;
    splitter_init(&splitter, build, template);
    for (size_t i = 0; i < template.size; i++) {
        char c = template.data[i];
        if (c != '%') {
            text_add_char(&splitter.literal, c);
            continue;
        }
        c = ++i < template.size ? template.data[i] : '\0';
        if (c == '%') {
            text_add_char(&splitter.literal, c);
        } else if (star_conversion_is_known(c)) {
            add_place(&splitter, splitter.next++, c);
        } else {
            return STAR_UNSET;
        }
    }
    return splitter.next == argument_count && argument_count > 0 ? splitter_finish(&splitter)
                                                                 : STAR_UNSET;
}

// ---- format() -----------------------------------------------------------------------------------

// The argument that a field names; false: there is none, or it is written as we cannot split.
static bool field_argument(struct splitter *splitter, str name, size_t *argument) {
    const struct ast_call *call = splitter->call;
    int64_t number = 0;
    const bool is_automatic = name.size == 0;
    const bool is_number = !is_automatic && name.data[0] >= '0' && name.data[0] <= '9';
    if (is_automatic || (is_number && str_parse_int64(name, &number))) {
        const enum numbering numbering = is_automatic ? NUMBERING_AUTOMATIC : NUMBERING_MANUAL;
        if (splitter->numbering != NUMBERING_OPEN && splitter->numbering != numbering) {
            return false;
        }
        splitter->numbering = numbering;
        *argument = is_automatic ? splitter->next++ : (size_t)number;
        return *argument < call->positional_count;
    }
    for (size_t i = 0; i < call->arg_count; i++) {
        if (call->args[i].kind == ARG_NAMED && str_equal(call->args[i].name, name)) {
            *argument = i;
            return true;
        }
    }
    return false;
}

// The text between braces.
static bool split_field(struct splitter *splitter, str field) {
    const size_t bang = str_find_char(field, '!');
    const str name = str_slice(field, 0, bang == SIZE_MAX ? field.size : bang);
    const str conversion = bang == SIZE_MAX ? STR("s") : str_from_offset(field, bang + 1);
    size_t argument = 0;
    if (conversion.size != 1 || (conversion.data[0] != 's' && conversion.data[0] != 'r') ||
        !field_argument(splitter, name, &argument)) {
        return false;
    }
    add_place(splitter, argument, conversion.data[0]);
    return true;
}

star_value star_template_format(struct star_build *build, str template,
                                const struct ast_call *call) {
    struct splitter splitter;
    splitter_init(&splitter, build, template);
    splitter.call = call;
    for (size_t i = 0; i < template.size; i++) {
        const char c = template.data[i];
        if (c != '{' && c != '}') {
            text_add_char(&splitter.literal, c);
            continue;
        }
        if (i + 1 < template.size && template.data[i + 1] == c) {
            text_add_char(&splitter.literal, c);
            i++;
            continue;
        }
        const size_t size = str_find_char(str_from_offset(template, i), '}');
        if (c == '}' || size == SIZE_MAX ||
            !split_field(&splitter, str_slice(template, i + 1, i + size))) {
            return STAR_UNSET;
        }
        i += size;
    }
    return splitter_finish(&splitter);
}
