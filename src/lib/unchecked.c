#include "lib/unchecked.h"

#include "lib/lib.h"
#include "starlark/syntax.h"

#include <string.h>

enum { CALL_DEPTH_MAX = 8 }; // functions that call each other in a chain

static bool is_silenced(str text) {
    static const str marks[] = {STR_INIT("# coypucheck:allow-unchecked-status "),
                                STR_INIT("# ondatracheck:allow-unchecked-status ")};
    for (size_t i = 0; i < ARRAY_COUNT(marks); i++) {
        size_t at = str_find(text, marks[i]);
        str rest = at == SIZE_MAX ? (str){0} : str_from_offset(text, at + marks[i].size);
        if (!str_is_empty(str_trim(str_slice(rest, 0, str_find_char(rest, '\n'))))) {
            return true;
        }
    }
    return false;
}

// The lines of a top-level function, up to the next one.
static str function_text(const struct lib *lib, str text, const struct lib_function *function) {
    int end = 0;
    for (size_t i = 0; i < lib->function_count; i++) {
        int line = lib->functions[i].line;
        if (line > function->line && (end == 0 || line < end)) {
            end = line;
        }
    }
    struct str_splitter lines = {.rest = text};
    str line = {0};
    const char *first = NULL;
    const char *last = text.data + text.size;
    for (int number = 1; str_split_next(&lines, '\n', &line); number++) {
        first = number == function->line ? line.data : first;
        last = number == end ? line.data : last;
    }
    return first == NULL ? (str){0} : (str){first, (size_t)(last - first)};
}

static bool is_loaded(const struct star_syntax *syntax, const char *name) {
    for (size_t i = 0; i < star_syntax_load_count(syntax); i++) {
        const struct star_load_view *load = star_syntax_load(syntax, i);
        for (size_t j = 0; j < load->count; j++) {
            if (strcmp(load->to[j], name) == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool is_checked(const struct lib *lib, const struct star_syntax *syntax, str text,
                       const char *name, int depth) {
    const struct lib_function *function = lib_function_find(lib, str_from(name));
    if (function == NULL || depth == CALL_DEPTH_MAX) {
        return false;
    }
    str body = function_text(lib, text, function);
    if (str_find(body, STR(".ok")) != SIZE_MAX || str_find(body, STR(".status_code")) != SIZE_MAX) {
        return true;
    }
    for (size_t i = 0; i < star_syntax_call_count(syntax); i++) {
        const struct star_call_view *call = star_syntax_call(syntax, i);
        if (strcmp(call->function, name) == 0 && strcmp(call->callee, name) != 0 &&
            (strcmp(call->callee, "fail") == 0 || strcmp(call->callee, "abort") == 0 ||
             is_loaded(syntax, call->callee) ||
             is_checked(lib, syntax, text, call->callee, depth + 1))) {
            return true;
        }
    }
    return false;
}

bool lib_status_is_unchecked(const struct lib *lib, const struct star_syntax *syntax, str text,
                             const char *function) {
    bool sends = false;
    for (size_t i = 0; i < star_syntax_call_count(syntax); i++) {
        const struct star_call_view *call = star_syntax_call(syntax, i);
        sends = sends || (strcmp(call->function, function) == 0 &&
                          strncmp(call->callee, "http.", strlen("http.")) == 0);
    }
    return sends && !is_silenced(text) && !is_checked(lib, syntax, text, function, 0);
}
