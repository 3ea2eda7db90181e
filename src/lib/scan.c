// Reads lib/*.star: names, API dicts, signatures, compilation.  Every file is looked at, whatever
// is wrong with the others.

#include "base/file.h"
#include "http/rate_limit.h"
#include "lake/table_function.h"
#include "lib/api_read.h"
#include "lib/program.h"
#include "lib/signature.h"
#include "lib/unchecked.h"
#include "starlark/syntax.h"

#include <stdio.h>
#include <string.h>

// One file being read.
struct scan {
    struct arena *arena;
    const struct lib_scan_options *options;
    struct lib_set *set;
    str file; // "lib/x.star"
    str name;
    str text;
};

static void add_finding(struct scan *scan, struct error_list *list, const char *rule, int line,
                        int column, const char *format, ...) PRINTF_LIKE(6, 7);
static void add_finding(struct scan *scan, struct error_list *list, const char *rule, int line,
                        int column, const char *format, ...) {
    char message[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    struct error err = {0};
    error_rule(&err, ERROR_INVALID, rule, "%s", message);
    error_at(&err, scan->file, line, column);
    error_source(&err, scan->text);
    error_list_add(list, &err);
}

// ---- names --------------------------------------------------------------------------------------

static bool is_legal_stem(str name) {
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || c == '_';
        bool digit = c >= '0' && c <= '9';
        if (!letter && !(digit && i > 0)) {
            return false;
        }
    }
    return name.size > 0;
}

static void check_name(struct scan *scan) {
    static const str reserved[] = {STR_INIT("main"), STR_INIT("temp"), STR_INIT("system"),
                                   STR_INIT("information_schema"), STR_INIT("state")};
    struct error_list *errors = &scan->set->errors;
    if (!is_legal_stem(scan->name)) {
        add_finding(scan, errors, "blueprint.other", 0, 0,
                    "the file name \"" STR_FORMAT
                    ".star\" gives no function name: use small letters, digits and _ only",
                    STR_ARGS(scan->name));
        return;
    }
    for (size_t i = 0; i < ARRAY_COUNT(reserved); i++) {
        if (str_equal(reserved[i], scan->name)) {
            add_finding(scan, errors, "blueprint.other", 0, 0,
                        "the name \"" STR_FORMAT "\" is reserved", STR_ARGS(scan->name));
            return;
        }
    }
    if (str_equal_nocase(scan->options->catalog, scan->name)) {
        add_finding(scan, errors, "blueprint.other", 0, 0,
                    "the name \"" STR_FORMAT "\" is the lake's own", STR_ARGS(scan->name));
        return;
    }
    str taken = {0};
    if (scan->options->name_taken_by != NULL) {
        taken = scan->options->name_taken_by(scan->options->name_self, scan->name);
    }
    if (!str_is_empty(taken)) {
        add_finding(scan, errors, "blueprint.other", 0, 0,
                    "the name \"" STR_FORMAT "\" is taken by " STR_FORMAT, STR_ARGS(scan->name),
                    STR_ARGS(taken));
    }
}

// ---- the dict -----------------------------------------------------------------------------------

static bool is_single_name(const char *name) {
    static const char *const names[] = {"API",   "fetch", "push",         "submit",
                                        "check", "poll",  "fetch_result", "finalize"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void check_single(struct scan *scan, struct map *seen, const char *name,
                         struct star_span span) {
    if (!is_single_name(name)) {
        return;
    }
    if (map_has(seen, str_from(name))) {
        add_finding(scan, &scan->set->errors, "blueprint.other", span.line, span.column,
                    "%s is defined twice", name);
    }
    (void)map_set(seen, str_from(name), scan);
}

// The names the runtime calls are bound once; TABLE and SINK dicts are of a time before API.
static void check_bindings(struct scan *scan, const struct star_syntax *syntax) {
    struct map seen;
    map_init(&seen, scan->arena);
    for (size_t i = 0; i < star_syntax_assignment_count(syntax); i++) {
        const struct star_assignment_view *assignment = star_syntax_assignment(syntax, i);
        check_single(scan, &seen, assignment->name, assignment->span);
        bool is_old =
            strcmp(assignment->name, "TABLE") == 0 || strcmp(assignment->name, "SINK") == 0;
        if (is_old && star_node_kind(assignment->value) == STAR_NODE_DICT) {
            add_finding(scan, &scan->set->errors, "blueprint.invalid_api_dict",
                        assignment->span.line, assignment->span.column,
                        "the %s dict was removed: use API = {\"%s\": {…}}", assignment->name,
                        strcmp(assignment->name, "TABLE") == 0 ? "fetch" : "push");
        }
    }
    for (size_t i = 0; i < star_syntax_function_count(syntax); i++) {
        const struct star_function_view *function = star_syntax_function(syntax, i);
        check_single(scan, &seen, function->name, function->span);
    }
}

static const struct star_assignment_view *find_api(const struct star_syntax *syntax) {
    for (size_t i = 0; i < star_syntax_assignment_count(syntax); i++) {
        const struct star_assignment_view *assignment = star_syntax_assignment(syntax, i);
        if (strcmp(assignment->name, "API") == 0) {
            return assignment;
        }
    }
    return NULL;
}

static void read_api(struct scan *scan, const struct star_assignment_view *assignment,
                     struct lib *lib) {
    lib->api_line = assignment->span.line;
    if (star_node_kind(assignment->value) != STAR_NODE_DICT || assignment->is_augmented) {
        struct star_span span = star_node_span(assignment->value);
        add_finding(scan, &scan->set->errors, "blueprint.invalid_api_dict", span.line, span.column,
                    "API must be a dict literal (found %s)", star_node_describe(assignment->value));
        return;
    }
    struct lib_literal literal = lib_literal_read(scan->arena, assignment->value);
    struct api_source source = {.file = scan->file, .text = scan->text};
    lib_api_read(scan->arena, &source, &literal, &lib->api, &scan->set->errors);
}

// ---- advice -------------------------------------------------------------------------------------

// What the stricter dialect would refuse: control flow at top level, globals bound again.
static void note_top_level(struct scan *scan) {
    struct star_source source = {.file = str_to_cstring(scan->arena, scan->file),
                                 .text = scan->text.data,
                                 .size = scan->text.size,
                                 .dialect = STAR_DIALECT_LIB,
                                 .predeclared = lib_predeclared_names(scan->arena)};
    struct star_diagnostics diagnostics = {0};
    struct star_program *program = star_compile(&source, &diagnostics);
    if (program != NULL) {
        star_program_free(program);
    }
    for (size_t i = 0; i < diagnostics.count; i++) {
        add_finding(scan, &scan->set->notes, "lib.top_level_control", diagnostics.items[i].line,
                    diagnostics.items[i].column, "%s", diagnostics.items[i].message);
    }
    star_diagnostics_free(&diagnostics);
}

static void note_unchecked(struct scan *scan, const struct star_syntax *syntax,
                           const struct lib *lib) {
    static const char *const family[] = {"fetch", "submit", "check", "fetch_result"};
    for (size_t i = 0; i < ARRAY_COUNT(family); i++) {
        const struct lib_function *function = lib_function_find(lib, str_from(family[i]));
        if (function != NULL && lib_status_is_unchecked(lib, syntax, scan->text, family[i])) {
            add_finding(scan, &scan->set->notes, "blueprint.unchecked_status", function->line,
                        function->column,
                        "%s() sends requests and never looks at .ok or .status_code", family[i]);
        }
    }
}

// Legal, as there are quotes, but nobody means it.
static void note_word(struct scan *scan) {
    if (!lake_is_word(scan->name)) {
        return;
    }
    add_finding(scan, &scan->set->notes, "lib.reserved_name", 0, 0,
                "the name \"" STR_FORMAT "\" is a word of SQL", STR_ARGS(scan->name));
    error_hint(&scan->set->notes.items[scan->set->notes.count - 1],
               "a query can call it only in quotes, \"" STR_FORMAT
               "\"(…): take another name, such as " STR_FORMAT "_api",
               STR_ARGS(scan->name), STR_ARGS(scan->name));
}

// ---- one file -----------------------------------------------------------------------------------

static void make_limiters(struct lib *lib) {
    const struct lib_http *fetch = &lib->api.fetch.http;
    const struct lib_http *push = &lib->api.push.http;
    if (lib->api.fetch.present && fetch->rate_requests > 0) {
        lib->fetch_limiter = rate_limit_new(fetch->rate_requests, fetch->rate_period_us);
    }
    if (lib->api.push.present && push->rate_requests > 0) {
        bool same = lib->fetch_limiter != NULL && fetch->rate_requests == push->rate_requests &&
                    fetch->rate_period_us == push->rate_period_us;
        lib->push_limiter =
            same ? lib->fetch_limiter : rate_limit_new(push->rate_requests, push->rate_period_us);
    }
}

static void read_syntax(struct scan *scan, const struct star_syntax *syntax, struct lib *lib) {
    check_bindings(scan, syntax);
    const struct star_assignment_view *assignment = find_api(syntax);
    bool is_helper = assignment == NULL || str_starts_with(scan->name, STR("_"));
    if (is_helper && !str_starts_with(scan->name, STR("_"))) {
        add_finding(scan, &scan->set->notes, "blueprint.helper_without_api", 1, 0,
                    "no API dict: a helper, not a lib function");
    }
    if (is_helper) {
        return;
    }
    check_name(scan);
    size_t errors_before = scan->set->errors.count;
    lib_functions_read(scan->arena, syntax, lib);
    read_api(scan, assignment, lib);
    if (scan->set->errors.count == errors_before) {
        lib_signatures_check(lib, scan->text, &scan->set->errors);
    }
    if (lib->api.fetch.present) {
        note_unchecked(scan, syntax, lib);
        note_word(scan);
    }
    make_limiters(lib);
    LIST_PUSH(scan->arena, scan->set, lib);
    (void)map_set(&scan->set->by_name, lib->name, lib);
}

static void scan_text(struct scan *scan) {
    size_t errors_before = scan->set->errors.count;
    struct lib *lib = ARENA_NEW(scan->arena, struct lib);
    *lib = (struct lib){.name = scan->name, .file = scan->file};
    struct star_source source = {.file = str_to_cstring(scan->arena, scan->file),
                                 .text = scan->text.data,
                                 .size = scan->text.size,
                                 .dialect = STAR_DIALECT_SCRIPT,
                                 .predeclared = lib_predeclared_names(scan->arena)};
    // Compiling reports the syntax errors; the view is taken of whatever could be read.
    lib->program = lib_program_compile(scan->arena, scan->file, scan->text, &scan->set->errors);
    struct star_syntax *syntax = star_syntax_parse(&source, NULL);
    if (syntax != NULL) {
        read_syntax(scan, syntax, lib);
        star_syntax_free(syntax);
    }
    if (lib->program != NULL) {
        note_top_level(scan);
    }
    lib->broken = scan->set->errors.count != errors_before;
    if (lib->program != NULL && !map_has(&scan->set->by_name, lib->name)) {
        star_program_free(lib->program->program); // a helper: compiled again by who loads it
        lib->program = NULL;
    }
}

static enum error_code file_inside(struct scan *scan, str path, struct error *err) {
    str real = {0};
    TRY(path_real(scan->arena, path, &real, err));
    if (!path_is_inside(real, scan->set->project)) {
        return error_rule(err, ERROR_INVALID, "blueprint.other",
                          STR_FORMAT " resolves outside the project", STR_ARGS(scan->file));
    }
    return ERROR_NONE;
}

static void scan_file(struct scan *scan, str path) {
    struct error err = {0};
    enum error_code code = file_inside(scan, path, &err);
    if (code == ERROR_NONE) {
        code = file_read(scan->arena, path, &scan->text, &err);
    }
    size_t bad = code == ERROR_NONE ? str_first_invalid_utf8(scan->text) : SIZE_MAX;
    if (bad != SIZE_MAX) {
        code = error_rule(&err, ERROR_INVALID, "blueprint.other", "the file is not UTF-8");
        error_at_offset(&err, scan->file, scan->text, bad);
    }
    if (code != ERROR_NONE) {
        err.rule = err.rule == NULL ? "validate.blueprint_load_failed" : err.rule;
        if (err.pos.line == 0) {
            error_at(&err, scan->file, 0, 0);
        }
        error_list_add(&scan->set->errors, &err);
        return;
    }
    str *text = ARENA_NEW(scan->arena, str);
    *text = scan->text;
    (void)map_set(&scan->set->sources, scan->file, text);
    scan_text(scan);
}

static enum error_code lib_folder(struct lib_set *set, str *folder, struct error *err) {
    *folder = path_join(set->arena, set->project, STR("lib"));
    if (!path_exists(*folder)) {
        return ERROR_NONE;
    }
    str real = {0};
    TRY(path_real(set->arena, *folder, &real, err));
    if (!path_is_inside(real, set->project)) {
        return error_rule(err, ERROR_INVALID, "blueprint.other",
                          "lib/ resolves outside the project");
    }
    return ERROR_NONE;
}

enum error_code lib_scan(struct arena *arena, const struct lib_scan_options *options,
                         struct lib_set *set, struct error *err) {
    *set = (struct lib_set){.arena = arena, .context = options->context};
    map_init_nocase(&set->by_name, arena);
    map_init(&set->sources, arena);
    error_list_init(&set->errors, arena);
    error_list_init(&set->notes, arena);
    TRY(path_real(arena, options->project, &set->project, err));
    str folder = {0};
    TRY(lib_folder(set, &folder, err));
    struct str_list names = {0};
    TRY(directory_files(arena, folder, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        if (!str_ends_with(names.items[i], STR(".star"))) {
            continue;
        }
        struct scan scan = {.arena = arena,
                            .options = options,
                            .set = set,
                            .file = path_join(arena, STR("lib"), names.items[i]),
                            .name = str_copy(arena, path_stem(names.items[i]))};
        scan_file(&scan, path_join(arena, folder, names.items[i]));
    }
    error_list_sort(&set->errors);
    error_list_sort(&set->notes);
    return ERROR_NONE;
}

void lib_set_done(struct lib_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        struct lib *lib = set->items[i];
        if (lib->program != NULL) {
            star_program_free(lib->program->program);
        }
        if (lib->push_limiter != NULL && lib->push_limiter != lib->fetch_limiter) {
            rate_limit_free(lib->push_limiter);
        }
        if (lib->fetch_limiter != NULL) {
            rate_limit_free(lib->fetch_limiter);
        }
    }
    *set = (struct lib_set){0};
}

// ---- look-ups -----------------------------------------------------------------------------------

const struct lib *lib_find(const struct lib_set *set, str name) {
    return map_get(&set->by_name, name);
}

bool lib_set_has_fetch(void *self, str name) {
    const struct lib_set *set = self;
    const struct lib *lib = lib_find(set, name);
    return lib != NULL && lib->api.fetch.present;
}

static str names_with(const struct lib_set *set, struct arena *arena, bool fetch) {
    struct str_list names = {0};
    for (size_t i = 0; i < set->count; i++) {
        const struct lib_api *api = &set->items[i]->api;
        if (fetch ? api->fetch.present : api->push.present) {
            str_list_push(arena, &names, set->items[i]->name);
        }
    }
    return names.count == 0 ? STR("none") : str_list_join(arena, &names, STR(", "));
}

str lib_names_with_fetch(const struct lib_set *set, struct arena *arena) {
    return names_with(set, arena, true);
}

str lib_names_with_push(const struct lib_set *set, struct arena *arena) {
    return names_with(set, arena, false);
}
