// The table of a model before its rows are written: made when it is missing, its columns evolved
// when the query gives others (models.md §7), its own columns those of the kind (§5.6).
#include "base/text.h"
#include "lake/result.h"
#include "lake/snapshot.h"
#include "run/turn.h"
#include "sql/definition.h"
#include "write/columns.h"
#include "write/rename.h"

// A table on its way to its new columns.
struct evolving_table {
    struct lake_table table;
    enum model_kind kind;
    enum model_kind old_kind; // that wrote its rows
    bool has_old_kind;
    struct column_renames renames;
    str renamed; // "renamed a → b"
    struct evolution evolution;
    const struct lake_column
        *converted;           // scd2: the key as it was, which gets another type; or NULL
    int64_t versions_dropped; // closed versions of scd2 that this run deletes
    int64_t foreign_rows;     // that this model has not written, and this run replaces
};

static bool has_column(const struct lake_table *table, const char *name) {
    return columns_find(table->columns, table->column_count, str_from(name)) != NULL;
}

// Whether the table has the columns that the kind adds.
static bool looks_like(const struct lake_table *table, enum model_kind kind) {
    switch (kind) {
    case MODEL_TABLE:
    case MODEL_APPEND:
    case MODEL_MERGE:
        return false;
    case MODEL_TRACKED:
        return has_column(table, COLUMN_CONTENT_HASH);
    case MODEL_SCD2:
        return has_column(table, COLUMN_VALID_FROM) && has_column(table, COLUMN_VALID_TO) &&
               has_column(table, COLUMN_IS_CURRENT);
    }
    return false;
}

static enum error_code find_table(struct turn *turn, struct evolving_table *evolving,
                                  struct error *err) {
    const struct plan_step *step = turn->step;
    bool found = false;
    TRY(lake_table_find(turn->runner->session.connection, turn->arena, step->model->schema,
                        step->model->name, &evolving->table, &found, err));
    if (!found) {
        return error_set(err, ERROR_NOT_FOUND, "the table " STR_FORMAT " is gone",
                         STR_ARGS(step->model->target));
    }
    evolving->kind = step->model->source.directives.kind;
    evolving->has_old_kind =
        step->has_commit && model_kind_find(step->commit.kind, &evolving->old_kind);
    // The commit that would tell may have been expired by another program; history must not go.
    if (!step->has_commit && looks_like(&evolving->table, evolving->kind)) {
        evolving->old_kind = evolving->kind;
        evolving->has_old_kind = true;
    }
    return ERROR_NONE;
}

// Tables made by other programs keep their HUGEINT columns: their lake is not rebuilt for it.
static void keep_huge_columns(struct plan_step *step, const struct lake_table *table) {
    for (size_t i = 0; i < step->column_count; i++) {
        const struct lake_column *now =
            columns_find(table->columns, table->column_count, step->columns[i].name);
        if (now != NULL && str_ends_with(now->type, STR("HUGEINT")) &&
            str_equal(step->columns[i].type, STR("DECIMAL(38,0)"))) {
            step->columns[i].type = now->type;
        }
    }
}

// ── What of the old rows can be gone on from ──

// What the column is called now.
static str name_now(const struct evolving_table *evolving, str name) {
    for (size_t i = 0; i < evolving->renames.count; i++) {
        if (str_equal_nocase(evolving->renames.items[i].from, name)) {
            return evolving->renames.items[i].to;
        }
    }
    return name;
}

// A key column that was renamed is the key that it was.
static bool key_is_same(const struct turn *turn, const struct evolving_table *evolving) {
    const struct commit *commit = &turn->step->commit;
    const struct directives *directives = &turn->step->model->source.directives;
    if (!commit->has_definition) { // written by another program, which did not tell
        return true;
    }
    if (directives->kind != MODEL_TRACKED) {
        return str_equal_nocase(directives->unique_key.value,
                                name_now(evolving, commit->unique_key));
    }
    struct str_splitter splitter = {.rest = commit->group_key};
    struct str_list before = {0};
    str part;
    while (str_split_next(&splitter, ',', &part)) {
        str_list_push(turn->arena, &before, name_now(evolving, part));
    }
    return str_equal_nocase(str_list_join(turn->arena, &directives->group_columns, STR(",")),
                            str_list_join(turn->arena, &before, STR(",")));
}

// Whether every key column of now was one of the table's, and its values are kept: a history is
// never given up for the type of its key.
static bool key_values_stay(const struct turn *turn, const struct lake_table *table,
                            bool *type_changed) {
    const struct plan_step *step = turn->step;
    const struct directives *directives = &step->model->source.directives;
    struct str_list keys = directives->group_columns;
    if (directives->kind != MODEL_TRACKED) {
        keys = (struct str_list){0};
        str_list_push(turn->arena, &keys, directives->unique_key.value);
    }
    bool stay = true;
    *type_changed = false;
    for (size_t i = 0; i < keys.count; i++) {
        const struct lake_column *before =
            columns_find(table->columns, table->column_count, keys.items[i]);
        const struct lake_column *after =
            columns_find(step->columns, step->column_count, keys.items[i]);
        if (before == NULL || after == NULL) {
            stay = false;
        } else if (!str_equal_nocase(before->type, after->type)) {
            *type_changed = true;
            stay = stay && (directives->kind == MODEL_SCD2 ||
                            evolution_keeps_values(before->type, after->type));
        }
    }
    return stay;
}

static void choose_basis(struct turn *turn, struct evolving_table *evolving) {
    struct run_result *result = turn->result;
    bool type_changed = false;
    switch (evolving->kind) {
    case MODEL_TABLE:
    case MODEL_APPEND:
        return;
    case MODEL_MERGE:
    case MODEL_TRACKED:
    case MODEL_SCD2:
        break;
    }
    const bool stays = key_values_stay(turn, &evolving->table, &type_changed);
    turn->write.rebuilds = !evolving->has_old_kind || evolving->old_kind != evolving->kind ||
                           !stays || !key_is_same(turn, evolving) ||
                           (evolving->kind == MODEL_SCD2 && turn->runner->options->full_refresh);
    if (type_changed && result->run_type != RUN_BACKFILL) {
        result->run_type = RUN_BACKFILL;
        result->reason = STR("key type changed");
    }
    if (type_changed && evolving->kind == MODEL_SCD2 && !turn->write.rebuilds) {
        const struct plan_step *step = turn->step;
        const str name = step->model->source.directives.unique_key.value;
        const struct lake_column *before =
            columns_find(evolving->table.columns, evolving->table.column_count, name);
        const str type = columns_find(step->columns, step->column_count, name)->type;
        evolving->converted = evolution_keeps_values(before->type, type) ? NULL : before;
    }
}

static enum error_code refuse_conversion(struct turn *turn, const struct lake_column *key, str type,
                                         str what, struct error *err) {
    const struct model *model = turn->step->model;
    const struct directive *at = &model->source.directives.unique_key;
    error_set(err, ERROR_INVALID,
              "the key \"" STR_FORMAT "\" changes from " STR_FORMAT " to " STR_FORMAT
              ", " STR_FORMAT,
              STR_ARGS(key->name), STR_ARGS(key->type), STR_ARGS(type), STR_ARGS(what));
    error_hint(err,
               "keep the type, or let `coypu run " STR_FORMAT
               " --full-refresh` drop the history and begin a new one",
               STR_ARGS(model->target));
    error_at(err, model->file, at->line, at->column);
    error_source(err, model->text);
    return err->code;
}

// Every value must have one of the new type, and different ones different ones.
static enum error_code check_conversion(struct turn *turn, const struct evolving_table *evolving,
                                        struct error *err) {
    const struct lake_column *key = evolving->converted;
    struct arena *arena = turn->arena;
    const struct plan_step *step = turn->step;
    if (key == NULL) {
        return ERROR_NONE;
    }
    const str type = columns_find(step->columns, step->column_count, key->name)->type;
    const str name = lake_quote_name(arena, key->name);
    const str sql = str_format(
        arena,
        "SELECT count(*) FILTER (is_lost), array_to_string(list(a::VARCHAR ORDER BY a) FILTER "
        "(is_lost)[1:3], ', '), count(*) FILTER (n > 1 AND NOT is_lost), array_to_string("
        "list(a::VARCHAR ORDER BY b, a) FILTER (n > 1 AND NOT is_lost)[1:2], ' and ') FROM (SELECT "
        "a, b, b IS NULL AND a IS NOT NULL AS is_lost, count(*) OVER (PARTITION BY b) AS n FROM "
        "(SELECT "
        "DISTINCT " STR_FORMAT " AS a, TRY_CAST(" STR_FORMAT " AS " STR_FORMAT
        ") AS b FROM " STR_FORMAT "))",
        STR_ARGS(name), STR_ARGS(name), STR_ARGS(type),
        STR_ARGS(model_table_name(arena, step->model)));
    LAKE_RESULT result = NULL;
    TRY(lake_query(turn->runner->session.connection, sql, LAKE_NO_VALUES, &result, err));
    if (!lake_result_next(result)) {
        return error_set(err, ERROR_INTERNAL, "the check of the key's values gave no row");
    }
    const int64_t lost = lake_result_int64(result, 0);
    if (lost > 0) {
        return refuse_conversion(
            turn, key, type,
            str_format(
                arena, "and %lld value%s in the history cannot be converted, such as " STR_FORMAT,
                (long long)lost, lost == 1 ? "" : "s", STR_ARGS(lake_result_text(result, 1))),
            err);
    }
    if (lake_result_int64(result, 2) > 0) {
        return refuse_conversion(
            turn, key, type,
            str_format(arena, "which makes one of different values in the history: " STR_FORMAT,
                       STR_ARGS(lake_result_text(result, 3))),
            err);
    }
    return ERROR_NONE;
}

// append: the growths so far, and the one of this run.  Rows that share no column with the query
// cannot be told from new ones.
static void find_growths(struct turn *turn, const struct evolving_table *evolving) {
    const struct plan_step *step = turn->step;
    const struct growth_list *before = &step->commit.growths;
    turn->growths = (struct growth_list){0};
    for (size_t i = 0; i < before->count; i++) {
        struct growth growth = {.snapshot = before->items[i].snapshot};
        for (size_t j = 0; j < before->items[i].known.count; j++) {
            str_list_push(turn->arena, &growth.known,
                          name_now(evolving, before->items[i].known.items[j]));
        }
        LIST_PUSH(turn->arena, &turn->growths, growth);
    }
    struct growth growth = {.snapshot = INT64_MAX};
    for (size_t i = 0; i < step->column_count; i++) {
        if (columns_find(evolving->table.columns, evolving->table.column_count,
                         step->columns[i].name) != NULL) {
            str_list_push(turn->arena, &growth.known, step->columns[i].name);
        }
    }
    if (growth.known.count == 0) {
        turn->result->run_type = RUN_BACKFILL;
    } else if (evolving->kind == MODEL_APPEND && growth.known.count < step->column_count) {
        LIST_PUSH(turn->arena, &turn->growths, growth);
    }
    turn->write.growths = &turn->growths;
}

static enum error_code count_history(struct turn *turn, struct evolving_table *evolving,
                                     struct error *err) {
    const bool had_history = columns_find(evolving->table.columns, evolving->table.column_count,
                                          STR(COLUMN_IS_CURRENT)) != NULL;
    const bool ends = evolving->kind != MODEL_SCD2 || turn->write.rebuilds;
    if (!evolving->has_old_kind || evolving->old_kind != MODEL_SCD2 || !ends || !had_history) {
        return ERROR_NONE;
    }
    const str sql =
        str_format(turn->arena, "SELECT count(*) FROM " STR_FORMAT " WHERE NOT " COLUMN_IS_CURRENT,
                   STR_ARGS(model_table_name(turn->arena, turn->step->model)));
    return lake_query_int64(turn->runner->session.connection, sql, LAKE_NO_VALUES,
                            &evolving->versions_dropped, NULL, err);
}

// The columns whose mask was set or edited since the table was written (`lifted`: or taken off).
static void find_edited_masks(const struct turn *turn, const struct evolving_table *evolving,
                              bool lifted, struct str_list *edited) {
    const struct plan_step *step = turn->step;
    struct str_list now = {0};
    if (!step->commit.has_definition) {
        return;
    }
    directives_identity(turn->arena, &step->model->source.directives, &now);
    const struct str_list *sides[] = {&now, &step->commit.directives};
    for (size_t i = 0; i < (lifted ? 2 : 1); i++) {
        for (size_t j = 0; j < sides[i]->count; j++) {
            const str part = sides[i]->items[j];
            if (str_starts_with(part, STR("column=")) && !str_list_has(sides[1 - i], part)) {
                const str name = str_slice(part, STR("column=").size, str_find_char(part, ' '));
                str_list_push(turn->arena, edited, name_now(evolving, name));
            }
        }
    }
}

static bool column_keeps_values(const struct lake_table *table, const struct lake_column *after) {
    const struct lake_column *before =
        columns_find(table->columns, table->column_count, after->name);
    return before != NULL && (str_equal_nocase(before->type, after->type) ||
                              evolution_keeps_values(before->type, after->type));
}

// What the kept rows of an append and of a merge are known by: all that can be compared, the key.
static void find_kept(struct turn *turn, const struct evolving_table *evolving) {
    const struct plan_step *step = turn->step;
    const bool was_append = evolving->has_old_kind && evolving->old_kind == MODEL_APPEND;
    const bool was_merge = evolving->has_old_kind && evolving->old_kind == MODEL_MERGE;
    struct str_list edited = {0};
    find_edited_masks(turn, evolving, true, &edited);
    const str key = step->commit.has_definition ? name_now(evolving, step->commit.unique_key)
                                                : step->model->source.directives.unique_key.value;
    for (size_t i = 0; i < step->column_count; i++) {
        const struct lake_column *column = &step->columns[i];
        if ((was_append || (was_merge && str_equal_nocase(column->name, key))) &&
            column_keeps_values(&evolving->table, column) &&
            !str_list_has_nocase(&edited, column->name)) {
            str_list_push(turn->arena, &turn->write.kept_by, column->name);
        }
    }
}

// A table that was there before the model: whoever filled it may not know that a model does now.
static enum error_code count_foreign_rows(struct turn *turn, struct evolving_table *evolving,
                                          struct error *err) {
    if (turn->step->has_commit || evolving->has_old_kind) {
        return ERROR_NONE;
    }
    const str sql = str_format(turn->arena, "SELECT count(*) FROM " STR_FORMAT,
                               STR_ARGS(model_table_name(turn->arena, turn->step->model)));
    return lake_query_int64(turn->runner->session.connection, sql, LAKE_NO_VALUES,
                            &evolving->foreign_rows, NULL, err);
}

// ── Columns ──

static void plan_columns(struct turn *turn, struct evolving_table *evolving) {
    const struct plan_step *step = turn->step;
    const struct evolution_input input = {
        .target = model_table_name(turn->arena, step->model),
        .before = evolving->table.columns,
        .before_count = evolving->table.column_count,
        .after = step->columns,
        .after_count = step->column_count,
        .kind = evolving->kind,
        .old_kind = evolving->has_old_kind ? evolving->old_kind : evolving->kind,
        .converted = evolving->converted != NULL ? evolving->converted->name : (str){0},
    };
    evolution_plan(turn->arena, &input, &evolving->evolution);
}

static enum error_code refuse_losses(struct turn *turn, const struct evolving_table *evolving,
                                     struct error *err) {
    const bool drops_rows = evolving->versions_dropped > 0 || evolving->foreign_rows > 0;
    if (!turn->runner->options->no_destructive ||
        (!evolving->evolution.is_destructive && !drops_rows)) {
        return ERROR_NONE;
    }
    if (evolving->foreign_rows > 0) {
        error_set(err, ERROR_INVALID, "%lld row%s that this model did not write would be replaced",
                  (long long)evolving->foreign_rows, evolving->foreign_rows == 1 ? "" : "s");
    } else if (evolving->evolution.is_destructive) {
        error_set(err, ERROR_INVALID, "the columns would change destructively: " STR_FORMAT,
                  STR_ARGS(evolving->evolution.summary));
    } else {
        error_set(err, ERROR_INVALID, "%lld historical version%s would be dropped",
                  (long long)evolving->versions_dropped,
                  evolving->versions_dropped == 1 ? "" : "s");
    }
    error_hint(err, "run without --no-destructive to accept it");
    const struct model *model = turn->step->model;
    error_at_offset(err, model->file, model->text, model->source.body_offset);
    return err->code;
}

static enum error_code execute_all(struct turn *turn, const struct str_list *statements,
                                   struct error *err) {
    for (size_t i = 0; i < statements->count; i++) {
        TRY(lake_execute(turn->runner->session.connection, statements->items[i], LAKE_NO_VALUES,
                         NULL, err));
    }
    return ERROR_NONE;
}

static enum error_code alter(struct turn *turn, const struct evolving_table *evolving,
                             struct error *err) {
    const struct evolution *evolution = &evolving->evolution;
    const str renamed = evolving->renamed;
    if (evolution->dropped.count > 0) {
        TRY(decorate_release(turn->runner, turn->step, &evolution->dropped, &turn->storage, err));
    }
    TRY(execute_all(turn, &evolution->statements, err));
    turn->altered = turn->altered || evolution->statements.count > 0 || renamed.size > 0;
    if (evolution->summary.size > 0 || renamed.size > 0) {
        turn_warn_change(turn, "columns changed: " STR_FORMAT "%s" STR_FORMAT, STR_ARGS(renamed),
                         renamed.size > 0 && evolution->summary.size > 0 ? "; " : "",
                         STR_ARGS(evolution->summary));
    }
    return ERROR_NONE;
}

// A history that is gone on from holds what an edited mask was meant to hide.
static void warn_of_old_masks(struct turn *turn, const struct evolving_table *evolving) {
    const struct plan_step *step = turn->step;
    const bool goes_on = evolving->kind == MODEL_SCD2 && evolving->has_old_kind &&
                         evolving->old_kind == MODEL_SCD2 && !turn->write.rebuilds;
    struct str_list edited = {0};
    find_edited_masks(turn, evolving, false, &edited);
    if (goes_on && edited.count > 0) {
        turn_warn_change(turn,
                         "the closed versions keep " STR_FORMAT " as it was before this mask: "
                         "`coypu run " STR_FORMAT " --full-refresh` drops them",
                         STR_ARGS(str_list_join(turn->arena, &edited, STR(", "))),
                         STR_ARGS(step->model->target));
    }
}

// *conversions: what is to be run once the storage is set.
static enum error_code evolve(struct turn *turn, struct str_list *conversions, struct error *err) {
    struct evolving_table evolving = {0};
    TRY(find_table(turn, &evolving, err));
    TRY(turn_rename_columns(turn, &evolving.table, &evolving.renames, &evolving.renamed, err));
    keep_huge_columns(turn->step, &evolving.table);
    find_growths(turn, &evolving);
    choose_basis(turn, &evolving);
    find_kept(turn, &evolving);
    TRY(count_history(turn, &evolving, err));
    TRY(count_foreign_rows(turn, &evolving, err));
    plan_columns(turn, &evolving);
    TRY(refuse_losses(turn, &evolving, err));
    TRY(check_conversion(turn, &evolving, err));
    *conversions = evolving.evolution.conversions;
    if (evolving.evolution.forces_backfill) {
        turn->result->run_type = RUN_BACKFILL;
    }
    if (evolving.versions_dropped > 0) {
        turn_warn_change(turn, "this run drops %lld historical version%s",
                         (long long)evolving.versions_dropped,
                         evolving.versions_dropped == 1 ? "" : "s");
    }
    if (evolving.foreign_rows > 0) {
        turn_warn_change(turn,
                         "the table was there before this model: this run replaces the %lld row%s "
                         "in it",
                         (long long)evolving.foreign_rows, evolving.foreign_rows == 1 ? "" : "s");
    }
    warn_of_old_masks(turn, &evolving);
    return alter(turn, &evolving, err);
}

// ── The whole ──

enum error_code turn_describe(struct turn *turn, struct error *err) {
    struct runner *runner = turn->runner;
    struct plan_step *step = turn->step;
    if (step->created) {
        int64_t version = 0;
        TRY(lake_schema_version(runner->session.connection, turn->read_snapshot, &version, err));
        turn->schema_moved = version != runner->created_version;
    }
    // What a PIVOT makes columns of may have changed.
    const bool must = step->columns == NULL || turn->schema_moved || step->model->pivots.count > 0;
    return must ? run_describe(runner, step, err) : ERROR_NONE;
}

// A table that this run made, empty, is made again when its sources got other columns since.
static enum error_code make_again(struct turn *turn, struct error *err) {
    struct evolving_table evolving = {0};
    const str target = model_table_name(turn->arena, turn->step->model);
    TRY(find_table(turn, &evolving, err));
    plan_columns(turn, &evolving);
    if (evolving.evolution.statements.count == 0) {
        return ERROR_NONE;
    }
    TRY(lake_execute(turn->runner->session.connection,
                     str_format(turn->arena, "DROP TABLE " STR_FORMAT, STR_ARGS(target)),
                     LAKE_NO_VALUES, NULL, err));
    return run_create_table(turn->runner, turn->step, err);
}

enum error_code turn_prepare_table(struct turn *turn, struct error *err) {
    struct runner *runner = turn->runner;
    struct plan_step *step = turn->step;
    if (!turn->is_evaluated) {
        TRY(turn_describe(turn, err));
    }
    turn_step_done(turn, "bind");
    if (step->created) {
        turn->write.table_is_empty = true;
        return turn->schema_moved ? make_again(turn, err) : ERROR_NONE;
    }
    if (!step->table_exists) {
        TRY(run_create_table(runner, step, err));
        turn->write.table_is_empty = true;
        turn->altered = true;
        return ERROR_NONE;
    }
    struct str_list conversions = {0};
    TRY(evolve(turn, &conversions, err));
    const bool edited = turn->result->run_type == RUN_BACKFILL || plan_is_redecorated(step);
    TRY(decorate_changed(runner, step, edited, &turn->storage, &turn->decorated, err));
    return execute_all(turn, &conversions, err);
}
