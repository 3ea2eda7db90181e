#include "cli/picture.h"

#include "base/text.h"
#include "cli/graphviz.h"

void picture_init(struct picture *picture, struct arena *arena) {
    *picture = (struct picture){.arena = arena};
    map_init(&picture->keys, arena);
}

static size_t find_key(const struct picture *picture, str key) {
    const size_t *index = map_get(&picture->keys, key);
    return index == NULL ? SIZE_MAX : *index;
}

static void put_key(struct picture *picture, str key, size_t index) {
    size_t *stored = ARENA_NEW(picture->arena, size_t);
    *stored = index;
    (void)map_set(&picture->keys, key, stored);
}

size_t picture_group(struct picture *picture, str label) {
    const str key = str_format(picture->arena, "group\n" STR_FORMAT, STR_ARGS(label));
    size_t index = find_key(picture, key);
    if (index == SIZE_MAX) {
        index = picture->groups.count;
        const struct picture_group group = {label};
        LIST_PUSH(picture->arena, &picture->groups, group);
        put_key(picture, key, index);
    }
    return index;
}

size_t picture_node(struct picture *picture, str key, const struct picture_node *node) {
    const str full = str_format(picture->arena, "node\n" STR_FORMAT, STR_ARGS(key));
    size_t index = find_key(picture, full);
    if (index == SIZE_MAX) {
        index = picture->nodes.count;
        LIST_PUSH(picture->arena, &picture->nodes, *node);
        put_key(picture, full, index);
    }
    return index;
}

void picture_edge(struct picture *picture, const struct picture_edge *edge) {
    const str key = str_format(picture->arena, "edge\n%zu %zu %d " STR_FORMAT, edge->from, edge->to,
                               edge->dashed, STR_ARGS(edge->label));
    if (find_key(picture, key) == SIZE_MAX) {
        LIST_PUSH(picture->arena, &picture->edges, *edge);
        put_key(picture, key, picture->edges.count);
    }
}

// ── Mermaid ──

// Inside "…": entities for what has a meaning there, <br/> for a new line.
static void mermaid_text(struct text *out, str text) {
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.data[i];
        switch (c) {
        case '"':
            text_add(out, STR("#quot;"));
            break;
        case '#':
            text_add(out, STR("#35;"));
            break;
        case '&':
            text_add(out, STR("#amp;"));
            break;
        case '<':
            text_add(out, STR("#lt;"));
            break;
        case '>':
            text_add(out, STR("#gt;"));
            break;
        case '`': // "`…`" would be Markdown
            text_add(out, STR("#96;"));
            break;
        case '\\':
            text_add(out, STR("#92;"));
            break;
        case '\n':
            text_add(out, STR("<br/>"));
            break;
        default:
            text_add_char(out, (unsigned char)c < 0x20 || c == 0x7f ? ' ' : c);
        }
    }
}

static void mermaid_node(struct text *out, const struct picture_node *node, size_t index,
                         const char *indent) {
    text_format(out, "%sn%zu[\"", indent, index);
    mermaid_text(out, node->label);
    text_format(out, "\"]%s\n", node->strong ? ":::strong" : node->faded ? ":::faded" : "");
}

static void write_mermaid(const struct picture *picture, struct text *out) {
    text_add(out, STR("flowchart LR\n"));
    for (size_t i = 0; i < picture->groups.count; i++) {
        text_format(out, "    subgraph g%zu[\"", i);
        mermaid_text(out, picture->groups.items[i].label);
        text_add(out, STR("\"]\n"));
        for (size_t j = 0; j < picture->nodes.count; j++) {
            if (picture->nodes.items[j].group == i) {
                mermaid_node(out, &picture->nodes.items[j], j, "        ");
            }
        }
        text_add(out, STR("    end\n"));
    }
    for (size_t j = 0; j < picture->nodes.count; j++) {
        if (picture->nodes.items[j].group == SIZE_MAX) {
            mermaid_node(out, &picture->nodes.items[j], j, "    ");
        }
    }
    for (size_t i = 0; i < picture->edges.count; i++) {
        const struct picture_edge *edge = &picture->edges.items[i];
        text_format(out, "    n%zu %s", edge->from, edge->dashed ? "-.->" : "-->");
        if (edge->label.size > 0) {
            text_add(out, STR("|\""));
            mermaid_text(out, edge->label);
            text_add(out, STR("\"|"));
        }
        text_format(out, " n%zu\n", edge->to);
    }
    text_add(out, STR("    classDef faded stroke-dasharray: 4 3,color:#666\n"
                      "    classDef strong stroke-width:3px\n"));
}

// ── DOT ──

// Inside "…": DOT itself knows only \", Graphviz's labels the other escapes, so \ is doubled.
static void dot_text(struct text *out, str text) {
    text_add_char(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.data[i];
        if (c == '"' || c == '\\') {
            text_add_char(out, '\\');
            text_add_char(out, c);
        } else if (c == '\n') {
            text_add(out, STR("\\n"));
        } else if (c == '&') { // Graphviz reads entities in labels
            text_add(out, STR("&amp;"));
        } else {
            text_add_char(out, (unsigned char)c < 0x20 || c == 0x7f ? ' ' : c);
        }
    }
    text_add_char(out, '"');
}

static void dot_node(struct text *out, const struct picture_node *node, size_t index,
                     const char *indent) {
    text_format(out, "%sn%zu [label=", indent, index);
    dot_text(out, node->label);
    text_add(out, node->strong  ? STR(", penwidth=2")
                  : node->faded ? STR(", style=\"rounded,dashed\", fontcolor=\"#666666\"")
                                : STR(""));
    text_add(out, STR("]\n"));
}

static void write_dot(const struct picture *picture, struct text *out) {
    text_add(out, STR("digraph coypu {\n"
                      "    rankdir=LR\n"
                      "    node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=11]\n"
                      "    edge [fontname=\"Helvetica\", fontsize=9]\n"));
    for (size_t i = 0; i < picture->groups.count; i++) {
        text_format(out, "    subgraph cluster_%zu {\n        label=", i);
        dot_text(out, picture->groups.items[i].label);
        text_add(out, STR("\n        fontname=\"Helvetica\"\n        color=\"#999999\"\n"));
        for (size_t j = 0; j < picture->nodes.count; j++) {
            if (picture->nodes.items[j].group == i) {
                dot_node(out, &picture->nodes.items[j], j, "        ");
            }
        }
        text_add(out, STR("    }\n"));
    }
    for (size_t j = 0; j < picture->nodes.count; j++) {
        if (picture->nodes.items[j].group == SIZE_MAX) {
            dot_node(out, &picture->nodes.items[j], j, "    ");
        }
    }
    for (size_t i = 0; i < picture->edges.count; i++) {
        const struct picture_edge *edge = &picture->edges.items[i];
        text_format(out, "    n%zu -> n%zu", edge->from, edge->to);
        if (edge->label.size > 0 || edge->dashed) {
            text_add(out, STR(" [label="));
            dot_text(out, edge->label);
            text_format(out, "%s]", edge->dashed ? ", style=dashed" : "");
        }
        text_add(out, STR("\n"));
    }
    text_add(out, STR("}\n"));
}

enum error_code picture_write(const struct picture *picture, enum picture_format format,
                              struct text *out, struct error *err) {
    switch (format) {
    case PICTURE_MERMAID:
        write_mermaid(picture, out);
        return ERROR_NONE;
    case PICTURE_DOT:
        write_dot(picture, out);
        return ERROR_NONE;
    case PICTURE_SVG:
        break;
    }
    struct text dot;
    text_init(&dot, picture->arena);
    write_dot(picture, &dot);
    return graphviz_svg(text_cstring(&dot), out, err);
}
