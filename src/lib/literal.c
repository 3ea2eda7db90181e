#include "lib/literal.h"

#include "base/arena.h"
#include "base/text.h"
#include "starlark/syntax.h"

static void read_items(struct arena *arena, const struct star_node *node,
                       struct lib_literal *literal) {
    size_t count = star_node_count(node);
    struct lib_literal *items = ARENA_ARRAY(arena, struct lib_literal, count);
    for (size_t i = 0; i < count; i++) {
        items[i] = lib_literal_read(arena, star_node_item(node, i));
    }
    literal->kind = LITERAL_LIST;
    literal->items = items;
    literal->count = count;
}

static void read_entries(struct arena *arena, const struct star_node *node,
                         struct lib_literal *literal) {
    size_t count = star_node_count(node);
    struct lib_entry *entries = ARENA_ARRAY(arena, struct lib_entry, count);
    for (size_t i = 0; i < count; i++) {
        entries[i].key = lib_literal_read(arena, star_node_key(node, i));
        entries[i].value = lib_literal_read(arena, star_node_item(node, i));
    }
    literal->kind = LITERAL_DICT;
    literal->entries = entries;
    literal->count = count;
}

static void read_number(struct arena *arena, const struct star_node *node,
                        struct lib_literal *literal) {
    bool is_int = star_node_kind(node) == STAR_NODE_INT;
    literal->kind = is_int ? LITERAL_INT : LITERAL_FLOAT;
    (void)star_node_double(node, &literal->number);
    literal->fits = is_int && star_node_int(node, &literal->integer);
    if (is_int) {
        literal->text = literal->fits ? str_format(arena, "%lld", (long long)literal->integer)
                                      : STR("a number beyond 64 bits");
    } else {
        literal->text = str_format(arena, "%g", literal->number);
    }
}

static str node_text(const struct star_node *node) {
    size_t size = 0;
    const char *data = star_node_text(node, &size);
    return (str){data, size};
}

struct lib_literal lib_literal_read(struct arena *arena, const struct star_node *node) {
    struct star_span span = star_node_span(node);
    struct lib_literal literal = {.kind = LITERAL_OTHER, .line = span.line, .column = span.column};
    switch (star_node_kind(node)) {
    case STAR_NODE_NONE:
        literal.kind = LITERAL_NONE;
        break;
    case STAR_NODE_BOOL:
        literal.kind = LITERAL_BOOL;
        literal.truth = star_node_bool(node);
        break;
    case STAR_NODE_INT:
    case STAR_NODE_FLOAT:
        read_number(arena, node, &literal);
        break;
    case STAR_NODE_STRING:
        literal.kind = LITERAL_STRING;
        literal.text = str_copy(arena, node_text(node));
        break;
    case STAR_NODE_LIST:
    case STAR_NODE_TUPLE:
        read_items(arena, node, &literal);
        break;
    case STAR_NODE_DICT:
        read_entries(arena, node, &literal);
        break;
    case STAR_NODE_NAME:
        literal.text = str_format(arena, "name \"" STR_FORMAT "\"", STR_ARGS(node_text(node)));
        break;
    case STAR_NODE_BYTES:
    case STAR_NODE_CALL:
    case STAR_NODE_OTHER:
        literal.text = str_copy(arena, str_from(star_node_describe(node)));
        break;
    }
    return literal;
}
