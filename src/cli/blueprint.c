// `coypu describe blueprint [NAME]`: what a lib file promises and needs, without running it and
// without the lake.  Both faces come from one JSON object, so --fields can name what text shows.
#include "cli/blueprint.h"

#include "base/environment.h"
#include "base/file.h"
#include "base/json.h"
#include "base/suggest.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/layout.h"
#include "inspect/inspect.h"
#include "lake/lake.h"
#include "lib/introspect.h"

#include <yyjson.h>
#include <stdlib.h>

struct blueprint {
    const struct context *context;
    struct arena *arena;
    struct project project;
    struct lake *lake;
    struct lake_connection *connection;
    struct lib_set libs;
    struct models models;
};

// ── JSON ──

static void json_texts(struct json *json, const char *key, const struct str_list *list) {
    json_key(json, str_from(key));
    json_array(json);
    for (size_t i = 0; i < list->count; i++) {
        json_string(json, list->items[i]);
    }
    json_end(json);
}

static void json_if(struct json *json, const char *key, str value) {
    if (value.size > 0) {
        json_key_string(json, str_from(key), value);
    }
}

static void json_seconds(struct json *json, const char *key, int64_t us) {
    json_key(json, str_from(key));
    json_double(json, (double)us / 1e6);
}

static void json_http(struct json *json, const struct lib_http *http) {
    json_seconds(json, "timeout_s", http->timeout_us);
    json_key_int(json, STR("retry"), http->retry);
    json_seconds(json, "backoff_s", http->backoff_us);
    if (http->rate_requests > 0) {
        json_key(json, STR("rate_limit"));
        json_object(json);
        json_key_int(json, STR("requests"), http->rate_requests);
        json_seconds(json, "per_s", http->rate_period_us);
        json_end(json);
    }
}

static void json_fetch(struct json *json, const struct lib_fetch *fetch) {
    if (!fetch->present) {
        return;
    }
    json_key(json, STR("fetch"));
    json_object(json);
    json_texts(json, "args", &fetch->args);
    json_key_string(json, STR("mode"), fetch->is_async ? STR("async") : STR("sync"));
    json_key_int(json, STR("page_size"), fetch->page_size);
    if (fetch->limits_kinds) {
        json_texts(json, "supported_kinds", &fetch->supported_kinds);
    }
    if (fetch->limits_columns) {
        json_texts(json, "supported_columns", &fetch->supported_columns);
    }
    if (fetch->is_async) {
        json_seconds(json, "poll_interval_s", fetch->poll_interval_us);
        json_seconds(json, "poll_timeout_s", fetch->poll_timeout_us);
    }
    json_http(json, &fetch->http);
    json_end(json);
}

static str batch_mode_name(enum lib_batch_mode mode) {
    switch (mode) {
    case LIB_BATCH_SYNC:
        return STR("sync");
    case LIB_BATCH_ATOMIC:
        return STR("atomic");
    case LIB_BATCH_ASYNC:
        return STR("async");
    }
    return (str){0};
}

static void json_push(struct json *json, const struct lib_push *push) {
    if (!push->present) {
        return;
    }
    json_key(json, STR("push"));
    json_object(json);
    json_texts(json, "args", &push->args);
    json_key_string(json, STR("batch_mode"), batch_mode_name(push->batch_mode));
    json_key_int(json, STR("batch_size"), push->batch_size);
    json_key_int(json, STR("max_concurrent"), push->max_concurrent);
    json_key_int(json, STR("max_attempts"), push->max_attempts);
    if (push->limits_kinds) {
        json_texts(json, "supported_kinds", &push->supported_kinds);
    }
    json_http(json, &push->http);
    json_end(json);
}

static void json_auth(struct json *json, const struct blueprint *blueprint,
                      const struct http_auth_spec *auth) {
    struct str_list names = {0};
    lib_auth_variables(blueprint->arena, auth, &names);
    json_key(json, STR("auth"));
    json_object(json);
    json_key_string(json, STR("pattern"), lib_auth_name(auth));
    json_if(json, "header", auth->header);
    json_if(json, "param", auth->param);
    json_if(json, "provider", auth->provider);
    json_if(json, "token_url", auth->token_url);
    json_key(json, STR("env"));
    json_array(json);
    for (size_t i = 0; i < names.count; i++) {
        str value = {0};
        const bool is_set =
            environment_get(blueprint->context->environment, names.items[i], &value) &&
            str_trim(value).size > 0;
        json_object(json);
        json_key_string(json, STR("name"), names.items[i]);
        json_key_bool(json, STR("set"), is_set);
        json_end(json);
    }
    json_end(json);
    json_end(json);
}

static void json_functions(struct json *json, struct arena *arena, const struct lib *lib) {
    json_key(json, STR("functions"));
    json_array(json);
    for (size_t i = 0; i < lib->function_count; i++) {
        json_object(json);
        json_key_string(json, STR("name"), lib->functions[i].name);
        json_key_string(json, STR("signature"), lib_signature(arena, &lib->functions[i]));
        json_key_int(json, STR("line"), lib->functions[i].line);
        json_end(json);
    }
    json_end(json);
}

static void json_requests(struct json *json, const struct blueprint *blueprint,
                          const struct lib *lib) {
    struct lib_request_list requests = {0};
    lib_requests_find(blueprint->arena, &blueprint->libs, lib, &requests);
    json_key(json, STR("http_calls"));
    json_array(json);
    for (size_t i = 0; i < requests.count; i++) {
        const struct lib_request *request = &requests.items[i];
        json_object(json);
        json_key_string(json, STR("method"), request->method);
        json_key(json, STR("path"));
        if (request->path.size > 0) {
            json_string(json, request->path);
        } else {
            json_null(json);
        }
        json_key_string(json, STR("function"), request->function);
        json_key_int(json, STR("line"), request->line);
        json_end(json);
    }
    json_end(json);
}

static void json_users(struct json *json, const struct models *models, const struct lib *lib) {
    json_key(json, STR("models"));
    json_array(json);
    for (size_t i = 0; i < models->count; i++) {
        const struct model *model = models->items[i];
        const struct sink_directive *sink = &model->source.directives.sink;
        bool fetches = false;
        for (size_t j = 0; j < model->lib_calls.count; j++) {
            fetches = fetches || str_equal_nocase(model->lib_calls.items[j].name, lib->name);
        }
        const bool pushes = sink->at.is_set && str_equal(sink->name, lib->name);
        if (fetches || pushes) {
            json_object(json);
            json_key_string(json, STR("target"), model->target);
            json_key_string(json, STR("direction"), fetches ? STR("fetch") : STR("push"));
            json_end(json);
        }
    }
    json_end(json);
}

static void json_problems(struct json *json, const char *key, const struct error_list *list,
                          str file) {
    json_key(json, str_from(key));
    json_array(json);
    for (size_t i = 0; i < list->count; i++) {
        if (str_equal(str_from(list->items[i].pos.file), file)) {
            json_string(json, str_from(list->items[i].message));
        }
    }
    json_end(json);
}

static void json_lib(struct json *json, const struct blueprint *blueprint, const struct lib *lib) {
    json_object(json);
    json_key_int(json, STR("schema_version"), 1);
    json_key_string(json, STR("name"), lib->name);
    json_key_string(json, STR("file"), lib->file);
    json_key(json, STR("directions"));
    json_array(json);
    if (lib->api.fetch.present) {
        json_string(json, STR("fetch"));
    }
    if (lib->api.push.present) {
        json_string(json, STR("push"));
    }
    json_end(json);
    json_if(json, "base_url", lib->api.base_url);
    json_auth(json, blueprint, &lib->api.auth);
    json_fetch(json, &lib->api.fetch);
    json_push(json, &lib->api.push);
    json_functions(json, blueprint->arena, lib);
    json_requests(json, blueprint, lib);
    json_users(json, &blueprint->models, lib);
    json_problems(json, "errors", &blueprint->libs.errors, lib->file);
    json_problems(json, "notes", &blueprint->libs.notes, lib->file);
    json_end(json);
}

static str lib_json(const struct blueprint *blueprint, const struct lib *lib) {
    struct text text;
    struct json json;
    text_init(&text, blueprint->arena);
    json_init(&json, &text);
    json_lib(&json, blueprint, lib);
    return text_str(&text);
}

// ── Fields ──

static void document_cleanup(yyjson_doc **document) {
    yyjson_doc_free(*document);
}

static str value_text(struct arena *arena, yyjson_val *value) {
    size_t size = 0;
    char *written = yyjson_val_write(value, YYJSON_WRITE_NOFLAG, &size);
    const str text = str_copy(arena, (str){written, size});
    free(written);
    return text;
}

// The value at "push.batch_size"; NULL when there is none.
static yyjson_val *field_at(yyjson_val *value, str path) {
    struct str_splitter parts = {.rest = path};
    str part;
    while (value != NULL && str_split_next(&parts, '.', &part)) {
        value = yyjson_is_obj(value) ? yyjson_obj_getn(value, part.data, part.size) : NULL;
    }
    return value;
}

static enum error_code unknown_field(struct arena *arena, yyjson_val *root, str path,
                                     struct error *err) {
    struct str_list names = {0};
    size_t i, max;
    yyjson_val *key;
    yyjson_val *value;
    yyjson_obj_foreach(root, i, max, key, value) {
        str_list_push(arena, &names, str_copy(arena, str_from(yyjson_get_str(key))));
    }
    error_rule(err, ERROR_INVALID, "cli.usage", "--fields: there is no field \"" STR_FORMAT "\"",
               STR_ARGS(path));
    error_hint(err, "the fields are " STR_FORMAT,
               STR_ARGS(str_list_join(arena, &names, STR(", "))));
    return err->code;
}

// One object with the paths as keys.  A field that only some libs have (fetch, push) is null.
static enum error_code select_fields(struct arena *arena, str whole, str fields, str *selected,
                                     struct error *err) {
    static const str OPTIONAL[] = {STR_INIT("fetch"), STR_INIT("push"), STR_INIT("base_url"),
                                   STR_INIT("auth")};
    yyjson_doc *document CLEANUP(document_cleanup) =
        yyjson_read(whole.data, whole.size, YYJSON_READ_NOFLAG);
    yyjson_val *root = yyjson_doc_get_root(document);
    struct text text;
    struct json json;
    text_init(&text, arena);
    json_init(&json, &text);
    json_object(&json);
    struct str_splitter paths = {.rest = fields};
    str path;
    while (str_split_next(&paths, ',', &path)) {
        path = str_trim(path);
        yyjson_val *value = field_at(root, path);
        const str first = str_slice(path, 0, str_find_char(path, '.'));
        bool optional = false;
        for (size_t i = 0; i < ARRAY_COUNT(OPTIONAL); i++) {
            optional = optional || str_equal(first, OPTIONAL[i]);
        }
        if (value == NULL && !optional) {
            return unknown_field(arena, root, path, err);
        }
        json_key(&json, path);
        json_raw(&json, value == NULL ? STR("null") : value_text(arena, value));
    }
    json_end(&json);
    *selected = text_str(&text);
    return ERROR_NONE;
}

// ── Text ──

static str scalar_shown(struct arena *arena, yyjson_val *value) {
    if (yyjson_is_str(value)) {
        return str_copy(arena, str_from(yyjson_get_str(value)));
    }
    if (!yyjson_is_arr(value)) {
        return value_text(arena, value);
    }
    struct str_list items = {0};
    size_t i, max;
    yyjson_val *item;
    yyjson_arr_foreach(value, i, max, item) {
        str_list_push(arena, &items, scalar_shown(arena, item));
    }
    return items.count == 0 ? STR("-") : str_list_join(arena, &items, STR(", "));
}

static void show_settings(struct box *box, struct arena *arena, yyjson_val *object,
                          const char *title) {
    if (object == NULL) {
        return;
    }
    box_section(box, str_from(title));
    size_t i, max;
    yyjson_val *key;
    yyjson_val *value;
    yyjson_obj_foreach(object, i, max, key, value) {
        if (!yyjson_is_obj(value)) {
            box_fact(box, yyjson_get_str(key), scalar_shown(arena, value));
            continue;
        }
        const str limit =
            str_format(arena, STR_FORMAT " in " STR_FORMAT " s",
                       STR_ARGS(scalar_shown(arena, yyjson_obj_get(value, "requests"))),
                       STR_ARGS(scalar_shown(arena, yyjson_obj_get(value, "per_s"))));
        box_fact(box, yyjson_get_str(key), limit);
    }
}

static void show_auth(struct box *box, struct arena *arena, yyjson_val *auth) {
    box_fact(box, "auth", scalar_shown(arena, yyjson_obj_get(auth, "pattern")));
    size_t i, max;
    yyjson_val *variable;
    yyjson_arr_foreach(yyjson_obj_get(auth, "env"), i, max, variable) {
        box_fact(
            box, "",
            str_format(arena, "%s %s", yyjson_get_str(yyjson_obj_get(variable, "name")),
                       yyjson_get_bool(yyjson_obj_get(variable, "set")) ? "(set)" : "(not set)"));
    }
}

// A line for each object of an array, made of some of its members.
static void show_lines(struct box *box, struct arena *arena, yyjson_val *array, const char *title,
                       const char *const *members) {
    size_t i, max;
    yyjson_val *item;
    if (yyjson_arr_size(array) > 0) {
        box_section(box, str_from(title));
    }
    yyjson_arr_foreach(array, i, max, item) {
        struct str_list parts = {0};
        for (size_t j = 0; members[j] != NULL; j++) {
            yyjson_val *value = yyjson_obj_get(item, members[j]);
            str_list_push(arena, &parts,
                          yyjson_is_null(value) ? STR("(computed)") : scalar_shown(arena, value));
        }
        box_line(box, str_list_join(arena, &parts, STR("  ")));
    }
}

static void show_lib(struct text *out, struct arena *arena, str json) {
    static const char *const FUNCTION[] = {"signature", NULL};
    static const char *const REQUEST[] = {"method", "path", "function", NULL};
    static const char *const USER[] = {"target", "direction", NULL};
    yyjson_doc *document CLEANUP(document_cleanup) =
        yyjson_read(json.data, json.size, YYJSON_READ_NOFLAG);
    yyjson_val *root = yyjson_doc_get_root(document);
    struct box box;
    box_begin(&box, out, scalar_shown(arena, yyjson_obj_get(root, "name")));
    box_fact(&box, "file", scalar_shown(arena, yyjson_obj_get(root, "file")));
    box_fact(&box, "directions", scalar_shown(arena, yyjson_obj_get(root, "directions")));
    if (yyjson_obj_get(root, "base_url") != NULL) {
        box_fact(&box, "base URL", scalar_shown(arena, yyjson_obj_get(root, "base_url")));
    }
    show_auth(&box, arena, yyjson_obj_get(root, "auth"));
    show_settings(&box, arena, yyjson_obj_get(root, "fetch"), "fetch");
    show_settings(&box, arena, yyjson_obj_get(root, "push"), "push");
    show_lines(&box, arena, yyjson_obj_get(root, "functions"), "functions", FUNCTION);
    show_lines(&box, arena, yyjson_obj_get(root, "http_calls"), "requests", REQUEST);
    show_lines(&box, arena, yyjson_obj_get(root, "models"), "models", USER);
    size_t i, max;
    yyjson_val *item;
    if (yyjson_arr_size(yyjson_obj_get(root, "errors")) > 0) {
        box_section(&box, STR("errors"));
    }
    yyjson_arr_foreach(yyjson_obj_get(root, "errors"), i, max, item) {
        box_line(&box, scalar_shown(arena, item));
    }
    box_end(&box);
}

// ── The command ──

static enum error_code find_lib(const struct blueprint *blueprint, str name, const struct lib **lib,
                                struct error *err) {
    const bool has_suffix = str_ends_with(name, STR(".star"));
    const str bare = path_base(has_suffix ? str_slice(name, 0, name.size - 5) : name);
    *lib = lib_find(&blueprint->libs, bare);
    if (*lib != NULL) {
        return ERROR_NONE;
    }
    struct str_list names = {0};
    for (size_t i = 0; i < blueprint->libs.count; i++) {
        str_list_push(blueprint->arena, &names, blueprint->libs.items[i]->name);
    }
    error_set(err, ERROR_NOT_FOUND, "there is no lib/" STR_FORMAT ".star with an API dict",
              STR_ARGS(bare));
    const str near = suggest(bare, &names);
    if (near.size > 0) {
        error_hint(err, "did you mean " STR_FORMAT "?", STR_ARGS(near));
    }
    return err->code;
}

static enum error_code add_lib(struct command_line *line, const struct blueprint *blueprint,
                               const struct lib *lib, str fields, struct text *out,
                               struct error *err) {
    str json = lib_json(blueprint, lib);
    if (fields.size > 0) {
        TRY(select_fields(line->arena, json, fields, &json, err));
    }
    if (line->json || fields.size > 0) {
        text_add(out, json);
        text_add_char(out, '\n');
    } else {
        show_lib(out, line->arena, json);
    }
    return ERROR_NONE;
}

// One object a line with --json when no name is given.
static enum error_code show(struct command_line *line, const struct blueprint *blueprint,
                            struct error *err) {
    str fields = {0};
    struct text out;
    text_init(&out, line->arena);
    (void)command_option(line, "fields", &fields);
    if (line->arguments.count > 1) {
        const struct lib *lib = NULL;
        TRY(find_lib(blueprint, command_argument(line, 1), &lib, err));
        TRY(add_lib(line, blueprint, lib, fields, &out, err));
    }
    for (size_t i = 0; i < blueprint->libs.count && line->arguments.count == 1; i++) {
        TRY(add_lib(line, blueprint, blueprint->libs.items[i], fields, &out, err));
    }
    if (out.size == 0 && !line->json) {
        text_add(&out, STR("no lib functions in lib/\n"));
    }
    return command_print(line, text_str(&out), err);
}

// DuckDB for its parser alone: models that use a lib are found by their syntax trees.
static enum error_code open_blueprint(struct blueprint *blueprint, struct error *err) {
    const struct lake_options options = {.threads = 1};
    TRY(project_open(blueprint->context, blueprint->arena, (str){0}, &blueprint->project, err));
    TRY(libs_read(&blueprint->project, (str){0}, &blueprint->libs, err));
    TRY(lake_open(blueprint->context, &options, &blueprint->lake, err));
    TRY(lake_connect(blueprint->lake, &blueprint->connection, err));
    return models_read_with_libs(&blueprint->project, blueprint->connection, (str){0},
                                 &blueprint->libs, &blueprint->models, err);
}

int blueprint_run(struct command_line *line) {
    struct error err = {0};
    struct blueprint blueprint = {.context = line->context, .arena = line->arena};
    enum error_code code = open_blueprint(&blueprint, &err);
    if (code == ERROR_NONE) {
        code = show(line, &blueprint, &err);
    }
    lib_set_done(&blueprint.libs);
    lake_disconnect(blueprint.connection);
    lake_close(blueprint.lake);
    return code == ERROR_NONE ? EXIT_CLEAN : command_fail(line, &err);
}
