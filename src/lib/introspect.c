#include "lib/introspect.h"

#include "base/text.h"
#include "starlark/syntax.h"

#include <string.h>

// ── Requests ──

static const struct star_node *argument(const struct star_node *call, size_t position,
                                        const char *name) {
    size_t positional = 0;
    for (size_t i = 0; i < star_node_count(call); i++) {
        size_t size = 0;
        const char *given = star_node_argument_name(call, i, &size);
        if (given == NULL && positional++ == position) {
            return star_node_item(call, i);
        }
        if (given != NULL && str_equal((str){given, size}, str_from(name))) {
            return star_node_item(call, i);
        }
    }
    return NULL;
}

static str literal(struct arena *arena, const struct star_node *node) {
    if (node == NULL || star_node_kind(node) != STAR_NODE_STRING) {
        return (str){0};
    }
    size_t size = 0;
    const char *text = star_node_text(node, &size);
    return str_copy(arena, (str){text, size});
}

static struct lib_request read_request(struct arena *arena, const struct star_call_view *view) {
    const str name = str_from_offset(str_from(view->callee), strlen("http."));
    const bool is_generic = str_equal(name, STR("request"));
    const str method =
        is_generic ? literal(arena, argument(view->call, 0, "method")) : str_copy(arena, name);
    return (struct lib_request){
        .method = method.size == 0 ? STR("?") : str_to_upper(arena, method),
        .path = literal(arena, argument(view->call, is_generic ? 1 : 0, "url")),
        .function = str_copy(arena, str_from(view->function)),
        .line = view->span.line,
    };
}

void lib_requests_find(struct arena *arena, const struct lib_set *set, const struct lib *lib,
                       struct lib_request_list *requests) {
    const str *text = map_get(&set->sources, lib->file);
    if (text == NULL) {
        return;
    }
    const struct star_source source = {.file = str_to_cstring(arena, lib->file),
                                       .text = text->data,
                                       .size = text->size,
                                       .dialect = STAR_DIALECT_SCRIPT};
    struct star_syntax *syntax = star_syntax_parse(&source, NULL);
    if (syntax == NULL) {
        return;
    }
    static const char *const METHODS[] = {"http.get",    "http.post", "http.put",    "http.patch",
                                          "http.delete", "http.head", "http.request"};
    for (size_t i = 0; i < star_syntax_call_count(syntax); i++) {
        const struct star_call_view *view = star_syntax_call(syntax, i);
        for (size_t j = 0; j < ARRAY_COUNT(METHODS); j++) {
            if (strcmp(view->callee, METHODS[j]) == 0) {
                const struct lib_request request = read_request(arena, view);
                LIST_PUSH(arena, requests, request);
            }
        }
    }
    star_syntax_free(syntax);
}

// ── Signatures ──

str lib_signature(struct arena *arena, const struct lib_function *function) {
    struct str_list parts = {0};
    bool keyword_only = false;
    for (size_t i = 0; i < function->parameter_count; i++) {
        const struct lib_parameter *parameter = &function->parameters[i];
        if (parameter->is_keyword_only && !keyword_only) {
            str_list_push(arena, &parts, function->takes_args ? STR("*args") : STR("*"));
            keyword_only = true;
        }
        str_list_push(arena, &parts,
                      parameter->has_default
                          ? str_format(arena, STR_FORMAT " = …", STR_ARGS(parameter->name))
                          : parameter->name);
    }
    if (function->takes_args && !keyword_only) {
        str_list_push(arena, &parts, STR("*args"));
    }
    if (function->takes_kwargs) {
        str_list_push(arena, &parts, STR("**kwargs"));
    }
    return str_format(arena, STR_FORMAT "(" STR_FORMAT ")", STR_ARGS(function->name),
                      STR_ARGS(str_list_join(arena, &parts, STR(", "))));
}

// ── Auth ──

str lib_auth_name(const struct http_auth_spec *auth) {
    switch (auth->pattern) {
    case HTTP_AUTH_PATTERN_NONE:
        return STR("none");
    case HTTP_AUTH_PATTERN_ENV:
        return auth->param.size > 0    ? STR("param")
               : auth->header.size > 0 ? STR("header")
                                       : STR("bearer");
    case HTTP_AUTH_PATTERN_USER:
        return STR("basic");
    case HTTP_AUTH_PATTERN_SERVICE_ACCOUNT:
        return STR("service_account");
    case HTTP_AUTH_PATTERN_PROVIDER:
        return STR("provider");
    case HTTP_AUTH_PATTERN_CLIENT_CREDENTIALS:
        return STR("client_credentials");
    }
    return (str){0};
}

void lib_auth_variables(struct arena *arena, const struct http_auth_spec *auth,
                        struct str_list *names) {
    const struct http_auth_value *values[] = {&auth->key, &auth->user, &auth->pass,
                                              &auth->client_id, &auth->client_secret};
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        if (values[i]->is_variable && values[i]->text.size > 0) {
            str_list_push(arena, names, values[i]->text);
        }
    }
}
