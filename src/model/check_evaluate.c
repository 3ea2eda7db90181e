// Evaluating checks: one statement a stage, one branch of a UNION ALL a check.
//
//     SELECT 0, m FROM (SELECT m::VARCHAR AS m FROM memory.ondatra_constraint_unique('t', 'id') …)
//
// A branch that cannot be bound breaks the whole statement, so then each is bound alone to find
// those that cannot.  An error while the statement runs ends DuckDB's transaction: which check it
// was can only be told by evaluating them one by one, in a transaction that is alive (the caller's
// business).
#include "base/json.h"
#include "base/text.h"
#include "lake/lake.h"
#include "lake/result.h"
#include "model/check.h"
#include "model/model.h"

#include <yyjson.h>
#include <assert.h>

// ── What macros see ──

static enum error_code set_key(struct lake_connection *connection, const struct str_list *key,
                               struct error *err) {
    SCRATCH(scratch);
    struct str_list quoted = {0};
    for (size_t i = 0; i < key->count; i++) {
        str_list_push(&scratch, &quoted, lake_quote_name(&scratch, key->items[i]));
    }
    const str label = str_list_join(&scratch, key, STR(", "));
    str sql = str_list_join(&scratch, &quoted, STR(", "));
    if (key->count > 1) {
        sql = str_format(&scratch, "(" STR_FORMAT ")", STR_ARGS(sql));
    }
    const bool is_set = key->count > 0;
    TRY(lake_set_variable(connection, STR("ondatra_check_key"),
                          is_set ? lake_value_text(label) : lake_value_null(), err));
    return lake_set_variable(connection, STR("ondatra_check_key_sql"),
                             is_set ? lake_value_text(sql) : lake_value_null(), err);
}

enum error_code checks_enter(struct lake_connection *connection, const struct model *model,
                             const struct str_list *columns, struct error *err) {
    SCRATCH(scratch);
    const struct directives *directives = &model->source.directives;
    struct str_list key = {0};
    for (size_t i = 0; i < directives->group_columns.count; i++) {
        str_list_push(&scratch, &key, directives->group_columns.items[i]);
    }
    const bool is_keyed = directives->kind == MODEL_MERGE || directives->kind == MODEL_SCD2;
    if (is_keyed && directives->unique_key.value.size > 0) {
        str_list_push(&scratch, &key, directives->unique_key.value);
    }
    TRY(set_key(connection, &key, err));
    return lake_set_variable(connection, STR("ondatra_check_columns"),
                             lake_value_texts(columns->items, columns->count), err);
}

// ── One statement ──

static void add_branch(struct text *sql, size_t index, const struct check *check, str table) {
    const str call =
        check_call_sql(sql->arena, &check->call, check_stage_prefix(check->stage), table);
    text_format(sql,
                "%s(SELECT %zu AS i, m FROM (SELECT m::VARCHAR AS m FROM " STR_FORMAT
                " AS c(m)) WHERE m IS NOT NULL LIMIT %d)",
                sql->size > 0 ? " UNION ALL " : "", index, STR_ARGS(call), CHECK_MESSAGES_MAX + 1);
}

static void take_message(struct arena *arena, struct check_result *result, str message) {
    result->outcome = CHECK_FAILED;
    if (result->messages.count < CHECK_MESSAGES_MAX) {
        str_list_push(arena, &result->messages, str_copy(arena, message));
    } else {
        result->messages.items[CHECK_MESSAGES_MAX - 1] = STR("… and more");
    }
}

// Those of `results` that are still pending.
static enum error_code evaluate_pending(struct lake_connection *connection, struct arena *arena,
                                        str table, struct check_result *results, size_t count,
                                        struct error *err) {
    struct text sql;
    text_init(&sql, arena);
    for (size_t i = 0; i < count; i++) {
        if (results[i].outcome == CHECK_PENDING) {
            add_branch(&sql, i, results[i].check, table);
        }
    }
    if (sql.size == 0) {
        return ERROR_NONE;
    }
    text_add(&sql, STR(" ORDER BY ALL"));
    LAKE_RESULT result = NULL;
    TRY(lake_query(connection, text_str(&sql), LAKE_NO_VALUES, &result, err));
    for (size_t i = 0; i < count; i++) {
        results[i].outcome =
            results[i].outcome == CHECK_PENDING ? CHECK_PASSED : results[i].outcome;
    }
    while (lake_result_next(result)) {
        take_message(arena, &results[lake_result_int64(result, 0)], lake_result_text(result, 1));
    }
    return ERROR_NONE;
}

// ── Checks that cannot be evaluated ──

static void invalidate(struct arena *arena, struct check_result *result, const struct error *err) {
    result->outcome = CHECK_INVALID;
    str_list_push(arena, &result->messages, str_copy(arena, str_from(err->message)));
    result->hint = str_copy(arena, str_from(err->hint));
}

// Everything is refused in a transaction that a run-time error has ended.
static bool transaction_is_over(const struct error *err) {
    return str_find(str_from(err->message), STR("transaction is aborted")) != SIZE_MAX;
}

// Binds each pending check alone; *found: at least one cannot be bound.
static void find_unbound(struct lake_connection *connection, struct arena *arena, str table,
                         struct check_result *results, size_t count, bool *found) {
    *found = false;
    for (size_t i = 0; i < count; i++) {
        struct text sql;
        struct error err;
        struct lake_column *columns;
        size_t column_count;
        text_init(&sql, arena);
        add_branch(&sql, 0, results[i].check, table);
        if (results[i].outcome == CHECK_PENDING &&
            lake_describe(connection, arena, text_str(&sql), &columns, &column_count, &err) !=
                ERROR_NONE) {
            if (transaction_is_over(&err)) {
                return;
            }
            invalidate(arena, &results[i], &err);
            *found = true;
        }
    }
}

static size_t pending_count(const struct check_result *results, size_t count) {
    size_t pending = 0;
    for (size_t i = 0; i < count; i++) {
        pending += results[i].outcome == CHECK_PENDING ? 1 : 0;
    }
    return pending;
}

static struct check_result *first_pending(struct check_result *results, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (results[i].outcome == CHECK_PENDING) {
            return &results[i];
        }
    }
    return NULL;
}

enum error_code checks_evaluate(struct lake_connection *connection, struct arena *arena,
                                const struct check *const *checks, size_t count, str table,
                                struct check_result_list *list, struct error *err) {
    struct check_result *results = ARENA_ARRAY(arena, struct check_result, count);
    for (size_t i = 0; i < count; i++) {
        results[i] = (struct check_result){.check = checks[i], .outcome = CHECK_PENDING};
    }
    enum error_code code = evaluate_pending(connection, arena, table, results, count, err);
    bool found = false;
    if (code != ERROR_NONE && code != ERROR_CANCELLED) {
        find_unbound(connection, arena, table, results, count, &found);
        code = found ? evaluate_pending(connection, arena, table, results, count, err) : code;
    }
    if (code != ERROR_NONE && code != ERROR_CANCELLED && !transaction_is_over(err) &&
        pending_count(results, count) == 1) {
        invalidate(arena, first_pending(results, count), err);
        code = ERROR_NONE;
    }
    for (size_t i = 0; i < count && code == ERROR_NONE; i++) {
        LIST_PUSH(arena, list, results[i]);
    }
    return code;
}

struct check_result check_result_broken(struct arena *arena, const struct check *check) {
    assert(check->is_broken);
    struct check_result result = {.check = check, .outcome = CHECK_INVALID};
    str_list_push(arena, &result.messages, check->mistake);
    return result;
}

void check_result_errors(const struct model *model, const struct check_result *result,
                         struct error_list *errors) {
    const struct check *check = result->check;
    const str stage = check_stage_name(check->stage);
    const bool is_invalid = result->outcome == CHECK_INVALID;
    for (size_t i = 0; i < result->messages.count; i++) {
        struct error err;
        error_set(&err, ERROR_INVALID, "@" STR_FORMAT ": " STR_FORMAT " %s: " STR_FORMAT,
                  STR_ARGS(stage), STR_ARGS(check->at->value),
                  is_invalid ? "cannot be evaluated" : "failed",
                  STR_ARGS(result->messages.items[i]));
        if (result->hint.size > 0) {
            error_hint(&err, STR_FORMAT, STR_ARGS(result->hint));
        }
        error_at(&err, model->file, check->at->line, check->at->column);
        error_source(&err, model->text);
        error_list_add(errors, &err);
    }
}

// ── Records ──

static str outcome_name(enum check_outcome outcome) {
    static const str NAMES[] = {
        [CHECK_PASSED] = STR_INIT("pass"),
        [CHECK_FAILED] = STR_INIT("fail"),
        [CHECK_INVALID] = STR_INIT("error"),
        [CHECK_PENDING] = STR_INIT("pending"),
    };
    return NAMES[outcome];
}

str check_results_json(struct arena *arena, const struct check_result_list *results) {
    struct text text;
    struct json json;
    text_init(&text, arena);
    json_init(&json, &text);
    json_array(&json);
    for (size_t i = 0; i < results->count; i++) {
        const struct check_result *result = &results->items[i];
        json_object(&json);
        json_key_string(&json, STR("stage"), check_stage_name(result->check->stage));
        json_key_string(&json, STR("name"), result->check->at->value);
        json_key_int(&json, STR("line"), result->check->at->line);
        json_key_string(&json, STR("outcome"), outcome_name(result->outcome));
        if (result->messages.count > 0) {
            json_key_string(&json, STR("message"),
                            str_list_join(arena, &result->messages, STR("; ")));
        }
        json_end(&json);
    }
    json_end(&json);
    return text_str(&text);
}

static str member_text(struct arena *arena, yyjson_val *object, const char *key) {
    yyjson_val *value = yyjson_obj_get(object, key);
    const char *text = yyjson_get_str(value);
    return text == NULL ? (str){0} : str_copy(arena, (str){text, yyjson_get_len(value)});
}

void check_records_read(struct arena *arena, str json, struct check_record_list *records) {
    yyjson_doc *document =
        yyjson_read(json.data == NULL ? "" : json.data, json.size, YYJSON_READ_NOFLAG);
    yyjson_val *array = yyjson_obj_get(yyjson_doc_get_root(document), "checks");
    size_t i, max;
    yyjson_val *item;
    yyjson_arr_foreach(array, i, max, item) {
        const struct check_record record = {
            .stage = member_text(arena, item, "stage"),
            .name = member_text(arena, item, "name"),
            .outcome = member_text(arena, item, "outcome"),
            .message = member_text(arena, item, "message"),
            .line = yyjson_get_sint(yyjson_obj_get(item, "line")),
        };
        LIST_PUSH(arena, records, record);
    }
    yyjson_doc_free(document);
}
