#include "lib/program.h"

#include <stdio.h>
#include <string.h>

static bool has_name(struct star_names names, const char *name) {
    for (size_t i = 0; i < names.count; i++) {
        if (strcmp(names.names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

struct star_names lib_predeclared_names(struct arena *arena) {
    struct star_names modules = modules_names();
    const char **names = ARENA_ARRAY(arena, const char *, LIB_PREDECLARED_MAX);
    size_t count = 0;
    for (; count < modules.count; count++) {
        names[count] = modules.names[count];
    }
    for (size_t i = 0; i < star_standard_names.count; i++) {
        if (!has_name(modules, star_standard_names.names[i])) {
            names[count++] = star_standard_names.names[i];
        }
    }
    return (struct star_names){names, count};
}

size_t lib_predeclared_bind(struct star_thread *thread,
                            struct star_binding bindings[LIB_PREDECLARED_MAX]) {
    size_t count = modules_bind(thread, bindings);
    struct star_binding standard[STAR_STANDARD_COUNT];
    if (count == 0 || !star_standard_bindings(thread, standard)) {
        return 0;
    }
    for (size_t i = 0; i < STAR_STANDARD_COUNT; i++) {
        if (!has_name(modules_names(), standard[i].name)) {
            bindings[count++] = standard[i];
        }
    }
    return count;
}

// What to write instead of the Python that Starlark leaves out.
static const char *advice_for(const char *message) {
    static const struct {
        const char *message;
        const char *advice;
    } ADVICE[] = {
        {"'import' is a reserved word", "load(\"lib/other.star\", \"name\") takes a name from "
                                        "another lib file; http, json and the "
                                        "other modules are there already"},
        {"'is' is a reserved word", "compare with == or !="},
        {"'try' is a reserved word",
         "there are no exceptions: look at .ok or .status_code, or end with fail(\"why\")"},
        {"'except' is a reserved word", "there are no exceptions"},
        {"'finally' is a reserved word", "there are no exceptions"},
        {"'raise' is a reserved word", "end with fail(\"why\")"},
        {"'class' is a reserved word", "use a dict and functions"},
        {"'from' is a reserved word",
         "load(\"lib/other.star\", \"name\") takes a name from another lib file"},
        {"f-strings are not supported", "write \"… {}\".format(x), or \"… %s\" % x"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(ADVICE); i++) {
        if (strcmp(message, ADVICE[i].message) == 0) {
            return ADVICE[i].advice;
        }
    }
    return "";
}

static void add_diagnostic(str file, str text, const struct star_diagnostic *diagnostic,
                           struct error_list *errors) {
    struct error err = {0};
    error_rule(&err, ERROR_INVALID, "blueprint.other", "%s", diagnostic->message);
    const bool has_hint = diagnostic->hint != NULL && *diagnostic->hint != '\0';
    error_hint(&err, "%s", has_hint ? diagnostic->hint : advice_for(diagnostic->message));
    error_at(&err, file, diagnostic->line, diagnostic->column);
    error_source(&err, text);
    error_list_add(errors, &err);
}

struct lib_program *lib_program_compile(struct arena *arena, str file, str text,
                                        struct error_list *errors) {
    struct star_source source = {.file = str_to_cstring(arena, file),
                                 .text = text.data,
                                 .size = text.size,
                                 .dialect = STAR_DIALECT_SCRIPT,
                                 .predeclared = lib_predeclared_names(arena)};
    struct star_diagnostics diagnostics = {0};
    struct star_program *program = star_compile(&source, &diagnostics);
    for (size_t i = 0; i < diagnostics.count; i++) {
        add_diagnostic(file, text, &diagnostics.items[i], errors);
    }
    if (diagnostics.total > diagnostics.count && diagnostics.count > 0) {
        struct error err = {0};
        error_rule(&err, ERROR_INVALID, "blueprint.other", "%zu more errors",
                   diagnostics.total - diagnostics.count);
        error_at(&err, file, diagnostics.items[diagnostics.count - 1].line, 0);
        error_list_add(errors, &err);
    }
    if (program == NULL && diagnostics.count == 0) {
        struct error err = {0};
        error_set(&err, ERROR_LIMIT, "%s while compiling", diagnostics.failure);
        error_at(&err, file, 1, 1);
        error_list_add(errors, &err);
    }
    star_diagnostics_free(&diagnostics);
    if (program == NULL) {
        return NULL;
    }
    struct lib_program *result = ARENA_NEW(arena, struct lib_program);
    *result = (struct lib_program){.file = file, .program = program};
    return result;
}

// The text of line `number`, trimmed.
static str source_line(const struct map *sources, const char *file, int number) {
    const str *text = map_get(sources, str_from(file));
    if (text == NULL) {
        return (str){0};
    }
    struct str_splitter lines = {.rest = *text};
    str line = {0};
    for (int i = 0; i < number; i++) {
        if (!str_split_next(&lines, '\n', &line)) {
            return (str){0};
        }
    }
    return str_trim(line);
}

static void add_frame(const struct star_frame *frame, uint32_t more, const struct map *sources,
                      struct error *err) {
    if (frame->file == NULL) {
        error_trace(err, "    <builtin>  in %s\n", frame->function);
    } else {
        char place[320];
        snprintf(place, sizeof(place), "%s:%d:%d", frame->file, frame->line, frame->column);
        str line = source_line(sources, frame->file, frame->line);
        error_trace(err, "    %s  in %-10s " STR_FORMAT "\n", place, frame->function,
                    STR_ARGS(line));
    }
    if (more > 0) {
        error_trace(err, "    … %u more\n", more);
    }
}

static enum error_code code_of(const struct star_error *error) {
    switch (error->status) {
    case STAR_CANCELLED:
        return ERROR_CANCELLED;
    case STAR_LIMIT:
        return ERROR_LIMIT;
    case STAR_HOST:
        return error->host_code != 0 ? (enum error_code)error->host_code : ERROR_INVALID;
    case STAR_OK:
    case STAR_FAILED:
    case STAR_ABORTED:
        return ERROR_INVALID;
    }
    return ERROR_INTERNAL;
}

enum error_code lib_error_from_star(const struct star_thread *thread, const struct map *sources,
                                    struct error *err) {
    const struct star_error *error = star_thread_error(thread);
    enum error_code code = error_set(err, code_of(error), "%s", error->message);
    if (error->hint != NULL && *error->hint != '\0') {
        error_hint(err, "%s", error->hint);
    }
    for (size_t i = 0; i < error->frame_count; i++) {
        add_frame(&error->frames[i], error->frame_more[i], sources, err);
    }
    return code;
}
