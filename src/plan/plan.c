// Deciding what runs (models.md §4): from the last commit's metadata and the newest change of every
// table, without looking at any data.
#include "plan/plan.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/snapshot.h"
#include "model/macros.h"
#include "plan/plan_files.h"

struct plan_step *plan_step_of(const struct plan *plan, const struct model *model) {
    return &plan->steps[model->index];
}

bool plan_has_table(const struct plan *plan, str name) {
    return map_has(&plan->tables, name);
}

// ── Facts ──

static str full_name(struct arena *arena, str schema, str name) {
    return str_format(arena, STR_FORMAT "." STR_FORMAT, STR_ARGS(schema), STR_ARGS(name));
}

static enum error_code read_tables(struct plan *plan, struct lake_connection *connection,
                                   struct error *err) {
    struct lake_table *tables = NULL;
    size_t count = 0;
    TRY(lake_table_list(connection, plan->arena, &tables, &count, err));
    for (size_t i = 0; i < count; i++) {
        if (!tables[i].is_view) {
            (void)map_set(&plan->tables, full_name(plan->arena, tables[i].schema, tables[i].name),
                          &tables[i]);
        }
    }
    struct lake_table_version *versions = NULL;
    TRY(lake_table_versions(connection, plan->arena, &versions, &count, err));
    for (size_t i = 0; i < count; i++) {
        struct plan_version *version = ARENA_NEW(plan->arena, struct plan_version);
        *version =
            (struct plan_version){versions[i].table_id, versions[i].snapshot, versions[i].rows};
        (void)map_set(&plan->versions, full_name(plan->arena, versions[i].schema, versions[i].name),
                      version);
    }
    return ERROR_NONE;
}

static enum error_code read_commits(struct plan *plan, struct lake_connection *connection,
                                    struct error *err) {
    struct lake_model_commit *commits = NULL;
    size_t count = 0;
    struct str_list targets = {0};
    for (size_t i = 0; i < plan->models->count; i++) {
        if (plan->models->items[i]->is_read) {
            str_list_push(plan->arena, &targets, plan->models->items[i]->target);
        }
    }
    const bool is_whole = targets.count == plan->models->count;
    TRY(lake_model_commits(connection, plan->arena, is_whole ? NULL : &targets, &commits, &count,
                           err));
    struct map latest;
    map_init_nocase(&latest, plan->arena);
    for (size_t i = 0; i < count; i++) {
        struct commit *commit = ARENA_NEW(plan->arena, struct commit);
        str target;
        if (!commit_read(plan->arena, commits[i].snapshot, commits[i].extra_info, &target,
                         commit)) {
            continue;
        }
        // A commit older than the table speaks of another one, which was dropped since.  By ids:
        // a comment or a sorting, set by hand, begins the table's row in the catalog anew.
        const struct lake_table *table = map_get(&plan->tables, target);
        if (table != NULL && table->id < commits[i].next_table_id) {
            (void)map_set(&latest, target, commit);
        }
    }
    for (size_t i = 0; i < plan->models->count; i++) {
        struct plan_step *step = &plan->steps[i];
        const struct commit *commit = map_get(&latest, step->model->target);
        step->has_commit = commit != NULL;
        if (step->has_commit) {
            step->commit = *commit;
        }
    }
    return ERROR_NONE;
}

static str config_hash(struct plan *plan, struct error *err) {
    const str folder = path_join(plan->arena, plan->project, STR("config"));
    struct str_list all = {0};
    if (directory_walk(plan->arena, folder, &all, err) != ERROR_NONE) {
        return (str){0};
    }
    str *paths = ARENA_ARRAY(plan->arena, str, all.count);
    str *contents = ARENA_ARRAY(plan->arena, str, all.count);
    size_t count = 0;
    for (size_t i = 0; i < all.count; i++) {
        if (str_ends_with(all.items[i], STR(".sql")) &&
            file_read(plan->arena, path_join(plan->arena, folder, all.items[i]), &contents[count],
                      err) == ERROR_NONE) {
            paths[count++] = all.items[i];
        }
    }
    return definition_config_hash(plan->arena, paths, contents, count);
}

// Lengths stand before the texts, so that no two decorations give the same bytes.
static str decoration_hash(struct arena *arena, const struct directives *directives) {
    struct text text;
    text_init(&text, arena);
    const str description = directives->description.value;
    text_format(&text, "%zu:" STR_FORMAT, description.size, STR_ARGS(description));
    for (size_t i = 0; i < directives->columns.count; i++) {
        const struct column_directive *column = &directives->columns.items[i];
        text_format(&text, "\ncolumn %zu:" STR_FORMAT "%zu:" STR_FORMAT, column->name.size,
                    STR_ARGS(column->name), column->description.size,
                    STR_ARGS(column->description));
    }
    for (size_t i = 0; i < directives->sort_columns.count; i++) {
        const str column = directives->sort_columns.items[i];
        text_format(&text, "\nsort %zu:" STR_FORMAT, column.size, STR_ARGS(column));
    }
    return str_slice(sha256_hex(arena, text_str(&text)), 0, 32);
}

enum error_code plan_read_definitions(struct plan *plan, struct error *err) {
    struct error ignored;
    const str config = config_hash(plan, &ignored);
    for (size_t i = 0; i < plan->models->count; i++) {
        struct plan_step *step = &plan->steps[i];
        const struct model *model = step->model;
        if (!model->is_read) {
            continue;
        }
        TRY(macros_used(plan->models->macros, model, &step->uses, &step->use_count, err));
        const struct definition_input input = {
            .directives = &model->source.directives,
            .body = model->source.body,
            .canonical = model->query.canonical,
            .uses = step->uses,
            .use_count = step->use_count,
            .config_hash = config,
        };
        definition_hash(plan->arena, &input, &step->definition);
        step->decoration = decoration_hash(plan->arena, &model->source.directives);
    }
    return ERROR_NONE;
}

// The one since which no snapshot is missing: any can be expired, not only the oldest ones.
static enum error_code read_oldest(struct plan *plan, struct lake_connection *connection,
                                   struct error *err) {
    const str prefix = lake_metadata_prefix(lake_of(connection));
    const str sql = str_format(
        plan->arena,
        "SELECT max(snapshot_id) FROM " STR_FORMAT ".ducklake_snapshot WHERE "
        "snapshot_id - 1 NOT IN (SELECT snapshot_id FROM " STR_FORMAT ".ducklake_snapshot)",
        STR_ARGS(prefix), STR_ARGS(prefix));
    return lake_query_int64(connection, sql, LAKE_NO_VALUES, &plan->oldest_snapshot, NULL, err);
}

enum error_code plan_read(struct arena *arena, const struct models *models,
                          struct lake_connection *connection, const struct plan_options *options,
                          struct plan *plan, struct error *err) {
    *plan = (struct plan){
        .arena = arena,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .models = models,
        .project = options->project,
        .full_refresh = options->full_refresh,
        .sandbox = options->sandbox,
        .steps = ARENA_ARRAY(arena, struct plan_step, models->count),
        .duckdb_version = lake_duckdb_version(lake_of(connection)),
    };
    map_init_nocase(&plan->versions, arena);
    map_init_nocase(&plan->tables, arena);
    for (size_t i = 0; i < models->count; i++) {
        plan->steps[i].model = models->items[i];
    }
    TRY(read_tables(plan, connection, err));
    TRY(read_commits(plan, connection, err));
    TRY(plan_read_definitions(plan, err));
    TRY(read_oldest(plan, connection, err));
    for (size_t i = 0; i < models->count; i++) {
        struct plan_step *step = &plan->steps[i];
        const struct lake_table *table = map_get(&plan->tables, step->model->target);
        step->table_exists = table != NULL;
        step->table_id = table == NULL ? 0 : table->identity;
        step->table_since = table == NULL ? 0 : table->begin_snapshot;
        TRY(plan_files_read(arena, connection, plan->project, step->model, &step->files, err));
    }
    for (size_t i = 0; i < models->count; i++) {
        plan_decide(plan, &plan->steps[i]);
    }
    return ERROR_NONE;
}

void plan_committed(struct plan *plan, const struct model *model, int64_t snapshot) {
    (void)pthread_mutex_lock(&plan->lock);
    struct plan_version *version = map_get(&plan->versions, model->target);
    if (version == NULL) {
        version = ARENA_NEW(plan->arena, struct plan_version);
        (void)map_set(&plan->versions, model->target, version);
    }
    version->snapshot = snapshot > 0 ? snapshot : version->snapshot;
    (void)map_set(&plan->tables, model->target, version);
    plan_step_of(plan, model)->table_exists = true;
    (void)pthread_mutex_unlock(&plan->lock);
}

bool plan_is_redecorated(const struct plan_step *step) {
    const str before = step->commit.decoration;
    return step->has_commit && step->table_exists && before.size > 0 &&
           !str_equal(before, step->decoration);
}

bool plan_version_find(struct plan *plan, str name, struct plan_version *version) {
    (void)pthread_mutex_lock(&plan->lock);
    const struct plan_version *found = map_get(&plan->versions, name);
    if (found != NULL) {
        *version = *found;
    }
    (void)pthread_mutex_unlock(&plan->lock);
    return found != NULL;
}

void plan_rows_added(struct plan *plan, const struct model *model, int64_t rows) {
    (void)pthread_mutex_lock(&plan->lock);
    struct plan_version *version = map_get(&plan->versions, model->target);
    if (version != NULL) {
        version->rows += rows;
    }
    (void)pthread_mutex_unlock(&plan->lock);
}

// ── Weight ──

static bool makes_rows(const struct sql_query *query) {
    static const str MAKERS[] = {STR_INIT("unnest"), STR_INIT("unlist"), STR_INIT("range"),
                                 STR_INIT("generate_series"), STR_INIT("repeat")};
    for (size_t i = 0; i < query->functions.count; i++) {
        for (size_t j = 0; j < ARRAY_COUNT(MAKERS); j++) {
            if (str_equal(query->functions.items[i].name, MAKERS[j])) {
                return true;
            }
        }
    }
    return query->calls.count > 0 || query->repeats_cte;
}

bool plan_is_light(struct plan *plan, const struct plan_step *step) {
    enum { LIGHT_ROWS_MAX = 100000 };
    SCRATCH(scratch);
    const struct model *model = step->model;
    struct plan_version version;
    if (model->lib_calls.count > 0 || model->files.count > 0 || makes_rows(&model->query) ||
        (plan_version_find(plan, model->target, &version) && version.rows > LIGHT_ROWS_MAX)) {
        return false;
    }
    int64_t rows = 1;
    for (size_t i = 0; i < model->query.tables.count; i++) {
        const struct sql_table *table = &model->query.tables.items[i];
        const str schema = table->schema.size > 0 ? table->schema : STR("main");
        const bool is_known =
            table->catalog.size == 0 &&
            plan_version_find(plan, full_name(&scratch, schema, table->name), &version);
        if (!is_known || version.rows > LIGHT_ROWS_MAX / rows) {
            return false;
        }
        rows *= version.rows > 0 ? version.rows : 1;
    }
    return true;
}

// ── Definition ──

// The name before `=` of the first part that stands in only one of the lists.
static str first_difference(const struct str_list *before, const struct str_list *now) {
    const struct str_list *lists[] = {now, before};
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < lists[i]->count; j++) {
            if (!str_list_has(lists[1 - i], lists[i]->items[j])) {
                return str_slice(lists[i]->items[j], 0, str_find_char(lists[i]->items[j], '='));
            }
        }
    }
    return (str){0};
}

// Which part of the definition differs; the last commit may not tell (written by another program).
static str definition_reason(struct plan *plan, const struct plan_step *step) {
    struct arena *arena = plan->arena;
    const struct commit *commit = &step->commit;
    if (commit->body_hash.size == 0 ||
        !str_equal(commit->body_hash, sha256_hex(arena, step->model->query.canonical))) {
        return STR("sql changed");
    }
    struct str_list directives = {0};
    directives_identity(arena, &step->model->source.directives, &directives);
    const str directive = first_difference(&commit->directives, &directives);
    if (directive.size > 0) {
        return str_format(arena, "directive changed: " STR_FORMAT, STR_ARGS(directive));
    }
    struct str_list uses = {0};
    for (size_t i = 0; i < step->use_count; i++) {
        const str hash = str_slice(sha256_hex(arena, step->uses[i].text), 0, 32);
        str_list_push(arena, &uses,
                      str_format(arena, STR_FORMAT "=" STR_FORMAT, STR_ARGS(step->uses[i].name),
                                 STR_ARGS(hash)));
    }
    const str macro = first_difference(&commit->uses, &uses);
    return macro.size > 0 ? str_format(arena, "macro changed: " STR_FORMAT, STR_ARGS(macro))
                          : STR("sql changed");
}

static bool definition_is_same(const struct plan *plan, const struct plan_step *step) {
    const struct commit *commit = &step->commit;
    if (commit->coypu_hash.size == 0) {
        return str_equal(commit->sql_hash, step->definition.sql_hash);
    }
    return str_equal(commit->coypu_hash, step->definition.coypu_hash) ||
           str_equal(commit->coypu_hash, step->definition.literal_hash) ||
           (!str_equal(commit->duckdb_version, plan->duckdb_version) &&
            str_equal(commit->text_hash, step->definition.text_hash));
}

// ── Inputs ──

str plan_changed_view(const struct plan_step *step) {
    const struct str_list *views = &step->model->views;
    for (size_t i = 0; i < views->count; i++) {
        if (!str_list_has(&step->commit.views, views->items[i])) {
            return str_slice(views->items[i], 0, str_find_char(views->items[i], '='));
        }
    }
    return (str){0};
}

// The reason to run that the inputs give; empty: they are all as they were.
static str input_reason(struct plan *plan, struct plan_step *step) {
    const struct model *model = step->model;
    struct arena *arena = plan->arena;
    const str view = plan_changed_view(step);
    if (view.size > 0) {
        step->changed = view;
        return str_format(arena, "dep changed: " STR_FORMAT, STR_ARGS(view));
    }
    const bool history_is_gone = step->commit.read_snapshot < plan->oldest_snapshot;
    str unverifiable = model->unverifiable.count > 0 ? model->unverifiable.items[0] : (str){0};
    for (size_t i = 0; i < model->inputs.count; i++) {
        const str input = model->inputs.items[i];
        if (str_equal_nocase(input, model->target)) {
            continue;
        }
        const struct plan_version *version = map_get(&plan->versions, input);
        if (version != NULL && version->snapshot > step->commit.read_snapshot) {
            step->changed = input;
            return str_format(arena, "dep changed: " STR_FORMAT, STR_ARGS(input));
        }
        if (unverifiable.size == 0 && (version == NULL || history_is_gone)) {
            unverifiable = input;
        }
    }
    const str file = plan_files_changed(step);
    if (file.size > 0) {
        return str_format(arena, "file changed: " STR_FORMAT, STR_ARGS(file));
    }
    if (unverifiable.size > 0) {
        return str_format(arena, "unverifiable dep: " STR_FORMAT, STR_ARGS(unverifiable));
    }
    return (str){0};
}

static void decide(struct plan_step *step, enum run_type type, str reason) {
    step->type = type;
    step->reason = reason;
}

// Whether a look at the rows may tell something although nothing changed.
static bool has_checks(const struct model *model) {
    const struct directives *directives = &model->source.directives;
    bool masks = false;
    for (size_t i = 0; i < directives->columns.count; i++) {
        masks = masks || directives->columns.items[i].mask.size > 0;
    }
    return masks ||
           directives->constraints.count + directives->audits.count + directives->warnings.count >
               0;
}

static void decide_on_facts(struct plan *plan, struct plan_step *step) {
    const struct model *model = step->model;
    const enum model_kind kind = model->source.directives.kind;
    const enum run_type changed_type = kind == MODEL_TABLE ? RUN_FULL : RUN_INCREMENTAL;
    step->changed = (str){0};
    if (!model->is_read) { // nobody asked
        decide(step, RUN_SKIP, (str){0});
        return;
    }
    if (!step->has_commit || !step->table_exists) {
        decide(step, RUN_BACKFILL, STR("first run"));
        return;
    }
    if (plan->full_refresh) {
        decide(step, RUN_BACKFILL, STR("full refresh requested"));
        return;
    }
    // What the table holds may be nowhere else any more: nothing is rebuilt on a guess.
    if (step->commit_is_lost) {
        decide(step, changed_type, STR("missing/invalid depends metadata"));
        return;
    }
    if (!definition_is_same(plan, step)) {
        decide(step, RUN_BACKFILL, definition_reason(plan, step));
        return;
    }
    if (model->lib_calls.count > 0) {
        decide(step, changed_type, STR("fetch source"));
        return;
    }
    if (!step->commit.has_depends) {
        decide(step, changed_type, STR("missing/invalid depends metadata"));
        return;
    }
    const str reason = input_reason(plan, step);
    if (reason.size > 0) {
        decide(step, changed_type, reason);
    } else if (plan->sandbox && has_checks(model)) {
        decide(step, changed_type, STR("sandbox: forced re-run"));
    } else if (model->inputs.count + model->files.count + model->views.count == 0) {
        decide(step, RUN_SKIP, STR("no dependencies"));
    } else {
        decide(step, RUN_SKIP, STR("deps unchanged"));
    }
}

void plan_decide(struct plan *plan, struct plan_step *step) {
    (void)pthread_mutex_lock(&plan->lock);
    decide_on_facts(plan, step);
    (void)pthread_mutex_unlock(&plan->lock);
}
