#include "inspect/scaffold.h"

#include "base/file.h"
#include "base/text.h"
#include "inspect/inspect.h"
#include "model/model.h"

#include <unistd.h>

// ── Models ──

static const str model_text = STR_INIT("-- @kind: table\n"
                                       "-- @description: what a row of this table is\n"
                                       "\n"
                                       "SELECT\n"
                                       "    1 AS id\n");

// Endings that tell a file of another sort; "raw.orders" is schema and name, no ending.
static bool is_other_ending(str word) {
    static const str ENDINGS[] = {
        STR_INIT("star"), STR_INIT("py"),  STR_INIT("txt"), STR_INIT("yaml"),   STR_INIT("yml"),
        STR_INIT("json"), STR_INIT("csv"), STR_INIT("md"),  STR_INIT("toml"),   STR_INIT("sh"),
        STR_INIT("js"),   STR_INIT("ts"),  STR_INIT("env"), STR_INIT("parquet")};
    for (size_t i = 0; i < ARRAY_COUNT(ENDINGS); i++) {
        if (str_equal_nocase(word, ENDINGS[i])) {
            return true;
        }
    }
    return false;
}

static enum error_code check_ending(str name, struct error *err) {
    const size_t dot = str_find_last_char(name, '.');
    const str ending = dot == SIZE_MAX ? (str){0} : str_from_offset(name, dot + 1);
    if (!is_other_ending(ending)) {
        return ERROR_NONE;
    }
    error_set(err, ERROR_INVALID, "a model is a .sql file, not ." STR_FORMAT, STR_ARGS(ending));
    if (str_equal_nocase(ending, STR("star"))) {
        error_hint(err, "`coypu new lib " STR_FORMAT "` makes a lib file",
                   STR_ARGS(str_slice(name, 0, dot)));
    }
    return err->code;
}

static enum error_code read_parts(struct arena *arena, str name, struct str_list *parts,
                                  struct error *err) {
    struct str_splitter splitter = {.rest = name};
    str part;
    while (str_split_next(&splitter, '.', &part)) {
        if (!str_is_identifier(part) || str_find(part, STR("__")) != SIZE_MAX) {
            error_set(err, ERROR_INVALID, "\"" STR_FORMAT "\" is no name of a model",
                      STR_ARGS(name));
            error_hint(err, "names are parts of letters, digits and _ joined by dots, without __: "
                            "staging.orders.sql");
            return err->code;
        }
        str_list_push(arena, parts, part);
    }
    return ERROR_NONE;
}

// Targets are compared without case; a file that differs only in case would make the same table.
static enum error_code check_target(const struct project *project, str path, struct error *err) {
    struct arena *arena = project->arena;
    str schema;
    str name;
    struct str_list targets;
    TRY(model_target_from_path(arena, path, &schema, &name, err));
    TRY(model_targets(arena, project->root, &targets, err));
    const str target =
        str_format(arena, STR_FORMAT "." STR_FORMAT, STR_ARGS(schema), STR_ARGS(name));
    if (str_list_has_nocase(&targets, target)) {
        return error_set(err, ERROR_CONFLICT, "there is a model that makes " STR_FORMAT " already",
                         STR_ARGS(target));
    }
    return ERROR_NONE;
}

static enum error_code make_folder(const struct project *project, str path, struct error *err) {
    const str full = project_path(project, path);
    if (path_exists(full)) {
        return error_set(err, ERROR_CONFLICT, STR_FORMAT " exists already", STR_ARGS(path));
    }
    return directory_create(full, 0777, err);
}

static enum error_code make_file(const struct project *project, str path, str content,
                                 struct error *err) {
    const str full = project_path(project, path);
    TRY(directory_create(path_directory(full), 0777, err));
    const enum error_code code = file_create(full, content, 0644, err);
    if (code == ERROR_CONFLICT) {
        error_set(err, ERROR_CONFLICT, STR_FORMAT " exists already", STR_ARGS(path));
    }
    return code;
}

enum error_code scaffold_model(const struct project *project, str name, str *path, bool *is_folder,
                               struct error *err) {
    struct arena *arena = project->arena;
    const str suffix = STR(".sql");
    *is_folder = !str_ends_with(name, suffix);
    const str bare = *is_folder ? name : str_slice(name, 0, name.size - suffix.size);
    struct str_list parts = {0};
    TRY(check_ending(bare, err));
    TRY(read_parts(arena, bare, &parts, err));
    const str joined =
        str_format(arena, "models/" STR_FORMAT, STR_ARGS(str_list_join(arena, &parts, STR("/"))));
    if (*is_folder) {
        *path = joined;
        return make_folder(project, joined, err);
    }
    if (parts.count < 2) {
        error_set(err, ERROR_INVALID, "\"" STR_FORMAT "\" names no schema", STR_ARGS(name));
        error_hint(err, "say which: coypu new staging." STR_FORMAT, STR_ARGS(name));
        return err->code;
    }
    *path = str_format(arena, STR_FORMAT ".sql", STR_ARGS(joined));
    TRY(check_target(project, *path, err));
    return make_file(project, *path, model_text, err);
}

// ── Libs ──

#define FETCH_API                                                                                  \
    "    \"fetch\": {\n"                                                                           \
    "        \"args\": [\"resource\"],\n"                                                          \
    "        \"page_size\": 100,\n"                                                                \
    "    },\n"
#define FETCH_BODY                                                                                 \
    "\n"                                                                                           \
    "# Called once a page: FROM {{name}}('orders') asks for /orders.\n"                            \
    "def fetch(resource, page):\n"                                                                 \
    "    resp = http.get(\"/\" + resource, params = {\"cursor\": page.cursor, \"limit\": "         \
    "page.size})\n"                                                                                \
    "    if not resp.ok:\n"                                                                        \
    "        fail(\"GET /%s: HTTP %d\" % (resource, resp.status_code))\n"                          \
    "    return {\"rows\": resp.json[\"data\"], \"next\": resp.json.get(\"next\")}\n"
#define FETCH_ASYNC_API                                                                            \
    "    \"fetch\": {\n"                                                                           \
    "        \"args\": [\"resource\"],\n"                                                          \
    "        \"async\": True,\n"                                                                   \
    "        \"poll_interval\": \"5s\",\n"                                                         \
    "        \"poll_timeout\": \"10m\",\n"                                                         \
    "    },\n"
#define FETCH_ASYNC_BODY                                                                           \
    "\n"                                                                                           \
    "# Starts a job; what it returns is given to check().\n"                                       \
    "def submit(resource):\n"                                                                      \
    "    resp = http.post(\"/exports\", json = {\"resource\": resource})\n"                        \
    "    if not resp.ok:\n"                                                                        \
    "        fail(\"POST /exports: HTTP %d\" % resp.status_code)\n"                                \
    "    return {\"job_id\": resp.json[\"id\"]}\n"                                                 \
    "\n"                                                                                           \
    "# Asked every poll_interval: None while the job runs, then what fetch_result() needs.\n"      \
    "def check(job_ref):\n"                                                                        \
    "    resp = http.get(\"/exports/\" + str(job_ref[\"job_id\"]))\n"                              \
    "    if not resp.ok:\n"                                                                        \
    "        fail(\"GET /exports: HTTP %d\" % resp.status_code)\n"                                 \
    "    return {\"url\": resp.json[\"url\"]} if resp.json[\"state\"] == \"done\" else None\n"     \
    "\n"                                                                                           \
    "def fetch_result(result_ref, page):\n"                                                        \
    "    resp = http.get(result_ref[\"url\"], params = {\"cursor\": page.cursor})\n"               \
    "    if not resp.ok:\n"                                                                        \
    "        fail(\"the result: HTTP %d\" % resp.status_code)\n"                                   \
    "    return {\"rows\": resp.json[\"data\"], \"next\": resp.json.get(\"next\")}\n"
#define PUSH_API                                                                                   \
    "    \"push\": {\n"                                                                            \
    "        \"batch_size\": 100,\n"                                                               \
    "    },\n"
#define PUSH_BODY                                                                                  \
    "\n"                                                                                           \
    "# Called once a batch; -- @sink: {{name}} on a model sends its changes here.  One status a "  \
    "row.\n"                                                                                       \
    "def push(rows, batch_id):\n"                                                                  \
    "    results = {}\n"                                                                           \
    "    for row in rows:\n"                                                                       \
    "        change = row[\"__ondatra_change_type\"]\n"                                            \
    "        key = str(row[\"__ondatra_rowid\"]) + \":\" + change\n"                               \
    "        if change == \"update_preimage\":\n"                                                  \
    "            results[key] = \"ok\"\n"                                                          \
    "            continue\n"                                                                       \
    "        body = {name: value for name, value in row.items() if not name.startswith(\"_\")}\n"  \
    "        if change == \"delete\":\n"                                                           \
    "            resp = http.delete(\"/records/\" + str(row[\"id\"]))\n"                           \
    "        else:\n"                                                                              \
    "            resp = http.put(\"/records/\" + str(row[\"id\"]), json = body)\n"                 \
    "        results[key] = \"ok\" if resp.ok else \"error: HTTP %d\" % resp.status_code\n"        \
    "    return results\n"
#define PUSH_ASYNC_API                                                                             \
    "    \"push\": {\n"                                                                            \
    "        \"batch_size\": 1000,\n"                                                              \
    "        \"batch_mode\": \"async\",\n"                                                         \
    "        \"poll_interval\": \"30s\",\n"                                                        \
    "        \"poll_timeout\": \"1h\",\n"                                                          \
    "    },\n"
#define PUSH_ASYNC_BODY                                                                            \
    "\n"                                                                                           \
    "# Hands a batch over; what it returns is kept and given to poll().\n"                         \
    "def push(rows, batch_id):\n"                                                                  \
    "    resp = http.post(\"/jobs\", json = rows, headers = {\"Idempotency-Key\": batch_id})\n"    \
    "    if not resp.ok:\n"                                                                        \
    "        fail(\"POST /jobs: HTTP %d\" % resp.status_code)\n"                                   \
    "    return {\"job_id\": resp.json[\"id\"]}\n"                                                 \
    "\n"                                                                                           \
    "def poll(job_ref):\n"                                                                         \
    "    resp = http.get(\"/jobs/\" + str(job_ref[\"job_id\"]))\n"                                 \
    "    if not resp.ok:\n"                                                                        \
    "        fail(\"GET /jobs: HTTP %d\" % resp.status_code)\n"                                    \
    "    if resp.json[\"state\"] != \"done\":\n"                                                   \
    "        return {\"done\": False}\n"                                                           \
    "    return {\"done\": True, \"per_row\": resp.json[\"results\"]}\n"

static str lib_text(struct arena *arena, str name, const struct scaffold_lib *options) {
    const bool fetch = options->fetch || !options->push;
    struct text text;
    text_init(&text, arena);
    text_add(&text, STR("# {{name}}: one API, as SQL sees it.\n"
                        "API = {\n"
                        "    \"base_url\": \"https://api.example.com/v1\",\n"
                        "    \"auth\": {\"env\": \"{{NAME}}_API_KEY\"},\n"
                        "    \"timeout\": 30,\n"
                        "    \"retry\": 3,\n"));
    if (fetch) {
        text_add(&text, options->is_async ? STR(FETCH_ASYNC_API) : STR(FETCH_API));
    }
    if (options->push) {
        text_add(&text, options->is_async ? STR(PUSH_ASYNC_API) : STR(PUSH_API));
    }
    text_add(&text, STR("}\n"));
    if (fetch) {
        text_add(&text, options->is_async ? STR(FETCH_ASYNC_BODY) : STR(FETCH_BODY));
    }
    if (options->push) {
        text_add(&text, options->is_async ? STR(PUSH_ASYNC_BODY) : STR(PUSH_BODY));
    }
    const str named = str_replace_all(arena, text_str(&text), STR("{{name}}"), name);
    return str_replace_all(arena, named, STR("{{NAME}}"), str_to_upper(arena, name));
}

static enum error_code find_mistake(const struct error_list *list, const char *rule, str path,
                                    struct error *err) {
    for (size_t i = 0; i < list->count; i++) {
        const struct error *found = &list->items[i];
        if (str_equal(str_from(found->pos.file), path) &&
            (rule == NULL || str_equal(str_from(found->rule), str_from(rule)))) {
            *err = *found;
            return err->code;
        }
    }
    return ERROR_NONE;
}

// What the project's own checks say of the new file: a reserved or taken name, above all.
static enum error_code check_lib(const struct project *project, str path, struct error *err) {
    struct lib_set libs = {0};
    enum error_code code = libs_read(project, (str){0}, &libs, err);
    if (code == ERROR_NONE) {
        code = find_mistake(&libs.errors, NULL, path, err);
    }
    if (code == ERROR_NONE) {
        code = find_mistake(&libs.notes, "lib.reserved_name", path, err);
    }
    lib_set_done(&libs);
    return code;
}

enum error_code scaffold_lib(const struct project *project, str name,
                             const struct scaffold_lib *options, str *path, struct error *err) {
    struct arena *arena = project->arena;
    const str suffix = STR(".star");
    const str bare =
        str_ends_with(name, suffix) ? str_slice(name, 0, name.size - suffix.size) : name;
    if (!str_is_identifier(bare) || !str_equal(bare, str_to_lower(arena, bare)) ||
        str_starts_with(bare, STR("_"))) {
        error_set(err, ERROR_INVALID, "\"" STR_FORMAT "\" is no name of a lib function",
                  STR_ARGS(name));
        error_hint(err, "use small letters, digits and _, beginning with a letter: it is a "
                        "function in SQL");
        return err->code;
    }
    *path = str_format(arena, "lib/" STR_FORMAT ".star", STR_ARGS(bare));
    TRY(make_file(project, *path, lib_text(arena, bare, options), err));
    const enum error_code code = check_lib(project, *path, err);
    if (code != ERROR_NONE) {
        (void)unlink(str_to_cstring(arena, project_path(project, *path)));
    }
    return code;
}
