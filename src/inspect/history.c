#include "inspect/history.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/map.h"
#include "base/text.h"
#include "lake/attach.h"
#include "lake/result.h"
#include "lake/snapshot.h"

#include <yyjson.h>
#include <stdlib.h>

// ── Commits ──

static void document_cleanup(yyjson_doc **document) {
    yyjson_doc_free(*document);
}

static str member(struct arena *arena, yyjson_val *object, const char *key) {
    yyjson_val *value = yyjson_obj_get(object, key);
    const char *text = yyjson_get_str(value);
    return text == NULL ? (str){0} : str_copy(arena, (str){text, yyjson_get_len(value)});
}

static void read_steps(struct arena *arena, yyjson_val *array, struct history_step_list *steps) {
    size_t i, max;
    yyjson_val *item;
    yyjson_arr_foreach(array, i, max, item) {
        const struct history_step step = {
            .name = member(arena, item, "name"),
            .duration_ms = yyjson_get_sint(yyjson_obj_get(item, "duration_ms")),
            .status = member(arena, item, "status"),
        };
        LIST_PUSH(arena, steps, step);
    }
}

// false for a snapshot that is no model's commit.
static bool read_commit(struct arena *arena, const struct lake_snapshot *snapshot,
                        struct history_run *run) {
    const str text = snapshot->extra_info;
    yyjson_doc *document CLEANUP(document_cleanup) =
        yyjson_read(text.data == NULL ? "" : text.data, text.size, YYJSON_READ_NOFLAG);
    yyjson_val *root = yyjson_doc_get_root(document);
    if (!yyjson_is_obj(root) || !yyjson_is_str(yyjson_obj_get(root, "model"))) {
        return false;
    }
    *run = (struct history_run){
        .snapshot = snapshot->id,
        .started_us = snapshot->time_us,
        .model = member(arena, root, "model"),
        .kind = member(arena, root, "kind"),
        .run_type = member(arena, root, "run_type"),
        .reason = member(arena, root, "run_reason"),
        .status = STR("ok"),
        .rows = yyjson_get_sint(yyjson_obj_get(root, "rows_affected")),
        .duration_ms = yyjson_get_sint(yyjson_obj_get(root, "duration_ms")),
        .run_id = member(arena, root, "dag_run_id"),
        .duckdb_version = member(arena, root, "duckdb_version"),
        .git_commit = member(arena, root, "git_commit"),
        .source_file = member(arena, root, "source_file"),
    };
    int64_t started_us = 0;
    if (time_parse(member(arena, root, "start_time"), &started_us)) {
        run->started_us = started_us;
    }
    read_steps(arena, yyjson_obj_get(root, "steps"), &run->steps);
    return true;
}

static str run_key(struct arena *arena, str run_id, str model) {
    return str_format(arena, STR_FORMAT " " STR_FORMAT, STR_ARGS(run_id), STR_ARGS(model));
}

static enum error_code add_commits(struct lake_connection *connection, struct arena *arena,
                                   str target, int64_t since_us, int64_t limit,
                                   struct history *history, struct error *err) {
    SCRATCH(scratch);
    struct lake_snapshot *snapshots = NULL;
    size_t count = 0;
    TRY(lake_snapshot_list(connection, &scratch, target, since_us, limit, &snapshots, &count, err));
    for (size_t i = 0; i < count; i++) {
        struct history_run run;
        if (read_commit(arena, &snapshots[i], &run)) {
            LIST_PUSH(arena, history, run);
        }
    }
    return ERROR_NONE;
}

// ── Run log ──

static struct history_run logged_run(struct arena *arena, const struct state_run *entry) {
    const bool is_failed = str_equal(entry->status, STR("failed"));
    const bool is_blocked = str_equal(entry->status, STR("blocked"));
    return (struct history_run){
        .snapshot = entry->snapshot,
        .started_us = entry->started_us,
        .model = str_copy(arena, entry->target),
        .kind = str_copy(arena, entry->kind),
        .run_type = str_copy(arena, entry->run_type),
        .reason = str_copy(arena, entry->reason),
        .status = is_failed    ? STR("error")
                  : is_blocked ? STR("skip")
                               : str_copy(arena, entry->status),
        .blocked = is_blocked ? str_copy(arena, entry->message) : (str){0},
        .message = is_failed ? str_copy(arena, entry->message) : (str){0},
        .rows = entry->rows,
        .duration_ms = (entry->ended_us - entry->started_us) / 1000,
        .run_id = str_copy(arena, entry->run_id),
    };
}

// The log's entry is the whole run, delivery included, and its commit a part of it: the log's
// figures stay, with what only the commit knows.
static void merge_commit(struct history_run *run, const struct history_run *commit) {
    run->snapshot = commit->snapshot;
    run->steps = commit->steps;
    run->duckdb_version = commit->duckdb_version;
    run->git_commit = commit->git_commit;
    run->source_file = commit->source_file;
}

static void add_log(struct arena *arena, const struct state_run_list *entries,
                    struct history *history) {
    SCRATCH(scratch);
    struct map by_run;
    map_init_nocase(&by_run, &scratch);
    const size_t commit_count = history->count;
    for (size_t i = 0; i < commit_count; i++) {
        const struct history_run *run = &history->items[i];
        size_t *index = ARENA_NEW(&scratch, size_t);
        *index = i;
        if (run->run_id.size > 0) {
            (void)map_set(&by_run, run_key(&scratch, run->run_id, run->model), index);
        }
    }
    for (size_t i = 0; i < entries->count; i++) {
        struct history_run run = logged_run(arena, &entries->items[i]);
        const size_t *commit = map_get(&by_run, run_key(&scratch, run.run_id, run.model));
        if (commit == NULL) {
            LIST_PUSH(arena, history, run);
        } else {
            merge_commit(&run, &history->items[*commit]);
            history->items[*commit] = run;
        }
    }
}

// ── Both ──

static int compare_newest_first(const void *a, const void *b) {
    const struct history_run *left = a;
    const struct history_run *right = b;
    if (left->started_us != right->started_us) {
        return left->started_us < right->started_us ? 1 : -1;
    }
    if (left->snapshot != right->snapshot) {
        return left->snapshot < right->snapshot ? 1 : -1;
    }
    return str_compare(left->model, right->model);
}

enum error_code history_read(struct lake_connection *connection, struct state *state,
                             struct arena *arena, str target, int64_t limit,
                             struct history *history, struct error *err) {
    SCRATCH(scratch);
    *history = (struct history){0};
    // Twice as many of each, so that a run is found in both lists although they end differently.
    const int64_t most = limit > 0 && limit < INT64_MAX / 2 ? 2 * limit : 0;
    struct state_run_list entries;
    TRY(state_run_history(state, &scratch, target, most, &entries, err));
    const bool is_full = most > 0 && entries.count == (size_t)most;
    const int64_t since_us = is_full ? entries.items[entries.count - 1].started_us : 0;
    TRY(add_commits(connection, arena, target, since_us, most, history, err));
    add_log(arena, &entries, history);
    if (history->count > 0) {
        qsort(history->items, history->count, sizeof(history->items[0]), compare_newest_first);
    }
    if (limit > 0 && history->count > (size_t)limit) {
        history->count = (size_t)limit;
    }
    return ERROR_NONE;
}

enum error_code history_last_run(struct state *state, struct arena *arena, str target, bool *found,
                                 struct history_run *run, struct error *err) {
    struct state_run entry;
    TRY(state_run_last(state, arena, target, &entry, err));
    *found = entry.id > 0;
    *run = *found ? logged_run(arena, &entry) : (struct history_run){0};
    return ERROR_NONE;
}

bool history_commit_run(struct arena *arena, int64_t snapshot, str extra_info,
                        struct history_run *run) {
    const struct lake_snapshot commit = {.id = snapshot, .extra_info = extra_info};
    return read_commit(arena, &commit, run);
}

// The log knows the snapshot, unless the commit is older than the log.
enum error_code history_last_commit(struct lake_connection *connection, struct state *state,
                                    struct arena *arena, str target, bool *found,
                                    struct history_run *run, str *extra_info, struct error *err) {
    struct state_run entry;
    struct lake_snapshot snapshot;
    *found = false;
    TRY(state_run_last_commit(state, arena, target, &entry, err));
    if (entry.id > 0) {
        TRY(lake_snapshot_find(connection, arena, entry.snapshot, &snapshot, found, err));
        *extra_info = *found ? snapshot.extra_info : (str){0};
        *found = *found && read_commit(arena, &snapshot, run) &&
                 str_equal_nocase(run->model, target); // another lake has the same numbers
    }
    if (*found) {
        return ERROR_NONE;
    }
    struct str_list targets = {0};
    struct lake_model_commit *commits = NULL;
    size_t count = 0;
    str_list_push(arena, &targets, target);
    TRY(lake_model_commits(connection, arena, &targets, &commits, &count, err));
    *found =
        count > 0 && history_commit_run(arena, commits[0].snapshot, commits[0].extra_info, run);
    *extra_info = *found ? commits[0].extra_info : (str){0};
    return ERROR_NONE;
}

// ── Totals ──

struct sums {
    struct history_totals totals;
    int64_t timed;
    int64_t timed_us;
};

static void add_to(struct sums *sums, const struct state_run_total *total) {
    struct history_totals *totals = &sums->totals;
    totals->runs += total->runs;
    totals->rows += total->rows;
    totals->succeeded += total->succeeded;
    sums->timed += total->timed;
    sums->timed_us += total->timed_us;
    if (total->first_us > 0 && (totals->first_us == 0 || total->first_us < totals->first_us)) {
        totals->first_us = total->first_us;
    }
    totals->last_us = total->last_us > totals->last_us ? total->last_us : totals->last_us;
}

// What the lake's commits come to that are older than the log of their model: a log that was lost,
// or a lake that another program wrote.
static enum error_code read_older(struct lake_connection *connection, struct arena *arena,
                                  str target, const struct state_run_total_list *logged,
                                  struct state_run_total *older, struct error *err) {
    str *models = ARENA_ARRAY(arena, str, logged->count);
    int64_t *firsts = ARENA_ARRAY(arena, int64_t, logged->count);
    for (size_t i = 0; i < logged->count; i++) {
        models[i] = logged->items[i].target;
        firsts[i] = logged->items[i].first_us > 0 ? logged->items[i].first_us : INT64_MAX;
    }
    const int64_t before_us = target.size > 0 && logged->count > 0 ? firsts[0] : INT64_MAX;
    const str sql = str_replace_all(
        arena,
        STR("WITH logged AS (SELECT lower(unnest(?1)) AS model, unnest(?2) AS first_us), "
            "snapshots AS (SELECT commit_extra_info AS info, "
            "epoch_us(snapshot_time::TIMESTAMPTZ) AS at_us FROM {m}.ducklake_snapshot_changes "
            "JOIN {m}.ducklake_snapshot USING (snapshot_id) "
            "WHERE commit_extra_info IS NOT NULL AND at_us < ?3), "
            "commits AS (SELECT *, lower(TRY(json_extract_string(info, '$.model'))) AS model "
            "FROM snapshots WHERE model IS NOT NULL AND (?4 = '' OR model = lower(?4))), "
            "older AS (SELECT info, coalesce(epoch_us(TRY_CAST(json_extract_string(info, "
            "'$.start_time') AS TIMESTAMPTZ)), at_us) AS at_us "
            "FROM commits LEFT JOIN logged USING (model) "
            "WHERE first_us IS NULL OR commits.at_us < first_us) "
            "SELECT count(*), "
            "coalesce(sum(TRY_CAST(json_extract_string(info, '$.rows_affected') AS BIGINT)), 0)"
            "::BIGINT, "
            "coalesce(sum(TRY_CAST(json_extract_string(info, '$.duration_ms') AS BIGINT)), 0)"
            "::BIGINT, coalesce(min(at_us), 0), coalesce(max(at_us), 0) FROM older"),
        STR("{m}"), lake_metadata_prefix(lake_of(connection)));
    LAKE_RESULT result = NULL;
    TRY(lake_query(connection, sql,
                   LAKE_VALUES(lake_value_texts(models, logged->count),
                               lake_value_int64s(firsts, logged->count),
                               lake_value_int64(before_us), lake_value_text(target)),
                   &result, err));
    if (lake_result_next(result)) {
        const int64_t count = lake_result_int64(result, 0);
        *older = (struct state_run_total){
            .runs = count,
            .rows = lake_result_int64(result, 1),
            .succeeded = count,
            .timed = count,
            .timed_us = lake_result_int64(result, 2) * 1000,
            .first_us = lake_result_int64(result, 3),
            .last_us = lake_result_int64(result, 4),
        };
    }
    return ERROR_NONE;
}

enum error_code history_totals_read(struct lake_connection *connection, struct state *state,
                                    struct arena *arena, str target, struct history_totals *totals,
                                    struct error *err) {
    struct state_run_total_list logged;
    struct state_run_total older = {0};
    struct sums sums = {0};
    TRY(state_run_totals(state, arena, target, &logged, err));
    TRY(read_older(connection, arena, target, &logged, &older, err));
    for (size_t i = 0; i < logged.count; i++) {
        add_to(&sums, &logged.items[i]);
    }
    add_to(&sums, &older);
    *totals = sums.totals;
    totals->duration_ms_average = sums.timed > 0 ? sums.timed_us / sums.timed / 1000 : 0;
    return ERROR_NONE;
}
