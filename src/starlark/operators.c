// Binary and unary operators: dispatch by type, and those of containers.

#include "starlark/operators.h"

#include "starlark/builtins.h"
#include "starlark/dict.h"
#include "starlark/numbers.h"
#include "starlark/thread.h"

const char *star_operator_text(enum star_operator operator) {
    static const char *const texts[] = {"+", "-", "*", "/",  "//", "%",
                                        "&", "|", "^", "<<", ">>", "in"};
    return texts[operator];
}

static star_value unknown_binary(struct star_thread *thread, enum star_operator operator,
                                 star_value a, star_value b) {
    return star_fail(thread, "unknown binary op: %s %s %s", star_type_name(a),
                     star_operator_text(operator), star_type_name(b));
}

// ---- numbers ------------------------------------------------------------------------------------

static bool is_number(star_value value) {
    return star_is_float(value) || star_is_int(value);
}

// Floats and small ints, which are exact as doubles.
static inline bool is_plain_number(star_value value) {
    return star_is_float(value) || star_is_small(value);
}

static inline double plain_double(star_value value) {
    return star_is_float(value) ? star_double(value) : (double)star_small(value);
}

static star_value double_binary(struct star_thread *thread, enum star_operator operator, double x,
                                double y, star_value a, star_value b) {
    switch (operator) {
    case STAR_OP_ADD:
        return star_from_double(x + y);
    case STAR_OP_SUBTRACT:
        return star_from_double(x - y);
    case STAR_OP_MULTIPLY:
        return star_from_double(x * y);
    case STAR_OP_DIVIDE:
        return star_float_divide(thread, x, y);
    case STAR_OP_FLOOR_DIVIDE:
        return star_float_floor_divide(thread, x, y);
    case STAR_OP_MODULO:
        return star_float_modulo(thread, x, y);
    case STAR_OP_AND:
    case STAR_OP_OR:
    case STAR_OP_XOR:
    case STAR_OP_SHIFT_LEFT:
    case STAR_OP_SHIFT_RIGHT:
    case STAR_OP_IN:
        break;
    }
    return unknown_binary(thread, operator, a, b);
}

// At least one of them a float.
static star_value float_binary(struct star_thread *thread, enum star_operator operator,
                               star_value a, star_value b) {
    double x = 0;
    double y = 0;
    if (is_plain_number(a)) {
        x = plain_double(a);
    } else if (!star_int_to_double(thread, a, &x)) {
        return STAR_ERROR;
    }
    if (is_plain_number(b)) {
        y = plain_double(b);
    } else if (!star_int_to_double(thread, b, &y)) {
        return STAR_ERROR;
    }
    return double_binary(thread, operator, x, y, a, b);
}

// ---- sequences ----------------------------------------------------------------------------------

static star_value list_concat(struct star_thread *thread, star_value a, star_value b) {
    struct star_list *x = star_as_list(a);
    struct star_list *y = star_as_list(b);
    if (!star_list_materialize(thread, x) || !star_list_materialize(thread, y) ||
        !star_charge(thread, (x->count + (uint64_t)y->count) / 8)) {
        return STAR_ERROR;
    }
    struct star_list *sum = star_list_new(thread, (size_t)x->count + y->count);
    if (sum == NULL) {
        return STAR_ERROR;
    }
    if (x->count > 0) {
        memcpy(sum->items, x->items, x->count * sizeof(star_value));
    }
    if (y->count > 0) {
        memcpy(sum->items + x->count, y->items, y->count * sizeof(star_value));
    }
    sum->count = x->count + y->count;
    return star_from_object(sum);
}

static star_value tuple_concat(struct star_thread *thread, star_value a, star_value b) {
    const struct star_tuple *x = star_as_tuple(a);
    const struct star_tuple *y = star_as_tuple(b);
    struct star_tuple *sum = star_tuple_new(thread, (size_t)x->count + y->count);
    if (sum == NULL) {
        return STAR_ERROR;
    }
    for (uint32_t i = 0; i < sum->count; i++) {
        sum->items[i] = i < x->count ? x->items[i] : y->items[i - x->count];
    }
    return star_from_object(sum);
}

enum { REPEAT_PIECE_BYTES = 256 * 1024 };

static star_value text_repeat(struct star_thread *thread, star_value text, uint64_t times) {
    const str part = star_text_of(text);
    char *content;
    const size_t size = part.size * times;
    const star_value made = star_is_string(text) ? star_string_reserve(thread, size, &content)
                                                 : star_bytes_reserve(thread, size, &content);
    if (star_is_error(made) || size == 0) {
        return made;
    }
    // What is there already is doubled, up to pieces between which the call can be stopped.
    memcpy(content, part.data, part.size);
    for (size_t done = part.size; done < size;) {
        size_t more = done < size - done ? done : size - done;
        more = more < REPEAT_PIECE_BYTES ? more : REPEAT_PIECE_BYTES / part.size * part.size;
        if (more == 0) { // a part longer than a piece
            more = part.size;
        }
        memcpy(content + done, content, more);
        done += more;
        if (!star_charge(thread, more / 16)) {
            return STAR_ERROR;
        }
    }
    return made;
}

static star_value items_repeat(struct star_thread *thread, star_value sequence, uint64_t times) {
    const bool is_list = star_is_type(sequence, STAR_OBJECT_LIST);
    if (is_list && !star_list_materialize(thread, star_as_list(sequence))) {
        return STAR_ERROR;
    }
    const size_t count = star_length(sequence);
    const star_value *items =
        is_list ? star_as_list(sequence)->items : star_as_tuple(sequence)->items;
    star_value *into;
    star_value made;
    if (is_list) {
        struct star_list *list = star_list_new(thread, count * times);
        if (list == NULL) {
            return STAR_ERROR;
        }
        list->count = (uint32_t)(count * times);
        into = list->items;
        made = star_from_object(list);
    } else {
        struct star_tuple *tuple = star_tuple_new(thread, count * times);
        if (tuple == NULL) {
            return STAR_ERROR;
        }
        into = tuple->items;
        made = star_from_object(tuple);
    }
    size_t uncharged = 0;
    for (uint64_t i = 0; count > 0 && i < times; i++) {
        memcpy(into + i * count, items, count * sizeof(star_value));
        uncharged += count;
        if (uncharged >= REPEAT_PIECE_BYTES / sizeof(star_value)) {
            if (!star_charge(thread, uncharged / 2)) {
                return STAR_ERROR;
            }
            uncharged = 0;
        }
    }
    return star_charge(thread, uncharged / 2) ? made : STAR_ERROR;
}

static bool is_repeatable(star_value value) {
    return star_is_type(value, STAR_OBJECT_STRING) || star_is_type(value, STAR_OBJECT_BYTES) ||
           star_is_type(value, STAR_OBJECT_LIST) || star_is_type(value, STAR_OBJECT_TUPLE);
}

static star_value repeat(struct star_thread *thread, star_value sequence, star_value times) {
    const bool is_text =
        star_is_type(sequence, STAR_OBJECT_STRING) || star_is_type(sequence, STAR_OBJECT_BYTES);
    const size_t count = is_text ? star_text_of(sequence).size : star_length(sequence);
    uint64_t n = 0;
    if (!star_int_is_negative(times) && count > 0) {
        if (!star_is_small(times) || (uint64_t)star_small(times) > STAR_REPEAT_MAX / count) {
            return star_fail(thread, "excessive repeat (%zu * %s elements)", count,
                             star_is_small(times) ? "too many" : "a huge number of");
        }
        n = (uint64_t)star_small(times);
    }
    return is_text ? text_repeat(thread, sequence, n) : items_repeat(thread, sequence, n);
}

// ---- dicts and sets -----------------------------------------------------------------------------

static bool dict_update(struct star_thread *thread, struct star_dict *into,
                        struct star_dict *from) {
    uint32_t position = 0;
    star_value key = STAR_NONE;
    star_value value;
    while (star_dict_step(thread, from, &position, &key, &value)) {
        if (!star_dict_insert(thread, into, key, value)) {
            return false;
        }
    }
    return !star_is_error(key);
}

static star_value dict_union(struct star_thread *thread, star_value a, star_value b) {
    struct star_dict *sum = star_dict_copy(thread, star_as_dict(a));
    return sum != NULL && dict_update(thread, sum, star_as_dict(b)) ? star_from_object(sum)
                                                                    : STAR_ERROR;
}

static star_value set_binary(struct star_thread *thread, enum star_operator operator, star_value a,
                             star_value b) {
    const struct star_set *x = star_as_set(a);
    const struct star_set *y = star_as_set(b);
    struct star_set *made;
    if (operator== STAR_OP_OR) {
        made = star_set_copy(thread, x);
        made = made != NULL && star_set_add_all(thread, made, y) ? made : NULL;
    } else if (operator== STAR_OP_XOR) {
        made = star_set_either(thread, x, y);
    } else {
        made = star_set_select(thread, x, y, operator== STAR_OP_AND);
    }
    return made == NULL ? STAR_ERROR : star_from_object(made);
}

// ---- dispatch -----------------------------------------------------------------------------------

static bool both(star_value a, star_value b, enum star_object_type type) {
    return star_is_type(a, type) && star_is_type(b, type);
}

static star_value host_binary(struct star_thread *thread, enum star_operator operator, star_value a,
                              star_value b) {
    star_value result = STAR_UNSET;
    if (star_is_type(a, STAR_OBJECT_HOST) && star_as_host(a)->type->binary != NULL) {
        result = star_as_host(a)->type->binary(thread, operator, a, b, false);
    }
    if (star_is_unset(result) && star_is_type(b, STAR_OBJECT_HOST) &&
        star_as_host(b)->type->binary != NULL) {
        result = star_as_host(b)->type->binary(thread, operator, b, a, true);
    }
    return star_is_unset(result) ? unknown_binary(thread, operator, a, b) : result;
}

static star_value container_binary(struct star_thread *thread, enum star_operator operator,
                                   star_value a, star_value b) {
    switch (operator) {
    case STAR_OP_ADD:
        if (both(a, b, STAR_OBJECT_STRING) || both(a, b, STAR_OBJECT_BYTES)) {
            return star_string_concat(thread, a, b);
        }
        if (both(a, b, STAR_OBJECT_LIST)) {
            return list_concat(thread, a, b);
        }
        if (both(a, b, STAR_OBJECT_TUPLE)) {
            return tuple_concat(thread, a, b);
        }
        break;
    case STAR_OP_MULTIPLY:
        if (is_repeatable(a) && star_is_int(b)) {
            return repeat(thread, a, b);
        }
        if (star_is_int(a) && is_repeatable(b)) {
            return repeat(thread, b, a);
        }
        break;
    case STAR_OP_MODULO:
        if (star_is_string(a)) {
            return star_format_percent(thread, a, b);
        }
        break;
    case STAR_OP_OR:
        if (both(a, b, STAR_OBJECT_DICT)) {
            return dict_union(thread, a, b);
        }
        if (both(a, b, STAR_OBJECT_SET)) {
            return set_binary(thread, operator, a, b);
        }
        break;
    case STAR_OP_SUBTRACT:
    case STAR_OP_AND:
    case STAR_OP_XOR:
        if (both(a, b, STAR_OBJECT_SET)) {
            return set_binary(thread, operator, a, b);
        }
        break;
    case STAR_OP_IN: {
        bool has;
        return star_contains(thread, b, a, &has) ? star_bool(has) : STAR_ERROR;
    }
    case STAR_OP_DIVIDE:
    case STAR_OP_FLOOR_DIVIDE:
    case STAR_OP_SHIFT_LEFT:
    case STAR_OP_SHIFT_RIGHT:
        break;
    }
    return host_binary(thread, operator, a, b);
}

star_value star_binary(struct star_thread *thread, enum star_operator operator, star_value a,
                       star_value b) {
    if (is_number(a) && is_number(b) && operator!= STAR_OP_IN) {
        if (star_is_float(a) || star_is_float(b)) {
            return float_binary(thread, operator, a, b);
        }
        return operator== STAR_OP_DIVIDE ? star_int_divide(thread, a, b)
                                         : star_int_binary(thread, operator, a, b);
    }
    return container_binary(thread, operator, a, b);
}

static bool list_extend(struct star_thread *thread, struct star_list *list, star_value from) {
    if (!star_list_check_mutable(thread, list, "extend") || !star_list_materialize(thread, list)) {
        return false;
    }
    if (star_is_same(star_from_object(list), from)) {
        const uint32_t count = list->count;
        for (uint32_t i = 0; i < count; i++) {
            if (!star_list_push(thread, list, list->items[i])) {
                return false;
            }
        }
        return true;
    }
    struct star_iterator iterator;
    if (!star_iterate(thread, from, &iterator)) {
        return false;
    }
    star_value item;
    bool is_good = true;
    while (is_good && star_iterate_next(thread, &iterator, &item)) {
        is_good = star_list_push(thread, list, item);
    }
    star_iterate_end(&iterator);
    return is_good && !iterator.failed;
}

// Replaces the content of `set` by that of `result`.
static star_value set_become(struct star_thread *thread, struct star_set *set, star_value result) {
    if (star_is_error(result) || !star_set_check_mutable(thread, set, "update")) {
        return STAR_ERROR;
    }
    set->table = star_as_set(result)->table;
    set->count = star_as_set(result)->count;
    star_as_set(result)->table = NULL;
    star_as_set(result)->count = 0;
    return star_from_object(set);
}

star_value star_binary_in_place(struct star_thread *thread, enum star_operator operator,
                                star_value a, star_value b) {
    if (operator== STAR_OP_ADD && star_is_type(a, STAR_OBJECT_LIST) && star_is_iterable(b)) {
        return list_extend(thread, star_as_list(a), b) ? a : STAR_ERROR;
    }
    if (operator== STAR_OP_OR && both(a, b, STAR_OBJECT_DICT)) {
        return star_is_same(a, b) || dict_update(thread, star_as_dict(a), star_as_dict(b))
                   ? a
                   : STAR_ERROR;
    }
    if (both(a, b, STAR_OBJECT_SET) &&
        (operator== STAR_OP_OR || operator== STAR_OP_AND || operator==
         STAR_OP_SUBTRACT || operator== STAR_OP_XOR)) {
        if (!star_set_check_mutable(thread, star_as_set(a), "update")) {
            return STAR_ERROR;
        }
        return set_become(thread, star_as_set(a), set_binary(thread, operator, a, b));
    }
    return star_binary(thread, operator, a, b);
}

// ---- unary --------------------------------------------------------------------------------------

static star_value unknown_unary(struct star_thread *thread, const char *operator, star_value a) {
    return star_fail(thread, "unknown unary op: %s%s", operator, star_type_name(a));
}

star_value star_negate(struct star_thread *thread, star_value a) {
    if (star_is_float(a)) {
        return star_from_double(-star_double(a));
    }
    if (star_is_int(a)) {
        return star_int_negate(thread, a);
    }
    if (star_is_type(a, STAR_OBJECT_HOST) && star_as_host(a)->type->negate != NULL) {
        return star_as_host(a)->type->negate(thread, a);
    }
    return unknown_unary(thread, "-", a);
}

star_value star_plus(struct star_thread *thread, star_value a) {
    return is_number(a) ? a : unknown_unary(thread, "+", a);
}

star_value star_complement(struct star_thread *thread, star_value a) {
    return star_is_int(a) ? star_int_complement(thread, a) : unknown_unary(thread, "~", a);
}

// ---- in -----------------------------------------------------------------------------------------

static bool sequence_contains(struct star_thread *thread, star_value sequence, star_value item,
                              bool *has) {
    const size_t count = star_length(sequence);
    *has = false;
    for (size_t i = 0; !*has && i < count; i++) {
        const star_value here = star_item(thread, sequence, i);
        if (star_is_error(here) || !star_equal(thread, here, item, has)) {
            return false;
        }
    }
    return star_charge(thread, count / 8);
}

static bool range_contains(star_value range, star_value item) {
    double number;
    int64_t whole;
    if (star_is_float(item)) {
        number = star_double(item);
        if (!(number >= -9.2e18 && number <= 9.2e18) || (double)(int64_t)number != number) {
            return false;
        }
        whole = (int64_t)number;
    } else if (!star_get_int64(item, &whole)) {
        return false;
    }
    const struct star_range *r = star_as_range(range);
    const bool is_up = r->step > 0;
    if (r->count == 0 || (is_up ? whole < r->start : whole > r->start)) {
        return false;
    }
    const uint64_t distance =
        is_up ? (uint64_t)whole - (uint64_t)r->start : (uint64_t)r->start - (uint64_t)whole;
    const uint64_t step = is_up ? (uint64_t)r->step : 0 - (uint64_t)r->step;
    return distance % step == 0 && distance / step < r->count;
}

static bool text_contains(struct star_thread *thread, star_value text, star_value item, bool *has,
                          bool *done) {
    *done = true;
    if (star_object(text)->type == STAR_OBJECT_BYTES && star_is_small(item)) {
        const str bytes = star_text_of(text);
        if (star_small(item) < 0 || star_small(item) > 255) {
            star_fail(thread, "int in bytes: %lld out of range", (long long)star_small(item));
            return false;
        }
        *has = bytes.size > 0 && memchr(bytes.data, (int)star_small(item), bytes.size) != NULL;
        return true;
    }
    *done = star_is_object(item) && star_object(item)->type == star_object(text)->type;
    if (*done) {
        *has = str_find(star_text_of(text), star_text_of(item)) != SIZE_MAX;
    } else if (star_is_string(text)) {
        star_fail(thread, "'in <string>' requires string as left operand, not %s",
                  star_type_name(item));
        *done = true;
        return false;
    }
    return true;
}

bool star_contains(struct star_thread *thread, star_value container, star_value item, bool *has) {
    *has = false;
    if (star_is_object(container)) {
        switch ((enum star_object_type)star_object(container)->type) {
        case STAR_OBJECT_LIST:
        case STAR_OBJECT_TUPLE:
            return sequence_contains(thread, container, item, has);
        case STAR_OBJECT_DICT: {
            const star_value found = star_dict_find(thread, star_as_dict(container), item);
            *has = !star_is_unset(found);
            return !star_is_error(found);
        }
        case STAR_OBJECT_SET: {
            const int found = star_set_has(thread, star_as_set(container), item);
            *has = found > 0;
            return found >= 0;
        }
        case STAR_OBJECT_RANGE:
            *has = range_contains(container, item);
            return true;
        case STAR_OBJECT_STRING:
        case STAR_OBJECT_BYTES: {
            bool done;
            const bool is_good = text_contains(thread, container, item, has, &done);
            if (done) {
                return is_good;
            }
            break;
        }
        case STAR_OBJECT_HOST: {
            const star_value result = host_binary(thread, STAR_OP_IN, item, container);
            *has = star_truth(result);
            return !star_is_error(result);
        }
        case STAR_OBJECT_BIGINT:
        case STAR_OBJECT_FUNCTION:
        case STAR_OBJECT_BUILTIN:
        case STAR_OBJECT_STRUCT:
        case STAR_OBJECT_CELL:
        case STAR_OBJECT_FORWARDED:
            break;
        }
    }
    star_fail(thread, "unknown binary op: %s in %s", star_type_name(item),
              star_type_name(container));
    return false;
}
