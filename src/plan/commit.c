#include "plan/commit.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

#include <yyjson.h>

// ── Reading ──

static str member_text(struct arena *arena, yyjson_val *object, const char *key) {
    yyjson_val *value = yyjson_obj_get(object, key);
    const char *text = yyjson_get_str(value);
    return text == NULL ? (str){0} : str_copy(arena, (str){text, yyjson_get_len(value)});
}

static void read_inputs(struct arena *arena, yyjson_val *array, struct commit *commit) {
    size_t i, max;
    yyjson_val *item;
    yyjson_arr_foreach(array, i, max, item) {
        const struct file_input input = {
            .path = member_text(arena, item, "path"),
            .size = yyjson_get_sint(yyjson_obj_get(item, "size")),
            .mtime = yyjson_get_sint(yyjson_obj_get(item, "mtime")),
        };
        LIST_PUSH(arena, &commit->inputs, input);
    }
}

static void read_texts(struct arena *arena, yyjson_val *array, struct str_list *list) {
    size_t i, max;
    yyjson_val *item;
    yyjson_arr_foreach(array, i, max, item) {
        if (yyjson_is_str(item)) {
            str_list_push(arena, list,
                          str_copy(arena, (str){yyjson_get_str(item), yyjson_get_len(item)}));
        }
    }
}

static void read_keys(struct commit *commit) {
    const str unique_key = STR("unique_key=");
    const str group_key = STR("group_key=");
    for (size_t i = 0; i < commit->directives.count; i++) {
        const str part = commit->directives.items[i];
        if (str_starts_with(part, unique_key)) {
            commit->unique_key = str_from_offset(part, unique_key.size);
        } else if (str_starts_with(part, group_key)) {
            commit->group_key = str_from_offset(part, group_key.size);
        }
    }
}

// A commit with a failed constraint or audit does not exist; a warning that failed has been told,
// but one of which validation said that it cannot be evaluated was never put to the test.
static void read_checks(struct arena *arena, yyjson_val *array, struct commit *commit) {
    size_t i, max;
    yyjson_val *item;
    yyjson_arr_foreach(array, i, max, item) {
        const str stage = member_text(arena, item, "stage");
        const str name = member_text(arena, item, "name");
        if (str_equal(member_text(arena, item, "outcome"), STR("error"))) {
            continue;
        }
        str_list_push(
            arena, &commit->checks,
            str_format(arena, STR_FORMAT ": " STR_FORMAT, STR_ARGS(stage), STR_ARGS(name)));
    }
    commit->checks_committed = commit->checks.count;
}

static void document_cleanup(yyjson_doc **document) {
    yyjson_doc_free(*document);
}

static void read_growths(struct arena *arena, yyjson_val *array, struct commit *commit) {
    yyjson_arr_iter items;
    yyjson_val *item;
    yyjson_arr_iter_init(array, &items);
    while ((item = yyjson_arr_iter_next(&items)) != NULL) {
        yyjson_val *snapshot = yyjson_obj_get(item, "snapshot");
        struct growth growth = {.snapshot = yyjson_is_int(snapshot) ? yyjson_get_sint(snapshot)
                                                                    : commit->snapshot};
        read_texts(arena, yyjson_obj_get(item, "known"), &growth.known);
        LIST_PUSH(arena, &commit->growths, growth);
    }
}

bool commit_read(struct arena *arena, int64_t snapshot, str extra_info, str *target,
                 struct commit *commit) {
    yyjson_doc *document CLEANUP(document_cleanup) = yyjson_read(
        extra_info.data == NULL ? "" : extra_info.data, extra_info.size, YYJSON_READ_NOFLAG);
    yyjson_val *root = yyjson_doc_get_root(document);
    if (!yyjson_is_obj(root)) {
        return false;
    }
    *target = member_text(arena, root, "model");
    yyjson_val *read_snapshot = yyjson_obj_get(root, "read_snapshot");
    yyjson_val *definition = yyjson_obj_get(root, "definition");
    *commit = (struct commit){
        .snapshot = snapshot,
        .read_snapshot = yyjson_is_int(read_snapshot) ? yyjson_get_sint(read_snapshot) : snapshot,
        .kind = member_text(arena, root, "kind"),
        .coypu_hash = member_text(arena, root, "coypu_hash"),
        .text_hash = member_text(arena, root, "text_hash"),
        .sql_hash = member_text(arena, root, "sql_hash"),
        .duckdb_version = member_text(arena, root, "duckdb_version"),
        .start_time = member_text(arena, root, "start_time"),
        .decoration = member_text(arena, root, "decoration_hash"),
        .is_exact = yyjson_get_bool(yyjson_obj_get(root, "exact")),
        .has_depends = yyjson_is_arr(yyjson_obj_get(root, "depends")),
        .has_definition = yyjson_is_obj(definition),
        .body_hash = member_text(arena, definition, "sql"),
        .extra_info = extra_info,
        .hash_version = member_text(arena, root, "hash_version"),
    };
    if (commit->hash_version.size == 0) {
        commit->hash_version = commit->duckdb_version;
    }
    read_inputs(arena, yyjson_obj_get(root, "inputs"), commit);
    read_growths(arena, yyjson_obj_get(root, "grown"), commit);
    read_texts(arena, yyjson_obj_get(root, "views"), &commit->views);
    read_texts(arena, yyjson_obj_get(definition, "directives"), &commit->directives);
    read_texts(arena, yyjson_obj_get(definition, "uses"), &commit->uses);
    read_keys(commit);
    read_checks(arena, yyjson_obj_get(root, "checks"), commit);
    return true;
}

static void take_checks(struct commit *commit, struct arena *arena, yyjson_val *array) {
    struct str_list met = {0};
    read_texts(arena, array, &met);
    for (size_t i = 0; i < met.count; i++) {
        if (!str_list_has(&commit->checks, met.items[i])) {
            str_list_push(arena, &commit->checks, met.items[i]);
        }
    }
}

void commit_progress_take(struct arena *arena, struct commit *commit, str metadata) {
    yyjson_doc *document CLEANUP(document_cleanup) =
        yyjson_read(metadata.data == NULL ? "" : metadata.data, metadata.size, YYJSON_READ_NOFLAG);
    yyjson_val *root = yyjson_doc_get_root(document);
    yyjson_val *snapshot = yyjson_obj_get(root, "commit");
    const int64_t read_snapshot = yyjson_get_sint(yyjson_obj_get(root, "read_snapshot"));
    if (!yyjson_is_int(snapshot) || yyjson_get_sint(snapshot) != commit->snapshot) {
        return;
    }
    take_checks(commit, arena, yyjson_obj_get(root, "checks_met"));
    if (read_snapshot <= commit->read_snapshot) {
        return;
    }
    commit->read_snapshot = read_snapshot;
    commit->is_exact = yyjson_get_bool(yyjson_obj_get(root, "exact"));
    if (yyjson_is_arr(yyjson_obj_get(root, "inputs"))) {
        commit->inputs = (struct file_input_list){0};
        commit->views = (struct str_list){0};
        read_inputs(arena, yyjson_obj_get(root, "inputs"), commit);
        read_texts(arena, yyjson_obj_get(root, "views"), &commit->views);
    }
}

int64_t commit_progress_snapshot(str metadata) {
    yyjson_doc *document CLEANUP(document_cleanup) =
        yyjson_read(metadata.data == NULL ? "" : metadata.data, metadata.size, YYJSON_READ_NOFLAG);
    return yyjson_get_sint(yyjson_obj_get(yyjson_doc_get_root(document), "commit"));
}

// ── Writing ──

str schema_hash(struct arena *arena, const struct lake_column *columns, size_t count) {
    struct str_list parts = {0};
    for (size_t i = 0; i < count; i++) {
        str_list_push(arena, &parts,
                      str_format(arena, STR_FORMAT ":" STR_FORMAT, STR_ARGS(columns[i].name),
                                 STR_ARGS(columns[i].type)));
    }
    str_list_sort(&parts);
    return str_slice(sha256_hex(arena, str_list_join(arena, &parts, STR(","))), 0, 32);
}

static void write_columns(struct json *json, const struct commit_input *input) {
    json_key(json, STR("columns"));
    json_array(json);
    for (size_t i = 0; i < input->column_count; i++) {
        json_object(json);
        json_key_string(json, STR("name"), input->columns[i].name);
        json_key_string(json, STR("type"), input->columns[i].type);
        json_end(json);
    }
    json_end(json);
}

// The views on the way to the inputs, as they are defined now.
static void write_views(struct json *json, const struct model *model) {
    if (model->views.count == 0) {
        return;
    }
    json_key_strings(json, STR("views"), &model->views);
}

static void write_inputs(struct json *json, const struct file_input_list *inputs) {
    json_key(json, STR("inputs"));
    json_array(json);
    for (size_t i = 0; i < inputs->count; i++) {
        json_object(json);
        json_key_string(json, STR("path"), inputs->items[i].path);
        json_key_int(json, STR("size"), inputs->items[i].size);
        json_key_int(json, STR("mtime"), inputs->items[i].mtime);
        json_end(json);
    }
    json_end(json);
}

static void write_texts(struct json *json, const char *key, const struct str_list *texts) {
    json_key(json, str_from(key));
    json_array(json);
    for (size_t i = 0; i < texts->count; i++) {
        json_string(json, texts->items[i]);
    }
    json_end(json);
}

str commit_progress_write(struct arena *arena, const struct commit_progress *progress) {
    struct text text;
    struct json json;
    text_init(&text, arena);
    json_init(&json, &text);
    json_object(&json);
    if (progress->commit != NULL) {
        json_key_int(&json, STR("commit"), progress->commit->snapshot);
        json_key_int(&json, STR("read_snapshot"), progress->read_snapshot);
        json_key_bool(&json, STR("exact"), progress->is_exact);
        write_views(&json, progress->model);
        write_inputs(&json, progress->files);
    }
    if (progress->checks_met.count > 0) {
        write_texts(&json, "checks_met", &progress->checks_met);
    }
    if (progress->checks.size > 0) {
        json_key(&json, STR("checks"));
        json_raw(&json, progress->checks);
    }
    json_end(&json);
    return text_str(&text);
}

static void write_steps(struct json *json, const struct commit_input *input) {
    json_key(json, STR("steps"));
    json_array(json);
    for (size_t i = 0; i < input->step_count; i++) {
        json_object(json);
        json_key_string(json, STR("name"), str_from(input->steps[i].name));
        json_key_int(json, STR("duration_ms"), input->steps[i].duration_us / 1000);
        json_key_string(json, STR("status"), STR("ok"));
        json_end(json);
    }
    json_end(json);
}

static void write_if_known(struct json *json, str key, str value) {
    if (value.size > 0) {
        json_key_string(json, key, value);
    }
}

static void write_growths(struct json *json, const struct growth_list *growths) {
    json_key(json, STR("grown"));
    json_array(json);
    for (size_t i = 0; i < growths->count; i++) {
        json_object(json);
        if (growths->items[i].snapshot != INT64_MAX) {
            json_key_int(json, STR("snapshot"), growths->items[i].snapshot);
        }
        json_key_strings(json, STR("known"), &growths->items[i].known);
        json_end(json);
    }
    json_end(json);
}

// The parts of the definition one by one, so that the next run can say which of them changed.
static void write_definition(struct json *json, struct arena *arena,
                             const struct commit_input *input) {
    struct str_list directives = {0};
    directives_identity(arena, &input->model->source.directives, &directives);
    json_key(json, STR("definition"));
    json_object(json);
    json_key_string(json, STR("sql"), sha256_hex(arena, input->model->query.canonical));
    json_key_strings(json, STR("directives"), &directives);
    json_key(json, STR("uses"));
    json_array(json);
    for (size_t i = 0; i < input->use_count; i++) {
        const str hash = str_slice(sha256_hex(arena, input->uses[i].text), 0, 32);
        json_string(json, str_format(arena, STR_FORMAT "=" STR_FORMAT,
                                     STR_ARGS(input->uses[i].name), STR_ARGS(hash)));
    }
    json_end(json);
    json_end(json);
}

str commit_write(struct arena *arena, const struct commit_input *input) {
    const struct model *model = input->model;
    struct text text;
    struct json json;
    text_init(&text, arena);
    json_init(&json, &text);
    json_object(&json);
    json_key_string(&json, STR("model"), model->target);
    json_key_string(&json, STR("kind"), model_kind_name(model->source.directives.kind));
    json_key_string(&json, STR("source_file"), model->file);
    json_key_string(&json, STR("run_type"), run_type_name(input->run_type));
    json_key_string(&json, STR("run_reason"), input->reason);
    json_key_int(&json, STR("rows_affected"), input->rows);
    json_key_string(&json, STR("sql_hash"), input->definition->sql_hash);
    json_key_string(&json, STR("schema_hash"),
                    schema_hash(arena, input->columns, input->column_count));
    json_key_string(&json, STR("coypu_hash"), input->definition->coypu_hash);
    json_key_string(&json, STR("text_hash"), input->definition->text_hash);
    json_key_string(&json, STR("decoration_hash"), input->decoration);
    write_columns(&json, input);
    json_key(&json, STR("column_lineage"));
    lineage_columns_write(&json, input->lineage);
    const struct str_list depends = model_depends(arena, model);
    json_key_strings(&json, STR("depends"), &depends);
    write_views(&json, model);
    json_key_string(&json, STR("dag_run_id"), input->run_id);
    json_key_string(&json, STR("start_time"), time_format_utc(arena, input->started_us));
    json_key_string(&json, STR("end_time"), time_format_utc(arena, input->ended_us));
    json_key_int(&json, STR("duration_ms"), (input->ended_us - input->started_us) / 1000);
    write_steps(&json, input);
    write_if_known(&json, STR("duckdb_version"), input->duckdb_version);
    write_if_known(&json, STR("hash_version"), input->hash_version);
    write_if_known(&json, STR("git_commit"), input->git->commit);
    write_if_known(&json, STR("git_branch"), input->git->branch);
    write_if_known(&json, STR("git_repo_url"), input->git->repository_url);
    json_key_int(&json, STR("read_snapshot"), input->read_snapshot);
    if (model->source.directives.kind == MODEL_APPEND) {
        json_key_bool(&json, STR("exact"), input->is_exact);
    }
    if (input->growths != NULL && input->growths->count > 0) {
        write_growths(&json, input->growths);
    }
    write_inputs(&json, input->inputs);
    if (input->checks.size > 0) {
        json_key(&json, STR("checks"));
        json_raw(&json, input->checks);
    }
    if (input->sinks.size > 0) {
        json_key(&json, STR("sinks"));
        json_raw(&json, input->sinks);
    }
    write_definition(&json, arena, input);
    json_end(&json);
    return text_str(&text);
}
