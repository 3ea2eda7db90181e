#ifndef CLI_PICTURE_H
#define CLI_PICTURE_H

// A graph to be drawn: boxes, some of them in groups, and arrows; as Mermaid, DOT or SVG.
//
// The output depends on nothing but the calls and their order.  Labels may hold anything: each form
// escapes them its own way, and names of nodes are made here.
//
// Ownership: everything lives in the arena.

#include "base/error.h"
#include "base/list.h"
#include "base/map.h"

struct text;

struct picture_group {
    str label;
};

struct picture_node {
    str label;    // lines separated by \n
    size_t group; // SIZE_MAX: in none
    bool faded;   // an outside thing, or one that never ran
    bool strong;  // what was asked for
};

struct picture_edge {
    size_t from;
    size_t to;
    str label;   // may be empty
    bool dashed; // only decides
};

struct picture {
    struct arena *arena;
    struct map keys; // node by key; see picture_node
    struct {
        struct picture_group *items;
        size_t count;
        size_t capacity;
    } groups;
    struct {
        struct picture_node *items;
        size_t count;
        size_t capacity;
    } nodes;
    struct {
        struct picture_edge *items;
        size_t count;
        size_t capacity;
    } edges;
};

void picture_init(struct picture *picture, struct arena *arena);
// The group or node of that key, made when it is new; a node that is there already stays as it is.
size_t picture_group(struct picture *picture, str label);
size_t picture_node(struct picture *picture, str key, const struct picture_node *node);
// Two arrows between the same nodes with the same label are one.
void picture_edge(struct picture *picture, const struct picture_edge *edge);

enum picture_format { PICTURE_MERMAID, PICTURE_DOT, PICTURE_SVG };

// SVG needs Graphviz on the machine: ERROR_NOT_FOUND says what to install.
MUST_USE enum error_code picture_write(const struct picture *picture, enum picture_format format,
                                       struct text *out, struct error *err);

#endif
