// Binding queries and creating tables.
//
// A commit of DuckLake costs more the more tables there are, whenever the schema changes: so all
// tables that are missing are made at once.  They are made in the order of the graph, as a query
// can only be bound when the tables it reads exist.
#include "base/context.h"
#include "base/file.h"
#include "base/suggest.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/snapshot.h"
#include "lake/transaction.h"
#include "model/graph.h"
#include "model/mask.h"
#include "run/decorate.h"
#include "run/runner.h"
#include "write/columns.h"

// ── Missing tables ──

static bool schema_is_known(const struct runner *runner, str schema) {
    const struct models *models = runner->models;
    for (size_t i = 0; i < models->count; i++) {
        if (str_equal_nocase(models->items[i]->schema, schema)) {
            return true;
        }
    }
    for (size_t i = 0; i < runner->plan->tables.count; i++) {
        const str name = runner->plan->tables.entries[i].key;
        if (str_equal_nocase(str_slice(name, 0, str_find_char(name, '.')), schema)) {
            return true;
        }
    }
    return false;
}

static void hint_similar(struct runner *runner, str schema, str reference, struct error *err) {
    struct str_list names = {0};
    for (size_t i = 0; i < runner->models->count; i++) {
        str_list_push(runner->arena, &names, runner->models->items[i]->target);
    }
    for (size_t i = 0; i < runner->plan->tables.count; i++) {
        str_list_push(runner->arena, &names, runner->plan->tables.entries[i].key);
    }
    const str near = suggest(reference, &names);
    if (near.size > 0) {
        error_hint(err, "did you mean " STR_FORMAT "?", STR_ARGS(near));
    } else if (!schema_is_known(runner, schema)) {
        error_hint(err, "no model and no table is in a schema " STR_FORMAT, STR_ARGS(schema));
    }
}

static enum error_code has_not_run(const struct model *model, const struct model *source,
                                   size_t offset, struct error *err) {
    error_set(err, ERROR_NOT_FOUND, STR_FORMAT " reads " STR_FORMAT ", which has not run yet",
              STR_ARGS(model->target), STR_ARGS(source->target));
    if (source == model) {
        error_hint(err, "a model can read itself from its second run on: let the first do without");
    } else {
        error_hint(err, "run `coypu run +" STR_FORMAT "` to run what it reads, too",
                   STR_ARGS(model->target));
    }
    error_at_offset(err, model->file, model->text, model->source.body_offset + offset);
    return err->code;
}

// When binding failed on a table that nobody makes, that is the error; DuckDB's own would not know
// the models.
static void explain_missing_table(struct runner *runner, struct plan_step *step,
                                  struct error *err) {
    const struct model *model = step->model;
    const bool is_missing = str_find(str_from(err->message), STR("does not exist")) != SIZE_MAX;
    for (size_t i = 0; i < model->query.tables.count && is_missing; i++) {
        const struct sql_table *table = &model->query.tables.items[i];
        const str schema = table->schema.size > 0 ? table->schema : STR("main");
        const str reference = str_format(runner->arena, STR_FORMAT "." STR_FORMAT, STR_ARGS(schema),
                                         STR_ARGS(table->name));
        const bool named = str_find(str_from(err->message), table->name) != SIZE_MAX;
        if (!named || table->catalog.size > 0 || sql_table_is_file(table) ||
            plan_has_table(runner->plan, reference)) {
            continue;
        }
        const struct model *source = models_find(runner->models, reference);
        if (source == NULL) {
            error_set(err, ERROR_NOT_FOUND,
                      STR_FORMAT " reads " STR_FORMAT ", which no model makes",
                      STR_ARGS(model->target), STR_ARGS(reference));
            hint_similar(runner, schema, reference, err);
        } else {
            (void)has_not_run(model, source, table->offset, err);
            return;
        }
        error_at_offset(err, model->file, model->text, model->source.body_offset + table->offset);
        return;
    }
}

static size_t offset_of(const struct model *model, const struct model *source) {
    for (size_t i = 0; i < model->query.tables.count; i++) {
        const struct sql_table *table = &model->query.tables.items[i];
        const str schema = table->schema.size > 0 ? table->schema : STR("main");
        if (str_equal_nocase(table->name, source->name) &&
            str_equal_nocase(schema, source->schema)) {
            return table->offset;
        }
    }
    return 0; // read through a view or a macro
}

enum error_code run_check_sources(struct runner *runner, const struct plan_step *step,
                                  struct arena *scratch, struct error *err) {
    const struct model *model = step->model;
    for (size_t i = 0; i < model->reads.count; i++) {
        const struct model *source = model->reads.items[i];
        const struct plan_step *before = plan_step_of(runner->plan, source);
        if (before->selected || before->has_commit || !before->table_exists) {
            continue;
        }
        bool is_empty = false;
        TRY(run_table_is_empty(runner, source, scratch, &is_empty, err));
        if (is_empty) {
            return has_not_run(model, source, offset_of(model, source), err);
        }
    }
    return ERROR_NONE;
}

// "x" is a column in SQL, where other databases and languages have text.
static void explain_quotes(struct error *err) {
    const size_t at = err->pos.column > 0 ? (size_t)err->pos.column - 1 : 0;
    const str line = str_from(err->source_line);
    if (str_starts_with(str_from(err->message), STR("referenced column")) && at < line.size &&
        line.data[at] == '"') {
        const size_t end = str_find_char(str_from_offset(line, at + 1), '"');
        error_hint(err, "text stands in single quotes: '" STR_FORMAT "'",
                   STR_ARGS(str_slice(line, at + 1, end == SIZE_MAX ? line.size : at + 1 + end)));
    }
}

// DuckDB does not always say where: then it is the file or the catalog that it speaks of, or the
// query as a whole.
static void place_bind_error(const struct model *model, struct error *err) {
    size_t offset = 0;
    for (size_t i = 0; i < model->query.tables.count; i++) {
        const struct sql_table *table = &model->query.tables.items[i];
        const str name = sql_table_is_file(table) ? table->name : table->catalog;
        if (name.size > 0 && str_find(str_from(err->message), name) != SIZE_MAX) {
            offset = table->offset;
            break;
        }
    }
    error_at_offset(err, model->file, model->text, model->source.body_offset + offset);
}

// ── Columns named in directives ──

static enum error_code check_column(struct plan_step *step, struct arena *arena,
                                    const char *directive, str column, const struct directive *at,
                                    struct error *err) {
    if (column.size == 0 || columns_find(step->columns, step->column_count, column) != NULL) {
        return ERROR_NONE;
    }
    error_rule(err, ERROR_INVALID, "parser.invalid_directive",
               "@%s names \"" STR_FORMAT "\", which the query does not produce", directive,
               STR_ARGS(column));
    error_hint(err, "it produces: " STR_FORMAT,
               STR_ARGS(columns_names(arena, step->columns, step->column_count)));
    error_at(err, step->model->file, at->line, at->column);
    error_source(err, step->model->text);
    return err->code;
}

static enum error_code check_columns(struct plan_step *step, struct arena *arena,
                                     struct error *err) {
    const struct directives *directives = &step->model->source.directives;
    TRY(check_column(step, arena, "unique_key", directives->unique_key.value,
                     &directives->unique_key, err));
    TRY(check_column(step, arena, "incremental", directives->incremental.value,
                     &directives->incremental, err));
    for (size_t i = 0; i < directives->group_columns.count; i++) {
        TRY(check_column(step, arena, "group_key", directives->group_columns.items[i],
                         &directives->group_key, err));
    }
    for (size_t i = 0; i < directives->partition_columns.count; i++) {
        TRY(check_column(step, arena, "partitioned_by", directives->partition_columns.items[i],
                         &directives->partitioned_by, err));
    }
    for (size_t i = 0; i < directives->sort_columns.count; i++) {
        TRY(check_column(step, arena, "sorted_by", directives->sort_columns.items[i],
                         &directives->sorted_by, err));
    }
    for (size_t i = 0; i < directives->columns.count; i++) {
        TRY(check_column(step, arena, "column", directives->columns.items[i].name,
                         &directives->columns.items[i].at, err));
    }
    return ERROR_NONE;
}

static enum error_code check_width(struct runner *runner, const struct plan_step *step,
                                   struct error *err) {
    const struct model *model = step->model;
    const size_t most = lake_columns_max(runner->session.lake);
    if (step->column_count <= most) {
        return ERROR_NONE;
    }
    error_set(err, ERROR_LIMIT,
              STR_FORMAT " has %zu columns, a table of a lake with a %s catalog at most %zu",
              STR_ARGS(model->target), step->column_count,
              lake_catalog_name(lake_catalog_kind(runner->session.lake)), most);
    error_hint(err, "keep what is rarely read in one JSON or MAP column, or add "
                    "DATA_INLINING_ROW_LIMIT 0 to the ATTACH in config/catalog.sql");
    error_at_offset(err, model->file, model->text, model->source.body_offset);
    return err->code;
}

// The kind's own columns are never taken from the query.
static void drop_own_columns(struct plan_step *step) {
    const enum model_kind kind = step->model->source.directives.kind;
    size_t kept = 0;
    for (size_t i = 0; i < step->column_count; i++) {
        if (!columns_is_of_kind(kind, step->columns[i].name)) {
            step->columns[kept++] = step->columns[i];
        }
    }
    step->column_count = kept;
}

// At the projection that makes the column, where no `*` stands before it.
static void place_column_error(const struct model *model, size_t column, struct error *err) {
    const struct sql_query *query = &model->query;
    const size_t offset = column < query->projection_count ? query->projections[column] : SIZE_MAX;
    error_at_offset(err, model->file, model->text,
                    model->source.body_offset + (offset == SIZE_MAX ? 0 : offset));
}

// A mask may give another type than the column had; the name stays that of the query.
static enum error_code describe_masked(struct runner *runner, struct plan_step *step,
                                       struct error *err) {
    struct arena *arena = runner->arena;
    const struct model *model = step->model;
    const struct lake_column *raw = step->columns;
    struct mask mask;
    mask_make(arena, model, &mask);
    const str sql =
        str_format(arena, "FROM " STR_FORMAT "(\n" STR_FORMAT "\n)" STR_FORMAT, STR_ARGS(mask.head),
                   STR_ARGS(model->source.body), STR_ARGS(mask.tail));
    const enum error_code code = lake_describe(runner->session.connection, arena, sql,
                                               &step->columns, &step->column_count, err);
    if (code != ERROR_NONE) { // the query alone could be bound: it is a macro that does not fit
        error_context(err, "masking");
        error_at(err, model->file, model_first_mask(model)->at.line,
                 model_first_mask(model)->at.column);
        error_source(err, model->text);
        return code;
    }
    for (size_t i = 0; i < step->column_count; i++) {
        step->columns[i].name = raw[i].name;
    }
    size_t wrong = 0;
    const enum error_code normal =
        columns_normalise(arena, step->columns, step->column_count, &wrong, err);
    if (normal != ERROR_NONE) {
        place_column_error(model, wrong, err);
    }
    return normal;
}

// On this connection, by the rows as they are now.
static enum error_code make_pivot_types(struct runner *runner, const struct model *model,
                                        struct error *err) {
    for (size_t i = 0; i < model->pivots.count; i++) {
        const struct sql_pivot *pivot = &model->pivots.items[i];
        const str sql = str_format(
            runner->arena, "CREATE OR REPLACE TEMP TYPE " STR_FORMAT " AS ENUM (" STR_FORMAT "\n)",
            STR_ARGS(pivot->type), STR_ARGS(pivot->values));
        const enum error_code code =
            lake_execute(runner->session.connection, sql, LAKE_NO_VALUES, NULL, err);
        if (code != ERROR_NONE) {
            err->pos = (struct source_pos){0}; // it is of our text, not of the model's
            err->source_line[0] = '\0';
            return code;
        }
    }
    return ERROR_NONE;
}

static enum error_code describe(struct runner *runner, struct plan_step *step, struct error *err) {
    const struct model *model = step->model;
    // The query as it is: as a subquery, columns of one name would be renamed.  The line in front
    // is what write_error_place expects.
    const str sql = str_format(runner->arena, "\n" STR_FORMAT, STR_ARGS(model->source.body));
    enum error_code code = make_pivot_types(runner, model, err);
    if (code == ERROR_NONE) {
        code = lake_describe(runner->session.connection, runner->arena, sql, &step->columns,
                             &step->column_count, err);
    }
    if (code != ERROR_NONE && session_explain(&runner->session, err)) {
        return err->code;
    }
    if (code != ERROR_NONE) {
        if (err->pos.file[0] == '\0') {
            write_error_place(model, err);
        }
        if (err->pos.line == 0) {
            place_bind_error(model, err);
        }
        explain_quotes(err);
        explain_missing_table(runner, step, err);
        return err->code;
    }
    TRY(check_width(runner, step, err));
    size_t wrong = 0;
    code = columns_normalise(runner->arena, step->columns, step->column_count, &wrong, err);
    if (code != ERROR_NONE) {
        place_column_error(model, wrong, err);
        return code;
    }
    if (model_is_masked(model)) {
        TRY(check_columns(step, runner->arena, err));
        TRY(describe_masked(runner, step, err));
    }
    drop_own_columns(step);
    return check_columns(step, runner->arena, err);
}

enum error_code run_describe(struct runner *runner, struct plan_step *step, struct error *err) {
    const enum error_code code = describe(runner, step, err);
    if (code != ERROR_NONE) { // who asks again is to hear it again
        step->columns = NULL;
        step->column_count = 0;
    }
    return code;
}

// ── Tables ──

static enum error_code execute(struct runner *runner, str sql, struct error *err) {
    return lake_execute(runner->session.connection, sql, LAKE_NO_VALUES, NULL, err);
}

enum error_code run_create_table(struct runner *runner, struct plan_step *step, struct error *err) {
    struct arena *arena = runner->arena;
    const struct model *model = step->model;
    const str schema = lake_quote_name(arena, model->schema);
    const str target = model_table_name(arena, model);
    TRY(execute(runner,
                str_format(arena, "CREATE SCHEMA IF NOT EXISTS " STR_FORMAT, STR_ARGS(schema)),
                err));
    size_t own_count = 0;
    const struct lake_column *own = columns_of_kind(model->source.directives.kind, &own_count);
    TRY(execute(runner,
                str_format(arena, "CREATE TABLE " STR_FORMAT " (" STR_FORMAT "%s" STR_FORMAT ")",
                           STR_ARGS(target),
                           STR_ARGS(columns_definition(arena, step->columns, step->column_count)),
                           own_count > 0 ? ", " : "",
                           STR_ARGS(columns_definition(arena, own, own_count))),
                err));
    return decorate_new(runner, step, err);
}

// ── All at once ──

struct creation {
    struct plan_step **items;
    size_t count;
    size_t capacity;
};

// What a table needs to be made before anything runs: no table, a query that says its columns, and
// no input that failed to bind.
static bool is_candidate(const struct runner *runner, const struct plan_step *step,
                         const bool *unbound) {
    const struct model *model = step->model;
    if (!step->selected || model->broken || step->table_exists || model->lib_calls.count > 0 ||
        model->pivots.count > 0) { // whose columns are rows, which are not there yet
        return false;
    }
    for (size_t i = 0; i < model->reads.count; i++) {
        const struct model *source = model->reads.items[i];
        if (unbound[source->index] && !runner->plan->steps[source->index].table_exists) {
            return false;
        }
    }
    return true;
}

static enum error_code begin_again(struct runner *runner, const struct creation *made,
                                   struct error *err) {
    TRY(lake_begin(runner->session.connection, err));
    for (size_t i = 0; i < made->count; i++) {
        TRY(run_create_table(runner, made->items[i], err));
    }
    return ERROR_NONE;
}

static enum error_code create_candidate(struct runner *runner, struct plan_step *step,
                                        struct error *err) {
    struct incremental_state ignored;
    if (step->model->query.variables.count > 0) {
        TRY(run_enter_model(runner, step, &ignored, err));
    }
    TRY(run_describe(runner, step, err));
    return run_create_table(runner, step, err);
}

static str created_json(struct runner *runner, const struct creation *made) {
    struct text text;
    text_init(&text, runner->arena);
    text_format(&text, "{\"dag_run_id\":\"" STR_FORMAT "\",\"created\":[",
                STR_ARGS(runner->run_id));
    for (size_t i = 0; i < made->count; i++) {
        text_format(&text, "%s\"" STR_FORMAT "\"", i > 0 ? "," : "",
                    STR_ARGS(made->items[i]->model->target));
    }
    text_add(&text, STR("]}"));
    return text_str(&text);
}

static const str REGISTRY = STR_INIT("CREATE TABLE IF NOT EXISTS main._ondatra_registry"
                                     " (target VARCHAR, kind VARCHAR, updated_at TIMESTAMP)");

static enum error_code finish(struct runner *runner, const struct creation *made,
                              struct error *err) {
    struct lake_connection *connection = runner->session.connection;
    if (!plan_has_table(runner->plan, STR("main._ondatra_registry"))) {
        TRY(lake_execute(connection, REGISTRY, LAKE_NO_VALUES, NULL, err));
    }
    TRY(lake_commit_message(connection, STR("coypu"), STR("create tables"),
                            created_json(runner, made), err));
    int64_t snapshot = 0;
    crash_point("CP_SCHEMA_BEFORE_COMMIT");
    TRY(lake_commit(connection, &snapshot, err));
    crash_point("CP_SCHEMA_COMMITTED");
    runner->created_version++; // unless others changed it meanwhile
    for (size_t i = 0; i < made->count; i++) {
        made->items[i]->created = true;
        plan_committed(runner->plan, made->items[i]->model, snapshot);
    }
    return ERROR_NONE;
}

// An error ends DuckDB's transaction, so the tables made so far are made again in a new one: cheap,
// as their columns are known, and errors are rare.
static enum error_code create_all(struct runner *runner, struct creation *made, struct error *err) {
    struct lake_connection *connection = runner->session.connection;
    bool *unbound = ARENA_ARRAY(runner->arena, bool, runner->models->count);
    int64_t base = 0;
    TRY(lake_begin(connection, err));
    TRY(lake_current_snapshot(connection, &base, err));
    TRY(lake_schema_version(connection, base, &runner->created_version, err));
    for (size_t i = 0; i < runner->models->order.count; i++) {
        const struct model *model = runner->models->order.items[i];
        struct plan_step *step = &runner->plan->steps[model->index];
        unbound[model->index] = !step->table_exists;
        if (!is_candidate(runner, step, unbound)) {
            continue;
        }
        struct error ignored;
        if (create_candidate(runner, step, &ignored) == ERROR_NONE) {
            LIST_PUSH(runner->arena, made, step);
            unbound[model->index] = false;
            continue;
        }
        lake_rollback(connection);
        if (ignored.code == ERROR_CANCELLED) {
            *err = ignored;
            return err->code;
        }
        step->columns = NULL; // also when they were told, and the table could not be made
        step->column_count = 0;
        TRY(begin_again(runner, made, err));
    }
    if (made->count == 0 && plan_has_table(runner->plan, STR("main._ondatra_registry"))) {
        lake_rollback(connection);
        return ERROR_NONE;
    }
    return finish(runner, made, err);
}

static bool anything_runs(const struct runner *runner) {
    for (size_t i = 0; i < runner->models->count; i++) {
        const struct plan_step *step = &runner->plan->steps[i];
        if (step->selected && !step->model->broken && step->type != RUN_SKIP) {
            return true;
        }
    }
    return false;
}

// DuckDB's own message for a folder that cannot be written speaks of a missing file.
static enum error_code check_data_folder(struct runner *runner, struct error *err) {
    str path;
    TRY(lake_data_path(runner->session.connection, runner->arena, &path, err));
    if (str_find(path, STR("://")) == SIZE_MAX && path_exists(path) && !path_is_writable(path)) {
        error_set(err, ERROR_IO,
                  "cannot write to the lake's folder " STR_FORMAT ": permission denied",
                  STR_ARGS(path));
        error_hint(err, "give this user the right to write there, or choose another DATA_PATH in "
                        "config/catalog.sql");
        return err->code;
    }
    return ERROR_NONE;
}

enum error_code run_create_tables(struct runner *runner, struct error *err) {
    if (!anything_runs(runner)) {
        return ERROR_NONE;
    }
    TRY(check_data_folder(runner, err));
    struct creation made = {0};
    const enum error_code code = create_all(runner, &made, err);
    if (code != ERROR_NONE) {
        lake_rollback(runner->session.connection);
    }
    return code;
}
