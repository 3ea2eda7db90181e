#include "inspect/history.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/map.h"
#include "base/text.h"
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
                                   str target, int64_t limit, struct history *history,
                                   struct error *err) {
    SCRATCH(scratch);
    struct lake_snapshot *snapshots = NULL;
    size_t count = 0;
    TRY(lake_snapshot_list(connection, &scratch, target, limit, &snapshots, &count, err));
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

static enum error_code add_log(struct state *state, struct arena *arena, str target, int64_t limit,
                               struct history *history, struct error *err) {
    SCRATCH(scratch);
    struct state_run_list entries;
    TRY(state_run_history(state, &scratch, target, limit, &entries, err));
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
    for (size_t i = 0; i < entries.count; i++) {
        struct history_run run = logged_run(arena, &entries.items[i]);
        const size_t *commit = map_get(&by_run, run_key(&scratch, run.run_id, run.model));
        if (commit == NULL) {
            LIST_PUSH(arena, history, run);
        } else {
            merge_commit(&run, &history->items[*commit]);
            history->items[*commit] = run;
        }
    }
    return ERROR_NONE;
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
    *history = (struct history){0};
    // Twice as many of each, so that a run is found in both lists although they end differently.
    const int64_t most = limit > 0 && limit < INT64_MAX / 2 ? 2 * limit : 0;
    TRY(add_commits(connection, arena, target, most, history, err));
    TRY(add_log(state, arena, target, most, history, err));
    if (history->count > 0) {
        qsort(history->items, history->count, sizeof(history->items[0]), compare_newest_first);
    }
    if (limit > 0 && history->count > (size_t)limit) {
        history->count = (size_t)limit;
    }
    return ERROR_NONE;
}

struct history_totals history_total(const struct history *history) {
    struct history_totals totals = {0};
    int64_t duration_ms = 0;
    int64_t timed = 0;
    for (size_t i = 0; i < history->count; i++) {
        const struct history_run *run = &history->items[i];
        if (run->blocked.size > 0) {
            continue;
        }
        totals.runs++;
        totals.rows += run->rows;
        totals.succeeded += str_equal(run->status, STR("error")) ? 0 : 1;
        if (!str_equal(run->status, STR("skip"))) {
            duration_ms += run->duration_ms;
            timed++;
        }
        totals.first_us = run->started_us; // they come newest first
        totals.last_us = totals.last_us == 0 ? run->started_us : totals.last_us;
    }
    totals.duration_ms_average = timed > 0 ? duration_ms / timed : 0;
    return totals;
}
