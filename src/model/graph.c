#include "model/graph.h"

#include "base/hash.h"
#include "base/text.h"
#include "lake/ast.h"
#include "model/databases.h"
#include "model/macros.h"

// ── Edges ──

static bool list_has(const struct model_list *list, const struct model *model) {
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i] == model) {
            return true;
        }
    }
    return false;
}

static void add_input(struct arena *arena, struct str_list *list, str name) {
    if (!str_list_has_nocase(list, name)) {
        str_list_push(arena, list, name);
    }
}

static void add_file(struct arena *arena, struct model *model, str path) {
    const bool is_local = str_find(path, STR("://")) == SIZE_MAX;
    struct str_list *list = is_local ? &model->files : &model->unverifiable;
    if (!str_list_has(list, path)) { // names of files are compared with case
        str_list_push(arena, list, path);
    }
}

struct linker {
    struct models *models;
    const struct models_options *options;
    struct views *views;
    struct model *model;
    int depth; // in views and macros; 0: the model's own query
};

// Views within views are not endless; macros cannot call themselves.
enum { LINK_DEPTH_MAX = 32 };

static enum error_code link_query(struct linker *linker, const struct sql_query *query,
                                  struct error *err);

static enum error_code link_inner(struct linker *linker, const struct sql_query *query,
                                  struct error *err) {
    if (linker->depth == LINK_DEPTH_MAX) {
        return ERROR_NONE;
    }
    linker->depth++;
    const enum error_code code = link_query(linker, query, err);
    linker->depth--;
    return code;
}

static enum error_code link_view(struct linker *linker, const struct view *view,
                                 struct error *err) {
    struct arena *arena = linker->models->arena;
    const str hash = str_slice(sha256_hex(arena, view->text), 0, 32);
    add_input(arena, &linker->model->views,
              str_format(arena, STR_FORMAT "=" STR_FORMAT, STR_ARGS(view->name), STR_ARGS(hash)));
    linker->model->needs_sources = linker->model->needs_sources || view->from_sources;
    return link_inner(linker, &view->query, err);
}

static void link_model(struct linker *linker, str name) {
    struct arena *arena = linker->models->arena;
    struct model *model = linker->model;
    struct model *source = models_find(linker->models, name);
    add_input(arena, &model->inputs, source == NULL ? name : source->target);
    if (source == model) {
        model->reads_itself = true;
    } else if (source != NULL && !list_has(&model->reads, source)) {
        LIST_PUSH(arena, &model->reads, source);
        LIST_PUSH(arena, &source->read_by, model);
    }
}

static enum error_code link_table(struct linker *linker, const struct sql_table *table,
                                  struct error *err) {
    struct arena *arena = linker->models->arena;
    if (sql_table_is_file(table)) {
        add_file(arena, linker->model, table->name);
        return ERROR_NONE;
    }
    const struct table_place place = table_place(linker->models, arena, table);
    const struct view *view = NULL;
    if (place.is_external || models_find(linker->models, place.name) == NULL) {
        TRY(views_find(linker->views, table, &view, err));
    }
    if (view != NULL) {
        return link_view(linker, view, err);
    }
    if (place.is_external) {
        add_input(arena, &linker->model->externals, place.name);
        add_input(arena, &linker->model->unverifiable, place.name);
        return ERROR_NONE;
    }
    link_model(linker, place.name);
    return ERROR_NONE;
}

// *found: it is a macro of the project.
static enum error_code link_macro(struct linker *linker, str name, bool *found, struct error *err) {
    const struct sql_query *bodies = NULL;
    size_t count = 0;
    TRY(macros_bodies(linker->models->macros, name, &bodies, &count, err));
    *found = count > 0;
    for (size_t i = 0; i < count; i++) {
        TRY(link_inner(linker, &bodies[i], err));
    }
    return ERROR_NONE;
}

static const str FILE_READERS[] = {
    STR_INIT("read_csv"),     STR_INIT("read_csv_auto"),
    STR_INIT("read_parquet"), STR_INIT("parquet_scan"),
    STR_INIT("read_json"),    STR_INIT("read_json_auto"),
    STR_INIT("read_ndjson"),  STR_INIT("read_json_objects"),
    STR_INIT("read_text"),    STR_INIT("read_blob"),
    STR_INIT("glob"),
};

// Functions in FROM that read nothing but their arguments.
static const str PURE_FUNCTIONS[] = {
    STR_INIT("range"),      STR_INIT("generate_series"), STR_INIT("unnest"),
    STR_INIT("json_each"),  STR_INIT("json_tree"),       STR_INIT("repeat"),
    STR_INIT("repeat_row"),
};

static bool is_among(const str *names, size_t count, str name) {
    for (size_t i = 0; i < count; i++) {
        if (str_equal_nocase(names[i], name)) {
            return true;
        }
    }
    return false;
}

// FROM query('SELECT …') and FROM query_table('raw.a'): what the text names is read, too.  A text
// that cannot be understood is DuckDB's to refuse.
static enum error_code link_texts(struct linker *linker, const struct sql_call *call,
                                  struct error *err) {
    struct arena *arena = linker->models->arena;
    const bool is_query = str_equal_nocase(call->name, STR("query"));
    const bool is_table = str_equal_nocase(call->name, STR("query_table"));
    if ((!is_query && !is_table) || call->arguments.count == 0) {
        return ERROR_NONE;
    }
    const struct str_list *texts = &call->arguments.items[0].texts;
    for (size_t i = 0; i < texts->count; i++) {
        const str sql =
            str_format(arena, "%s" STR_FORMAT, is_table ? "FROM " : "", STR_ARGS(texts->items[i]));
        struct sql_query query;
        struct error ignored;
        size_t offset = SIZE_MAX;
        str ast;
        if (lake_ast_read(linker->options->connection, arena, sql, &ast, &ignored) == ERROR_NONE &&
            sql_query_read(arena, ast, &query, &offset, &ignored) == ERROR_NONE) {
            TRY(link_inner(linker, &query, err));
        }
    }
    return ERROR_NONE;
}

static enum error_code link_call(struct linker *linker, const struct sql_call *call,
                                 struct error *err) {
    struct arena *arena = linker->models->arena;
    struct model *model = linker->model;
    const struct models_options *options = linker->options;
    const bool is_lib = call->schema.size == 0 && options->is_lib != NULL &&
                        options->is_lib(options->lib_self, call->name);
    bool is_macro = false;
    if (is_lib && linker->depth == 0) {
        LIST_PUSH(arena, &model->lib_calls, *call);
        return ERROR_NONE;
    }
    if (is_among(PURE_FUNCTIONS, ARRAY_COUNT(PURE_FUNCTIONS), call->name)) {
        return ERROR_NONE;
    }
    if (is_among(FILE_READERS, ARRAY_COUNT(FILE_READERS), call->name) &&
        call->arguments.count > 0 && call->arguments.items[0].texts.count > 0) {
        const struct str_list *paths = &call->arguments.items[0].texts;
        for (size_t i = 0; i < paths->count; i++) {
            add_file(arena, model, paths->items[i]);
        }
        return ERROR_NONE;
    }
    TRY(link_texts(linker, call, err));
    TRY(link_macro(linker, call->name, &is_macro, err));
    if (!is_macro) {
        add_input(arena, &model->unverifiable,
                  str_format(arena, STR_FORMAT "()", STR_ARGS(call->name)));
    }
    return ERROR_NONE;
}

static enum error_code link_query(struct linker *linker, const struct sql_query *query,
                                  struct error *err) {
    bool ignored = false;
    for (size_t i = 0; i < query->tables.count; i++) {
        TRY(link_table(linker, &query->tables.items[i], err));
    }
    for (size_t i = 0; i < query->calls.count; i++) {
        TRY(link_call(linker, &query->calls.items[i], err));
    }
    for (size_t i = 0; i < query->functions.count; i++) {
        TRY(link_macro(linker, query->functions.items[i].name, &ignored, err));
    }
    if (query->reads_catalog) {
        add_input(linker->models->arena, &linker->model->unverifiable, STR("SHOW"));
    }
    return ERROR_NONE;
}

// ── Order ──

// Kahn's algorithm; among the models that are ready the first target goes first, so the order does
// not depend on anything but the names.
static void order_models(struct models *models) {
    struct arena *arena = models->arena;
    size_t *waiting = ARENA_ARRAY(arena, size_t, models->count);
    bool *done = ARENA_ARRAY(arena, bool, models->count);
    for (size_t i = 0; i < models->count; i++) {
        waiting[i] = models->items[i]->reads.count;
    }
    for (bool found = true; found;) {
        found = false;
        for (size_t i = 0; i < models->count && !found; i++) {
            struct model *model = models->items[i];
            if (done[i] || waiting[i] > 0) {
                continue;
            }
            done[i] = true;
            found = true;
            LIST_PUSH(arena, &models->order, model);
            for (size_t j = 0; j < model->read_by.count; j++) {
                waiting[model->read_by.items[j]->index]--;
            }
        }
    }
}

// The way from `start` to `end` by `reader`, which knows for every model who reads it on the way.
static struct model_list way_to(struct arena *arena, struct model *start, struct model *end,
                                struct model *const *reader) {
    struct model_list way = {0};
    for (struct model *at = end; at != start; at = reader[at->index]) {
        LIST_PUSH(arena, &way, at);
    }
    LIST_PUSH(arena, &way, start);
    for (size_t i = 0; i < way.count / 2; i++) {
        struct model *other = way.items[i];
        way.items[i] = way.items[way.count - 1 - i];
        way.items[way.count - 1 - i] = other;
    }
    return way;
}

// The shortest loop through `start`, which comes first; empty: it is on none.
static struct model_list find_loop(struct models *models, struct model *start) {
    struct model **reader = ARENA_ARRAY(models->arena, struct model *, models->count);
    struct model_list reached = {0};
    LIST_PUSH(models->arena, &reached, start);
    for (size_t i = 0; i < reached.count; i++) {
        struct model *model = reached.items[i];
        for (size_t j = 0; j < model->reads.count; j++) {
            struct model *source = model->reads.items[j];
            if (source == start) {
                return way_to(models->arena, start, model, reader);
            }
            if (reader[source->index] == NULL) {
                reader[source->index] = model;
                LIST_PUSH(models->arena, &reached, source);
            }
        }
    }
    return (struct model_list){0};
}

static size_t offset_of_reference(const struct models *models, const struct model *model,
                                  const struct model *source) {
    for (size_t i = 0; i < model->query.tables.count; i++) {
        const struct sql_table *table = &model->query.tables.items[i];
        const struct table_place place = table_place(models, models->arena, table);
        if (!place.is_external && str_equal_nocase(place.name, source->target)) {
            return table->offset;
        }
    }
    return SIZE_MAX;
}

// "a (models/a.sql) → b (models/b.sql) → a"
static str loop_text(struct arena *arena, const struct model_list *loop) {
    struct text text;
    text_init(&text, arena);
    for (size_t i = 0; i <= loop->count; i++) {
        const struct model *model = loop->items[i % loop->count];
        text_add(&text, i > 0 ? STR(" → ") : STR(""));
        text_add(&text, model->target);
        if (i < loop->count) {
            text_format(&text, " (" STR_FORMAT ")", STR_ARGS(model->file));
        }
    }
    return text_str(&text);
}

// Tells the loop on its models that no other loop was told on.
static void report_loop(struct models *models, const struct model_list *loop, bool *told) {
    for (size_t i = 0; i < loop->count; i++) {
        struct model *model = loop->items[i];
        if (told[model->index]) {
            continue;
        }
        told[model->index] = true;
        struct error err;
        error_rule(&err, ERROR_INVALID, "dag.cycle_detected",
                   "the models read each other: " STR_FORMAT,
                   STR_ARGS(loop_text(models->arena, loop)));
        error_hint(&err, "one of them must read something else");
        const size_t offset =
            offset_of_reference(models, model, loop->items[(i + 1) % loop->count]);
        error_at_offset(&err, model->file, model->text,
                        model->source.body_offset + (offset == SIZE_MAX ? 0 : offset));
        model_add_finding(models->arena, model, FINDING_BLOCKER, &err);
    }
}

static void find_cycles(struct models *models) {
    bool *ordered = ARENA_ARRAY(models->arena, bool, models->count);
    bool *told = ARENA_ARRAY(models->arena, bool, models->count);
    for (size_t i = 0; i < models->order.count; i++) {
        ordered[models->order.items[i]->index] = true;
    }
    for (size_t i = 0; i < models->count; i++) {
        if (ordered[i] || told[i]) {
            continue;
        }
        const struct model_list loop = find_loop(models, models->items[i]);
        if (loop.count > 0) {
            report_loop(models, &loop, told);
            LIST_PUSH(models->arena, &models->cycles, loop);
        }
    }
}

const struct model_list *models_cycle_of(const struct models *models, const struct model *model) {
    for (size_t i = 0; i < models->cycles.count; i++) {
        if (list_has(&models->cycles.items[i], model)) {
            return &models->cycles.items[i];
        }
    }
    bool *before = ARENA_ARRAY(models->arena, bool, models->count);
    model_mark_ancestors(model, before);
    for (size_t i = 0; i < models->cycles.count; i++) {
        if (before[models->cycles.items[i].items[0]->index]) {
            return &models->cycles.items[i];
        }
    }
    return NULL;
}

enum error_code model_link(struct models *models, const struct models_options *options,
                           struct views *views, struct model *model, struct error *err) {
    struct linker linker = {.models = models, .options = options, .views = views, .model = model};
    return link_query(&linker, &model->query, err);
}

void models_order(struct models *models) {
    order_models(models);
    if (models->order.count < models->count) {
        find_cycles(models);
    }
}

void model_mark_ancestors(const struct model *model, bool *marks) {
    for (size_t i = 0; i < model->reads.count; i++) {
        if (!marks[model->reads.items[i]->index]) {
            marks[model->reads.items[i]->index] = true;
            model_mark_ancestors(model->reads.items[i], marks);
        }
    }
}

void model_mark_descendants(const struct model *model, bool *marks) {
    for (size_t i = 0; i < model->read_by.count; i++) {
        if (!marks[model->read_by.items[i]->index]) {
            marks[model->read_by.items[i]->index] = true;
            model_mark_descendants(model->read_by.items[i], marks);
        }
    }
}
