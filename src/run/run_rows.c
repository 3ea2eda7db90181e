// Which rows an incremental run reads: those that the changes of its sources can have touched, or
// all of them (models.md §6).
//
// append  The rule is the surplus: what the full query gives beyond what the table holds, copies
//         counted.  The table holds at least the rows of the full query at the last run.  While it
//         holds no more than these (it `is exact`), the surplus is the difference of the two
//         results, added rows less removed ones.  When it holds more (something was deleted
//         upstream), that is still so for rows of which the table has no copy; if it has one, the
//         full query is asked.
// merge   The keys whose rows may differ from those of the last run, and the query for these.
//
// Whatever goes wrong with a rewritten query, run_model then reads everything, and the run says so.
#include "base/context.h"
#include "base/text.h"
#include "lake/ast.h"
#include "lake/result.h"
#include "model/mask.h"
#include "run/delta.h"
#include "run/turn.h"
#include "write/columns.h"

#define ROWS_TABLE "__ondatra_rows"

static enum error_code execute(struct turn *turn, str sql, struct error *err) {
    return lake_execute(turn->runner->session.connection, sql, LAKE_NO_VALUES, NULL, err);
}

static void read_everything(struct turn *turn, const struct delta_choice *choice) {
    const struct model *model = turn->step->model;
    const enum model_kind kind = model->source.directives.kind;
    struct write *write = &turn->write;
    write->source = kind == MODEL_APPEND ? WRITE_SURPLUS : WRITE_ALL;
    turn->is_exact = false;
    if (choice->warns) {
        turn_warn(turn, "cdc.full_scan",
                  STR_FORMAT " is evaluated in full%s" STR_FORMAT ": " STR_FORMAT,
                  STR_ARGS(model->target), choice->source.size > 0 ? " after changes of " : "",
                  STR_ARGS(choice->source), STR_ARGS(choice->reason));
    }
}

static void use_body(struct turn *turn, enum write_source source, str body) {
    turn->write.source = source;
    turn->write.body = body;
    turn->write.body_is_own = false;
    turn->rewrites = true;
}

// ── Relations ──

// Keys of different types could be equal by one comparison and not by another.
static enum error_code keys_are_alike(struct turn *turn, const struct delta_relation *keys,
                                      bool *alike, struct error *err) {
    str type = {0};
    *alike = true;
    for (size_t i = 0; i < keys->terms.count && keys->terms.count > 1; i++) {
        struct lake_column *columns;
        size_t count;
        TRY(lake_describe(turn->runner->session.connection, turn->arena, keys->terms.items[i],
                          &columns, &count, err));
        *alike = *alike && (i == 0 || str_equal(type, columns[0].type));
        type = columns[0].type;
    }
    return ERROR_NONE;
}

static enum error_code make_relation(struct turn *turn, const struct delta_relation *relation,
                                     bool *alike, struct error *err) {
    TRY(keys_are_alike(turn, relation, alike, err));
    return *alike ? execute(turn, delta_relation_sql(turn->arena, relation), err) : ERROR_NONE;
}

// Makes all relations; *alike: the keys of each of them have one type.
static enum error_code prepare(struct turn *turn, const struct delta_choice *choice, bool *alike,
                               struct error *err) {
    turn->rewrites = true; // from here on an error may be of our making
    *alike = true;
    for (size_t i = 0; i < choice->prepare.count; i++) {
        TRY(execute(turn, choice->prepare.items[i], err));
    }
    for (size_t i = 0; i < choice->group_count && *alike; i++) {
        TRY(make_relation(turn, &choice->groups[i], alike, err));
    }
    return *alike && choice->shape == DELTA_KEYS ? make_relation(turn, &choice->keys, alike, err)
                                                 : ERROR_NONE;
}

static void refuse_types(struct turn *turn, struct delta_choice *choice) {
    choice->reason = STR("its key has different types");
    choice->warns = true;
    choice->shape = DELTA_REFUSED;
    read_everything(turn, choice);
}

// ── Merge ──

// A NULL among the keys stands for the rows without one: should the query give such rows, it is an
// error of the model, which must be seen.
static enum error_code use_keys(struct turn *turn, struct delta_choice *choice, struct error *err) {
    struct lake_connection *connection = turn->runner->session.connection;
    bool alike;
    int64_t nulls = 0;
    TRY(prepare(turn, choice, &alike, err));
    if (!alike) {
        refuse_types(turn, choice);
        return ERROR_NONE;
    }
    TRY(lake_query_int64(
        connection,
        STR("SELECT count(*) FROM temp." DELTA_KEYS_NAME " WHERE " DELTA_KEY_COLUMN " IS NULL"),
        LAKE_NO_VALUES, &nulls, NULL, err));
    str body = choice->body;
    if (nulls > 0) {
        TRY(lake_ast_write(connection, turn->arena, choice->tree_with_nulls, &body, err));
    }
    use_body(turn, WRITE_ALL, body);
    return ERROR_NONE;
}

// ── Append ──

static enum error_code count_rows(struct turn *turn, int64_t *count, struct error *err,
                                  const char *format, ...) PRINTF_LIKE(4, 5);
static enum error_code count_rows(struct turn *turn, int64_t *count, struct error *err,
                                  const char *format, ...) {
    struct text sql;
    text_init(&sql, turn->arena);
    text_add(&sql, STR("SELECT count(*) FROM ("));
    va_list args;
    va_start(args, format);
    text_format_list(&sql, format, args);
    va_end(args);
    text_add_char(&sql, ')');
    return lake_query_int64(turn->runner->session.connection, text_str(&sql), LAKE_NO_VALUES, count,
                            NULL, err);
}

// The rows to insert stand in ROWS_TABLE.  Whether they are the surplus is another question when
// the table holds more than the query gave: then a row that it has a copy of may not be one.
static enum error_code rows_are_surplus(struct turn *turn, const struct delta_choice *choice,
                                        str added, str removed, bool *surplus, struct error *err) {
    const struct plan_step *step = turn->step;
    int64_t count = 0;
    if (!step->commit.is_exact) {
        const str columns = columns_list(turn->arena, step->columns, step->column_count, STR(""));
        TRY(count_rows(turn, &count, err,
                       "SELECT " STR_FORMAT " FROM temp." ROWS_TABLE " INTERSECT SELECT " STR_FORMAT
                       " FROM " STR_FORMAT,
                       STR_ARGS(columns), STR_ARGS(columns),
                       STR_ARGS(model_table_name(turn->arena, step->model))));
        turn->is_exact = false;
        *surplus = count == 0;
        return ERROR_NONE;
    }
    if (choice->removed.count > 0) {
        TRY(count_rows(turn, &count, err, STR_FORMAT " EXCEPT ALL " STR_FORMAT, STR_ARGS(removed),
                       STR_ARGS(added)));
    }
    turn->is_exact = count == 0;
    *surplus = true;
    return ERROR_NONE;
}

// The rows of all queries as the table would hold them.
static str masked_rows(struct turn *turn, const struct str_list *queries) {
    const struct plan_step *step = turn->step;
    struct mask mask;
    mask_make(turn->arena, step->model, &mask);
    const str columns = columns_cast_list(turn->arena, step->columns, step->column_count);
    const str rows = delta_union(turn->arena, queries);
    return str_format(turn->arena,
                      "(SELECT " STR_FORMAT " FROM " STR_FORMAT "(\n" STR_FORMAT "\n)" STR_FORMAT
                      ")",
                      STR_ARGS(columns), STR_ARGS(mask.head), STR_ARGS(rows), STR_ARGS(mask.tail));
}

static enum error_code use_new_rows(struct turn *turn, struct delta_choice *choice,
                                    struct error *err) {
    struct arena *arena = turn->arena;
    bool alike;
    TRY(prepare(turn, choice, &alike, err));
    if (!alike) {
        refuse_types(turn, choice);
        return ERROR_NONE;
    }
    if (choice->streams) {
        use_body(turn, WRITE_NEW, choice->terms.items[0]);
        turn->is_exact = true;
        return ERROR_NONE;
    }
    const str added = masked_rows(turn, &choice->terms);
    const str removed = choice->removed.count == 0 ? (str){0} : masked_rows(turn, &choice->removed);
    const char *except = bug_is_planted("PB_EXCEPT") ? "EXCEPT" : "EXCEPT ALL";
    TRY(execute(turn,
                str_format(arena,
                           "CREATE OR REPLACE TEMP TABLE " ROWS_TABLE " AS " STR_FORMAT
                           " %s " STR_FORMAT,
                           STR_ARGS(added), removed.size > 0 ? except : "", STR_ARGS(removed)),
                err));
    bool surplus = false;
    TRY(rows_are_surplus(turn, choice, added, removed, &surplus, err));
    if (!surplus) {
        turn->write.source = WRITE_SURPLUS;
        turn->result->shape = STR("surplus of the full query");
        return ERROR_NONE;
    }
    use_body(turn, WRITE_NEW, STR("SELECT * FROM temp." ROWS_TABLE));
    turn->write.body_is_masked = true;
    return ERROR_NONE;
}

static enum error_code use_aggregate(struct turn *turn, const struct delta_choice *choice,
                                     struct error *err) {
    bool alike;
    turn->is_exact = false;
    TRY(prepare(turn, choice, &alike, err));
    size_t changed = 0;
    while (!choice->tables[changed].is_changed) {
        changed++;
    }
    int64_t count = 0;
    TRY(count_rows(turn, &count, err, "FROM temp." DELTA_ADDED_NAME, changed));
    const str none = str_format(turn->arena, "SELECT * FROM (" STR_FORMAT ") LIMIT 0",
                                STR_ARGS(choice->terms.items[0]));
    use_body(turn, WRITE_NEW, count > 0 ? choice->terms.items[0] : none);
    return ERROR_NONE;
}

// ── The whole ──

static enum error_code use_choice(struct turn *turn, struct delta_choice *choice,
                                  struct error *err) {
    const struct model *model = turn->step->model;
    if (choice->is_nothing) {
        use_body(turn, model->source.directives.kind == MODEL_APPEND ? WRITE_NEW : WRITE_ALL,
                 str_format(turn->arena, "SELECT * FROM (" STR_FORMAT "\n) LIMIT 0",
                            STR_ARGS(model->source.body)));
        turn->is_exact = turn->step->commit.is_exact;
        return ERROR_NONE;
    }
    switch (choice->shape) {
    case DELTA_REFUSED:
        read_everything(turn, choice);
        return ERROR_NONE;
    case DELTA_KEYS:
        return use_keys(turn, choice, err);
    case DELTA_NEW_ROWS:
        return use_new_rows(turn, choice, err);
    case DELTA_AGGREGATE:
        return use_aggregate(turn, choice, err);
    }
    return ERROR_NONE;
}

enum error_code turn_choose_rows(struct turn *turn, struct error *err) {
    const struct model *model = turn->step->model;
    const enum model_kind kind = model->source.directives.kind;
    if (kind != MODEL_APPEND && kind != MODEL_MERGE) {
        return ERROR_NONE;
    }
    if (kind == MODEL_APPEND && (model->lib_calls.count > 0 || model->inputs.count == 0)) {
        turn->write.source = WRITE_NEW; // nothing to compare with: every row is new
        return ERROR_NONE;
    }
    struct delta_choice choice = {.shape = DELTA_REFUSED};
    if (turn->rewrite_error.size > 0) {
        choice.reason = turn->rewrite_error;
        choice.warns = true;
    } else if (!turn->altered) {
        const struct delta_request request = {
            .connection = turn->runner->session.connection,
            .arena = turn->arena,
            .step = turn->step,
            .views = turn->runner->models->views,
            .read_snapshot = turn->read_snapshot,
        };
        TRY(delta_choose(&request, &choice, err));
    }
    turn->result->shape = delta_shape_name(&choice, kind);
    const enum error_code code = use_choice(turn, &choice, err);
    if (choice.shape == DELTA_REFUSED && !choice.is_nothing) {
        turn->result->shape = delta_shape_name(&choice, kind);
    }
    return code;
}
