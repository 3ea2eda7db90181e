#include "cli/graphviz.h"

#include "base/arena.h"
#include "base/library.h"
#include "base/list.h"
#include "base/text.h"

// The headers of Graphviz are not needed to build: these are the functions we call, as it documents
// them, on types that we never look into.
struct gv_context;
struct gv_graph;

struct graphviz_api {
    struct gv_context *(*context)(void);
    struct gv_graph *(*read)(const char *text);
    int (*layout)(struct gv_context *context, struct gv_graph *graph, const char *engine);
    int (*render)(struct gv_context *context, struct gv_graph *graph, const char *format,
                  char **data, unsigned int *size);
    void (*free_data)(char *data);
    int (*free_layout)(struct gv_context *context, struct gv_graph *graph);
    int (*close)(struct gv_graph *graph);
    int (*free_context)(struct gv_context *context);
};

static const char *const NAMES[] = {
    "gvContext",        "agmemread",    "gvLayout", "gvRenderData",
    "gvFreeRenderData", "gvFreeLayout", "agclose",  "gvFreeContext",
};
_Static_assert(sizeof(struct graphviz_api) == sizeof(NAMES) / sizeof(NAMES[0]) * sizeof(void *),
               "one name a function");

static const char *const PATHS[] = {"libgvc.so.6",    "libgvc.so.7",  "libgvc.so",
                                    "libgvc.6.dylib", "libgvc.dylib", NULL};

// ── The order of clusters ──

#define CLUSTER STR("<g id=\"clust")

struct cluster {
    str text;   // the whole element, with its newline
    size_t end; // of its id's number
    uint64_t number;
};

struct cluster_list {
    struct cluster *items;
    size_t count;
    size_t capacity;
};

// The element that `text` begins with; false when it is no cluster.
static bool read_cluster(str text, struct cluster *cluster) {
    const str close = STR("</g>\n"), title = STR("<title>cluster_");
    const size_t end = str_find(text, close);
    const size_t number = str_find(text, title);
    if (!str_starts_with(text, CLUSTER) || end == SIZE_MAX || number == SIZE_MAX) {
        return false;
    }
    const str digits = str_from_offset(text, number + title.size);
    cluster->text = str_slice(text, 0, end + close.size);
    cluster->end = str_find(str_from_offset(text, CLUSTER.size), STR("\"")) + CLUSTER.size;
    return str_parse_uint64(str_slice(digits, 0, str_find(digits, STR("<"))), &cluster->number);
}

static void sort_clusters(struct cluster_list *clusters) {
    for (size_t i = 1; i < clusters->count; i++) {
        for (size_t j = i; j > 0 && clusters->items[j].number < clusters->items[j - 1].number;
             j--) {
            const struct cluster moved = clusters->items[j];
            clusters->items[j] = clusters->items[j - 1];
            clusters->items[j - 1] = moved;
        }
    }
}

// Graphviz writes clusters in the order of addresses in its memory: here in that of the graph.
static void add_ordered(struct text *out, str svg) {
    SCRATCH(scratch);
    struct cluster_list clusters = {0};
    struct cluster cluster;
    const size_t first = str_find(svg, CLUSTER);
    text_add(out, str_slice(svg, 0, first));
    str rest = str_from_offset(svg, first);
    while (first != SIZE_MAX && read_cluster(rest, &cluster)) {
        LIST_PUSH(&scratch, &clusters, cluster);
        rest = str_from_offset(rest, cluster.text.size);
    }
    sort_clusters(&clusters);
    for (size_t i = 0; i < clusters.count; i++) {
        text_add(out, CLUSTER);
        text_format(out, "%zu", i + 1);
        text_add(out, str_from_offset(clusters.items[i].text, clusters.items[i].end));
    }
    text_add(out, rest);
}

// ── Drawing ──

static enum error_code render(const struct graphviz_api *api, struct gv_context *context,
                              const char *dot, struct text *out, struct error *err) {
    struct gv_graph *graph = api->read(dot);
    if (graph == NULL) {
        return error_set(err, ERROR_INTERNAL, "Graphviz cannot read the graph");
    }
    char *data = NULL;
    unsigned int size = 0;
    const bool is_drawn = api->layout(context, graph, "dot") == 0 &&
                          api->render(context, graph, "svg", &data, &size) == 0;
    if (is_drawn) {
        add_ordered(out, (str){data, size});
    }
    if (data != NULL) {
        api->free_data(data);
    }
    (void)api->free_layout(context, graph);
    (void)api->close(graph);
    return is_drawn ? ERROR_NONE
                    : error_set(err, ERROR_INTERNAL, "Graphviz cannot draw the graph as SVG");
}

enum error_code graphviz_svg(const char *dot, struct text *out, struct error *err) {
    struct graphviz_api api;
    struct error reason;
    if (library_load(PATHS, NAMES, ARRAY_COUNT(NAMES), &api, &reason) != ERROR_NONE) {
        error_set(err, ERROR_NOT_FOUND, "SVG needs Graphviz, which is not installed");
        error_hint(err, "install it (apt-get install graphviz, brew install graphviz), or use "
                        "--format mermaid or dot");
        return err->code;
    }
    struct gv_context *context = api.context();
    if (context == NULL) {
        return error_set(err, ERROR_INTERNAL, "Graphviz does not start");
    }
    const enum error_code code = render(&api, context, dot, out, err);
    (void)api.free_context(context);
    return code;
}
