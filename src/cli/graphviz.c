#include "cli/graphviz.h"

#include "base/library.h"
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
        text_add(out, (str){data, size});
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
