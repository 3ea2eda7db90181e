#include "run/delta.h"

#include "base/context.h"
#include "base/text.h"
#include "lake/ast.h"
#include "lake/attach.h"
#include "lake/change_log.h"
#include "lake/changes.h"
#include "lake/result.h"
#include "model/views.h"
#include "run/function_class.h"

#define ADDED_ROWS "__ondatra_added_rows_%zu"

// ── What happened to the sources ──

// One row a table: those that the model reads, and its own.  `named` is when it got the name that
// it has: it is new when another one, or none, had it at the base.
static const char FACTS[] =
    "SELECT s.schema_name, t.table_name, t.table_id, "
    "n.named, c.altered, c.names, "
    "(SELECT max(begin_snapshot) FROM {m}.ducklake_delete_file WHERE table_id = t.table_id) "
    "FROM {m}.ducklake_table t JOIN {m}.ducklake_schema s USING (schema_id) JOIN "
    "(SELECT table_id, max(greatest(begin_snapshot, coalesce(end_snapshot, 0))) AS altered, "
    "string_agg(column_name, chr(31) ORDER BY column_order) FILTER (WHERE end_snapshot IS NULL "
    "AND parent_column IS NULL) AS names FROM {m}.ducklake_column GROUP BY table_id) c "
    "USING (table_id) JOIN (SELECT table_id, schema_id, table_name, max(begin_snapshot) FILTER "
    "(WHERE begins) AS named FROM (SELECT *, lag(end_snapshot) OVER (PARTITION BY table_id, "
    "schema_id, table_name ORDER BY begin_snapshot) IS DISTINCT FROM begin_snapshot AS begins FROM "
    "{m}.ducklake_table) GROUP BY ALL) n USING (table_id, schema_id, table_name) WHERE "
    "t.end_snapshot IS NULL AND s.end_snapshot IS NULL "
    "AND list_contains(?, lower(s.schema_name || '.' || t.table_name))";

static struct delta_table *find_table(struct delta_choice *choice, str name) {
    for (size_t i = 0; i < choice->table_count; i++) {
        if (str_equal_nocase(choice->tables[i].name, name)) {
            return &choice->tables[i];
        }
    }
    return NULL;
}

static void read_columns(struct arena *arena, str joined, struct str_list *columns) {
    struct str_splitter parts = {.rest = str_copy(arena, joined)};
    str column;
    while (str_split_next(&parts, '\x1f', &column)) {
        str_list_push(arena, columns, column);
    }
}

// Compaction and the flush of inlined rows change no row.
static int64_t newest_change(const struct lake_change_log *changes) {
    for (size_t i = changes->count; i > 0; i--) {
        if (changes->items[i - 1].kind != LAKE_CHANGE_LAYOUT) {
            return changes->items[i - 1].snapshot;
        }
    }
    return 0;
}

// `deleted`: the newest snapshot that has a file of deleted rows.  The log says nothing of rows
// that were inserted and then updated in one transaction, though the feed has the rows of both.
static bool only_inserted(const struct lake_change_log *changes, int64_t base, int64_t deleted) {
    for (size_t i = 0; i < changes->count; i++) {
        const struct lake_change *change = &changes->items[i];
        if (change->snapshot > base && change->kind != LAKE_CHANGE_LAYOUT &&
            change->kind != LAKE_CHANGE_INSERT) {
            return false;
        }
    }
    return deleted <= base;
}

static void fill_table(struct arena *arena, struct lake_result *result, str schema, str table,
                       const struct lake_change_log *changes, int64_t base,
                       struct delta_table *found) {
    *found = (struct delta_table){
        .name = found->name,
        .schema = schema,
        .table = table,
        .exists = true,
        .is_new = lake_result_int64(result, 3) > base,
        .is_altered = lake_result_int64(result, 4) > base,
        .is_changed = newest_change(changes) > base,
        .only_inserted = only_inserted(changes, base, lake_result_int64(result, 6)),
    };
    read_columns(arena, lake_result_text(result, 5), &found->columns);
}

// *own_change: the newest change of the model's own table.  *is_expired: the base is gone, or some
// snapshot since and with it what it changed; also when that happened while this run was under way.
static enum error_code read_facts(const struct delta_request *request, struct delta_choice *choice,
                                  int64_t *own_change, bool *is_expired, struct error *err) {
    struct arena *arena = request->arena;
    const struct model *model = request->step->model;
    const struct commit *commit = &request->step->commit;
    const int64_t base = commit->read_snapshot;
    struct lake_change_log log;
    const int64_t oldest = base < commit->snapshot ? base : commit->snapshot;
    TRY(lake_change_log_read(request->connection, arena, oldest - 1, request->read_snapshot, &log,
                             err));
    *is_expired = log.unbroken_since > base;
    choice->table_count = model->inputs.count;
    choice->tables = ARENA_ARRAY(arena, struct delta_table, model->inputs.count);
    str *names = ARENA_ARRAY(arena, str, model->inputs.count + 1);
    for (size_t i = 0; i < model->inputs.count; i++) {
        choice->tables[i].name = model->inputs.items[i];
        names[i] = str_to_lower(arena, model->inputs.items[i]);
    }
    names[model->inputs.count] = str_to_lower(arena, model->target);
    LAKE_RESULT result = NULL;
    const str sql = str_replace_all(arena, str_from(FACTS), STR("{m}"),
                                    lake_metadata_prefix(lake_of(request->connection)));
    TRY(lake_query(request->connection, sql,
                   LAKE_VALUES(lake_value_texts(names, model->inputs.count + 1)), &result, err));
    while (lake_result_next(result)) {
        const str schema = str_copy(arena, lake_result_text(result, 0));
        const str table = str_copy(arena, lake_result_text(result, 1));
        const str name =
            str_format(arena, STR_FORMAT "." STR_FORMAT, STR_ARGS(schema), STR_ARGS(table));
        const struct lake_change_log changes =
            lake_change_log_of(&log, lake_result_int64(result, 2));
        if (str_equal_nocase(name, model->target)) {
            *own_change = newest_change(&changes);
        }
        struct delta_table *found = find_table(choice, name);
        if (found != NULL) {
            fill_table(arena, result, schema, table, &changes, base, found);
        }
    }
    return ERROR_NONE;
}

// ── Gate (models.md §6.3) ──

static enum error_code refuse(struct delta_choice *choice, str reason, str source, bool warns) {
    choice->shape = DELTA_REFUSED;
    choice->reason = reason;
    choice->source = source;
    choice->warns = warns;
    return ERROR_NONE;
}

// What keeps the changes from being used, whatever the query is.
static enum error_code check_sources(const struct delta_request *request,
                                     struct delta_choice *choice, int64_t own_change,
                                     bool is_expired) {
    const struct model *model = request->step->model;
    if (own_change > request->step->commit.snapshot) {
        return refuse(choice, STR("the table itself was changed by others"), (str){0}, true);
    }
    bool any = false;
    for (size_t i = 0; i < choice->table_count; i++) {
        const struct delta_table *table = &choice->tables[i];
        if (!table->exists) {
            return refuse(choice, STR("it is no table of the lake"), table->name, true);
        }
        if (table->is_new) {
            return refuse(choice, STR("it was made anew"), table->name, true);
        }
        if (table->is_altered) {
            return refuse(choice, STR("its columns changed"), table->name, true);
        }
        any = any || table->is_changed;
    }
    if (is_expired) {
        return refuse(
            choice,
            str_format(request->arena,
                       "a snapshot since %lld, which the model has read last, was expired",
                       (long long)choice->base),
            (str){0}, true);
    }
    choice->is_nothing = !any && model->inputs.count > 0;
    return ERROR_NONE;
}

// ── SQL ──

static str column_list(struct arena *arena, const struct delta_table *table) {
    struct text text;
    text_init(&text, arena);
    for (size_t i = 0; i < table->columns.count; i++) {
        text_format(&text, "%s" STR_FORMAT, i > 0 ? ", " : "",
                    STR_ARGS(lake_quote_name(arena, table->columns.items[i])));
    }
    return text_str(&text);
}

static str changes_sql(const struct delta_request *request, const struct delta_choice *choice,
                       const struct delta_table *table, bool removed) {
    struct arena *arena = request->arena;
    return str_format(arena,
                      "SELECT " STR_FORMAT " FROM ducklake_table_%s(" STR_FORMAT ", " STR_FORMAT
                      ", " STR_FORMAT ", %lld, %lld)",
                      STR_ARGS(column_list(arena, table)), removed ? "deletions" : "insertions",
                      STR_ARGS(lake_quote_text(arena, lake_alias(lake_of(request->connection)))),
                      STR_ARGS(lake_quote_text(arena, table->schema)),
                      STR_ARGS(lake_quote_text(arena, table->table)),
                      (long long)choice->base + (bug_is_planted("PB_STALE_BASE") ? 2 : 1),
                      (long long)request->read_snapshot);
}

// Changes that are read once are not kept first.  A model before may have left relations of these
// names, which only one of their sort replaces: added rows are always a view.
static void add_relations(const struct delta_request *request, struct delta_choice *choice) {
    struct arena *arena = request->arena;
    for (size_t i = 0; i < choice->table_count; i++) {
        const struct delta_table *table = &choice->tables[i];
        if (!table->is_changed) {
            continue;
        }
        str added = changes_sql(request, choice, table, false);
        const str name = str_format(arena, DELTA_ADDED_NAME, i);
        const str gone = str_format(arena, DELTA_REMOVED_NAME, i);
        if (!table->only_inserted) {
            str_list_push(
                arena, &choice->prepare,
                str_format(arena, "CREATE OR REPLACE TEMP TABLE " STR_FORMAT " AS " STR_FORMAT,
                           STR_ARGS(gone), STR_ARGS(changes_sql(request, choice, table, true))));
        }
        if (choice->shape == DELTA_AGGREGATE && !table->only_inserted) {
            added = str_format(arena, STR_FORMAT " EXCEPT ALL FROM temp." STR_FORMAT,
                               STR_ARGS(added), STR_ARGS(gone));
        }
        if (!choice->streams) {
            const str rows = str_format(arena, ADDED_ROWS, i);
            str_list_push(arena, &choice->prepare,
                          str_format(arena,
                                     "CREATE OR REPLACE TEMP TABLE " STR_FORMAT " AS " STR_FORMAT,
                                     STR_ARGS(rows), STR_ARGS(added)));
            added = str_format(arena, "FROM temp." STR_FORMAT, STR_ARGS(rows));
        }
        str_list_push(arena, &choice->prepare,
                      str_format(arena, "CREATE OR REPLACE TEMP VIEW " STR_FORMAT " AS " STR_FORMAT,
                                 STR_ARGS(name), STR_ARGS(added)));
    }
}

static enum error_code write_terms(const struct delta_request *request,
                                   const struct delta_term_list *terms, struct str_list *added,
                                   struct str_list *removed, struct error *err) {
    for (size_t i = 0; i < terms->count; i++) {
        const struct delta_term *term = &terms->items[i];
        str sql;
        TRY(lake_ast_write(request->connection, request->arena, term->ast, &sql, err));
        str_list_push(request->arena, term->is_removed ? removed : added, sql);
    }
    return ERROR_NONE;
}

static enum error_code write_relation(const struct delta_request *request, str name,
                                      const struct delta_term_list *terms,
                                      struct delta_relation *relation, struct error *err) {
    *relation = (struct delta_relation){.name = name};
    return write_terms(request, terms, &relation->terms, &relation->terms, err);
}

// The trees as SQL.
static enum error_code write_plan(const struct delta_request *request,
                                  const struct delta_plan *plan, struct delta_choice *choice,
                                  struct error *err) {
    choice->group_count = plan->groups.count;
    choice->groups = ARENA_ARRAY(request->arena, struct delta_relation, plan->groups.count);
    for (size_t i = 0; i < plan->groups.count; i++) {
        const struct delta_groups *groups = &plan->groups.items[i];
        TRY(write_relation(request, groups->name, &groups->terms, &choice->groups[i], err));
    }
    if (plan->shape != DELTA_KEYS) {
        return write_terms(request, &plan->terms, &choice->terms, &choice->removed, err);
    }
    choice->tree_with_nulls = plan->restricted_with_nulls;
    TRY(write_relation(request, STR(DELTA_KEYS_NAME), &plan->terms, &choice->keys, err));
    return lake_ast_write(request->connection, request->arena, plan->restricted, &choice->body,
                          err);
}

str delta_union(struct arena *arena, const struct str_list *queries) {
    return str_list_join(arena, queries, STR("\nUNION ALL\n"));
}

str delta_relation_sql(struct arena *arena, const struct delta_relation *relation) {
    const str rows = relation->terms.count == 0 ? STR("SELECT NULL AS " DELTA_KEY_COLUMN " LIMIT 0")
                                                : delta_union(arena, &relation->terms);
    return str_format(arena,
                      "CREATE OR REPLACE TEMP TABLE " STR_FORMAT
                      " AS SELECT DISTINCT " DELTA_KEY_COLUMN " FROM (" STR_FORMAT ")",
                      STR_ARGS(relation->name), STR_ARGS(rows));
}

// ── Views ──

struct delta_views {
    struct {
        struct delta_view *items;
        size_t count;
        size_t capacity;
    } list;
    struct str_list tables; // what the query and they name: "schema.table"
};

static bool has_view(const struct delta_views *views, str name) {
    for (size_t i = 0; i < views->list.count; i++) {
        if (str_equal_nocase(views->list.items[i].name, name)) {
            return true;
        }
    }
    return false;
}

// Endless only where a view reads itself, which none can.
static void find_views(const struct delta_request *request, const struct sql_query *query,
                       struct delta_views *views) {
    struct arena *arena = request->arena;
    for (size_t i = 0; i < query->tables.count; i++) {
        const struct sql_table *table = &query->tables.items[i];
        const struct view *view = views_known(request->views, table);
        str_list_push(arena, &views->tables,
                      str_format(arena, STR_FORMAT "." STR_FORMAT,
                                 STR_ARGS(table->schema.size > 0 ? table->schema : STR("main")),
                                 STR_ARGS(table->name)));
        if (view == NULL || has_view(views, view->name)) {
            continue;
        }
        const struct delta_view found = {
            .name = view->name,
            .schema = view->schema,
            .ast = view->ast,
            .columns = view->definition.columns,
        };
        LIST_PUSH(arena, &views->list, found);
        find_views(request, &view->query, views);
    }
}

static enum error_code read_classes(const struct delta_request *request,
                                    const struct delta_views *views,
                                    struct function_classes *classes, struct error *err) {
    TRY(function_classes_read(request->arena, request->connection, &request->step->model->query,
                              request->step->uses, request->step->use_count, classes, err));
    for (size_t i = 0; i < views->list.count; i++) {
        const struct view *view = map_get(&request->views->by_name, views->list.items[i].name);
        TRY(function_classes_add(classes, request->connection, &view->query, err));
    }
    return ERROR_NONE;
}

// ── The whole ──

static enum error_code plan_rewriting(const struct delta_request *request,
                                      const struct delta_views *views, struct delta_choice *choice,
                                      struct error *err) {
    struct arena *arena = request->arena;
    const struct model *model = request->step->model;
    struct function_classes classes;
    TRY(read_classes(request, views, &classes, err));
    struct delta_source *sources = ARENA_ARRAY(arena, struct delta_source, choice->table_count);
    for (size_t i = 0; i < choice->table_count; i++) {
        sources[i] = (struct delta_source){
            .name = choice->tables[i].name,
            .changed = choice->tables[i].is_changed,
            .only_added = choice->tables[i].only_inserted,
            .columns = choice->tables[i].columns,
        };
    }
    const bool merges = model->source.directives.kind == MODEL_MERGE;
    const struct delta_input input = {
        .ast = model->ast,
        .catalog = lake_alias(lake_of(request->connection)),
        .key = merges ? model->source.directives.unique_key.value : (str){0},
        .sources = sources,
        .source_count = choice->table_count,
        .views = views->list.items,
        .view_count = views->list.count,
        .classify = function_class,
        .self = &classes,
        .base = choice->base,
    };
    struct delta_plan plan;
    TRY(sql_delta_plan(arena, &input, &plan, err));
    choice->shape = plan.shape;
    if (plan.shape == DELTA_REFUSED) {
        // A cursor of the model's own is no oversight.
        const bool has_cursor =
            model->source.directives.incremental.is_set && model->query.variables.count > 0;
        return refuse(choice, plan.reason,
                      plan.source == SIZE_MAX ? (str){0} : choice->tables[plan.source].name,
                      !has_cursor);
    }
    TRY(write_plan(request, &plan, choice, err));
    choice->streams = plan.shape == DELTA_NEW_ROWS && choice->terms.count == 1 &&
                      choice->removed.count == 0 && request->step->commit.is_exact;
    add_relations(request, choice);
    return ERROR_NONE;
}

// Whether some input stands neither in the query nor in a view, where its changes could be put.
static bool reads_indirectly(const struct model *model, const struct delta_views *views) {
    for (size_t i = 0; i < model->inputs.count; i++) {
        if (!str_list_has_nocase(&views->tables, model->inputs.items[i])) {
            return true;
        }
    }
    return false;
}

enum error_code delta_choose(const struct delta_request *request, struct delta_choice *choice,
                             struct error *err) {
    const struct model *model = request->step->model;
    *choice = (struct delta_choice){
        .shape = DELTA_REFUSED,
        .base = request->step->commit.read_snapshot,
    };
    if (model->lib_calls.count + model->files.count + model->unverifiable.count > 0) {
        return refuse(choice, STR("it reads what has no versions"), (str){0}, false);
    }
    if (model->inputs.count == 0) {
        return refuse(choice, STR("it reads no table"), (str){0}, false);
    }
    const str view = plan_changed_view(request->step);
    if (view.size > 0) {
        return refuse(choice,
                      str_format(request->arena, "the view " STR_FORMAT " is not what it was",
                                 STR_ARGS(view)),
                      (str){0}, true);
    }
    struct delta_views views = {0};
    find_views(request, &model->query, &views);
    if (reads_indirectly(model, &views)) {
        return refuse(choice, STR("it reads through a macro"), (str){0}, true);
    }
    if (model->reads_itself) {
        return refuse(choice, STR("it reads its own table"), (str){0}, true);
    }
    int64_t own_change = 0;
    bool is_expired = false;
    TRY(read_facts(request, choice, &own_change, &is_expired, err));
    TRY(check_sources(request, choice, own_change, is_expired));
    if (choice->reason.size > 0 || choice->is_nothing) {
        return ERROR_NONE;
    }
    return plan_rewriting(request, &views, choice, err);
}

str delta_shape_name(const struct delta_choice *choice, enum model_kind kind) {
    if (choice->is_nothing) {
        return STR("nothing changed");
    }
    switch (choice->shape) {
    case DELTA_REFUSED:
        break;
    case DELTA_KEYS:
        return STR("affected keys");
    case DELTA_NEW_ROWS:
        return STR("added rows");
    case DELTA_AGGREGATE:
        return STR("aggregate of the delta");
    }
    return kind == MODEL_APPEND ? STR("surplus of the full query") : STR("full query");
}
