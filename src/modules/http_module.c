// http.get and its siblings: from keyword arguments to one http_request (libs.md §8.1).
#include "base/context.h"
#include "base/file.h"
#include "base/text.h"
#include "modules/argument.h"
#include "modules/builtins.h"
#include "modules/host.h"
#include "modules/path.h"
#include "modules/response.h"

// The parameters of all functions, in the order of their tables: get/post/… have no `method`,
// upload has `file`, `field` and so on instead of a body.
enum parameter {
    P_URL,
    P_HEADERS,
    P_PARAMS,
    P_TIMEOUT,
    P_RETRY,
    P_BACKOFF,
    P_AUTH,
    P_CERT,
    P_KEY,
    P_CA,
    P_RAISE_ERRORS,
    P_FOLLOW_REDIRECTS,
    P_COMMON_COUNT,
};

#define OPTION(name) {name, STAR_OPTIONAL | STAR_KEYWORD_ONLY, 0}
#define COMMON_OPTIONS                                                                             \
    OPTION("headers"), OPTION("params"), OPTION("timeout"), OPTION("retry"), OPTION("backoff"),    \
        OPTION("auth"), OPTION("cert"), OPTION("key"), OPTION("ca"), OPTION("raise_errors"),       \
        OPTION("follow_redirects")
#define BODY_OPTIONS OPTION("json"), OPTION("data"), OPTION("body")

enum { BODY_JSON = P_COMMON_COUNT, BODY_DATA, BODY_RAW };
static const struct star_parameter call_parameters[] = {
    {"url", STAR_REQUIRED, 0}, COMMON_OPTIONS, BODY_OPTIONS};

static const struct star_parameter request_parameters[] = {
    {"method", STAR_REQUIRED, 0}, {"url", STAR_REQUIRED, 0}, COMMON_OPTIONS, BODY_OPTIONS};

enum {
    UPLOAD_FILE = 1,
    UPLOAD_FIELD = P_COMMON_COUNT + 1,
    UPLOAD_FILENAME,
    UPLOAD_FIELDS,
    UPLOAD_METHOD
};
static const struct star_parameter upload_parameters[] = {
    {"url", STAR_REQUIRED, 0}, {"file", STAR_REQUIRED, 0}, COMMON_OPTIONS,  OPTION("field"),
    OPTION("filename"),        OPTION("fields"),           OPTION("method")};

// One call under construction.
struct building {
    struct star_thread *thread;
    struct modules_host *host;
    const char *function; // "http.get"
    struct arena *arena;
    struct http_request request;
    struct http_auth auth;
    struct http_upload upload;
    bool unwatched; // raise_errors=False
    bool raises;    // raise_errors=True
};

// "http.get: timeout"
static const char *what(const struct building *building, const char *parameter) {
    const str text = str_format(building->arena, "%s: %s", building->function, parameter);
    return str_to_cstring(building->arena, text);
}

static bool is_given(star_value value) {
    return !star_is_unset(value) && !star_is_none(value);
}

static bool read_header(struct building *building, star_value key, star_value value) {
    const char *name_of = what(building, "headers");
    struct http_header header = {0};
    if (!argument_text(building->thread, name_of, key, &header.name)) {
        return false;
    }
    header.removes = star_is_none(value);
    if (!header.removes &&
        !argument_scalar(building->thread, name_of, value, building->arena, &header.value)) {
        return false;
    }
    header.name = str_copy(building->arena, header.name);
    header.value = str_copy(building->arena, header.value);
    LIST_PUSH(building->arena, &building->request.headers, header);
    return true;
}

static bool read_headers(struct building *building, star_value value) {
    if (star_kind(value) != STAR_KIND_DICT) {
        (void)argument_wrong(building->thread, what(building, "headers"), value, "dict");
        return false;
    }
    size_t position = 0;
    star_value key = STAR_NONE;
    star_value item = STAR_NONE;
    while (star_dict_next(building->thread, value, &position, &key, &item)) {
        if (!read_header(building, key, item)) {
            return false;
        }
    }
    return !star_is_error(key);
}

// (user, password), (user, password, "basic" or "digest"), or False for none.
static bool read_auth(struct building *building, star_value value) {
    const enum star_kind kind = star_kind(value);
    const size_t count = star_length(value);
    building->request.auth = &building->auth;
    if (kind == STAR_KIND_BOOL && !star_truth(value)) {
        return true;
    }
    star_value items[3] = {STAR_UNSET, STAR_UNSET, STAR_UNSET};
    str texts[3] = {{0}, {0}, STR("basic")};
    bool fits = (kind == STAR_KIND_TUPLE || kind == STAR_KIND_LIST) && (count == 2 || count == 3);
    for (size_t i = 0; fits && i < count; i++) {
        items[i] = star_item(building->thread, value, i);
        fits = star_kind(items[i]) == STAR_KIND_STRING && value_text(items[i], &texts[i]);
    }
    const bool digest = str_equal(texts[2], STR("digest"));
    if (!fits || (!digest && !str_equal(texts[2], STR("basic")))) {
        (void)star_fail(building->thread,
                        "%s: auth: want (user, password), (user, password, \"basic\" or "
                        "\"digest\") or False",
                        building->function);
        return false;
    }
    building->auth.kind = digest ? HTTP_AUTH_DIGEST : HTTP_AUTH_BASIC;
    building->auth.user = str_copy(building->arena, texts[0]);
    building->auth.secret = str_copy(building->arena, texts[1]);
    return true;
}

static bool read_path(struct building *building, const char *parameter, star_value value,
                      str *path) {
    const char *name_of = what(building, parameter);
    struct error err;
    str text;
    if (!argument_text(building->thread, name_of, value, &text)) {
        return false;
    }
    if (path_allowed(&building->host->options, building->arena, text, path, &err) != ERROR_NONE) {
        error_context(&err, "%s", name_of);
        (void)modules_fail(building->thread, &err);
        return false;
    }
    return true;
}

static bool read_numbers(struct building *building, const star_value *arguments) {
    struct star_thread *thread = building->thread;
    struct http_request *request = &building->request;
    if (is_given(arguments[P_TIMEOUT])) {
        if (!argument_seconds(thread, what(building, "timeout"), arguments[P_TIMEOUT],
                              &request->timeout_us)) {
            return false;
        }
        if (request->timeout_us == 0) {
            (void)star_fail(thread, "%s: timeout: must be greater than 0", building->function);
            return false;
        }
    }
    request->has_retry = is_given(arguments[P_RETRY]);
    if (request->has_retry &&
        !argument_count(thread, what(building, "retry"), arguments[P_RETRY], &request->retry)) {
        return false;
    }
    request->has_backoff = is_given(arguments[P_BACKOFF]);
    return !request->has_backoff || argument_seconds(thread, what(building, "backoff"),
                                                     arguments[P_BACKOFF], &request->backoff_us);
}

static bool read_switches(struct building *building, const star_value *arguments) {
    bool value = false;
    if (is_given(arguments[P_RAISE_ERRORS])) {
        if (!argument_bool(building->thread, what(building, "raise_errors"),
                           arguments[P_RAISE_ERRORS], &value)) {
            return false;
        }
        building->raises = value;
        building->unwatched = !value;
        building->request.keep_statuses = !value;
    }
    if (is_given(arguments[P_FOLLOW_REDIRECTS])) {
        if (!argument_bool(building->thread, what(building, "follow_redirects"),
                           arguments[P_FOLLOW_REDIRECTS], &value)) {
            return false;
        }
        building->request.keep_redirects = !value;
    }
    return true;
}

// What every function takes; `arguments` begins at `url`.
static bool read_common(struct building *building, const star_value *arguments) {
    struct http_request *request = &building->request;
    if (!argument_text(building->thread, what(building, "url"), arguments[P_URL], &request->url)) {
        return false;
    }
    if (is_given(arguments[P_HEADERS]) && !read_headers(building, arguments[P_HEADERS])) {
        return false;
    }
    if (is_given(arguments[P_PARAMS]) &&
        !argument_params(building->thread, what(building, "params"), arguments[P_PARAMS],
                         building->arena, &request->params)) {
        return false;
    }
    if (is_given(arguments[P_AUTH]) && !read_auth(building, arguments[P_AUTH])) {
        return false;
    }
    if ((is_given(arguments[P_CERT]) &&
         !read_path(building, "cert", arguments[P_CERT], &request->cert)) ||
        (is_given(arguments[P_KEY]) &&
         !read_path(building, "key", arguments[P_KEY], &request->key)) ||
        (is_given(arguments[P_CA]) && !read_path(building, "ca", arguments[P_CA], &request->ca))) {
        return false;
    }
    return read_numbers(building, arguments) && read_switches(building, arguments);
}

static void add_json(void *user, const char *data, size_t size) {
    text_add(user, (str){data, size});
}

static bool read_json(struct building *building, star_value value) {
    struct http_request *request = &building->request;
    struct text out;
    request->has_body = true;
    request->content_type = STR("application/json");
    if (star_kind(value) == STAR_KIND_STRING) {
        return value_text(value, &request->body);
    }
    text_init(&out, building->arena);
    if (!star_json_encode(building->thread, value, what(building, "json"), add_json, &out)) {
        return false;
    }
    request->body = text_str(&out);
    return true;
}

static bool read_form(struct building *building, star_value value) {
    struct http_request *request = &building->request;
    struct url_params params = {0};
    struct text out;
    if (!argument_params(building->thread, what(building, "data"), value, building->arena,
                         &params)) {
        return false;
    }
    text_init(&out, building->arena);
    url_params_encode(&out, &params);
    request->has_body = true;
    request->body = text_str(&out);
    request->content_type = STR("application/x-www-form-urlencoded");
    return true;
}

static bool read_body(struct building *building, const star_value *arguments) {
    const bool json = is_given(arguments[BODY_JSON]);
    const bool data = is_given(arguments[BODY_DATA]);
    const bool raw = is_given(arguments[BODY_RAW]);
    if (json + data + raw > 1) {
        (void)star_fail(building->thread, "%s: json, data and body exclude each other",
                        building->function);
        return false;
    }
    if (json) {
        return read_json(building, arguments[BODY_JSON]);
    }
    if (data) {
        return read_form(building, arguments[BODY_DATA]);
    }
    building->request.has_body = raw;
    return !raw || argument_bytes(building->thread, what(building, "body"), arguments[BODY_RAW],
                                  &building->request.body);
}

static star_value send_built(struct building *building) {
    struct modules_host *host = building->host;
    struct http_response response = {0};
    struct error err;
    building->request.label = building->function;
    if (http_send(host->client, host->options.api, &building->request, &response, &err) !=
        ERROR_NONE) {
        return modules_fail(building->thread, &err);
    }
    if (building->raises && http_status_is_failure(response.status)) {
        (void)!http_status_error(&building->request, &response, &err);
        http_response_done(&response);
        return modules_fail(building->thread, &err);
    }
    return response_new(building->thread, &building->request, &response, !building->unwatched);
}

static star_value call_method(struct star_thread *thread, const struct star_call_info *call,
                              const char *function, const char *method) {
    SCRATCH(scratch);
    struct building building = {.thread = thread,
                                .host = modules_host_of(thread),
                                .function = function,
                                .arena = &scratch,
                                .request = {.method = str_from(method)}};
    if (!read_common(&building, call->arguments) || !read_body(&building, call->arguments)) {
        return STAR_ERROR;
    }
    return send_built(&building);
}

static star_value http_get(struct star_thread *thread, const struct star_call_info *call) {
    return call_method(thread, call, "http.get", "GET");
}

static star_value http_post(struct star_thread *thread, const struct star_call_info *call) {
    return call_method(thread, call, "http.post", "POST");
}

static star_value http_put(struct star_thread *thread, const struct star_call_info *call) {
    return call_method(thread, call, "http.put", "PUT");
}

static star_value http_patch(struct star_thread *thread, const struct star_call_info *call) {
    return call_method(thread, call, "http.patch", "PATCH");
}

static star_value http_delete(struct star_thread *thread, const struct star_call_info *call) {
    return call_method(thread, call, "http.delete", "DELETE");
}

static star_value http_head(struct star_thread *thread, const struct star_call_info *call) {
    return call_method(thread, call, "http.head", "HEAD");
}

// A method is a token, and upper case on the wire.
static bool read_method(struct building *building, star_value value) {
    struct error err;
    str method;
    if (!argument_text(building->thread, what(building, "method"), value, &method)) {
        return false;
    }
    if (http_header_check(method, (str){0}, &err) != ERROR_NONE) {
        (void)star_fail(building->thread, "%s: \"" STR_FORMAT "\" is not a method",
                        building->function, STR_ARGS(method));
        return false;
    }
    building->request.method = str_to_upper(building->arena, method);
    return true;
}

static star_value http_request(struct star_thread *thread, const struct star_call_info *call) {
    SCRATCH(scratch);
    struct building building = {.thread = thread,
                                .host = modules_host_of(thread),
                                .function = "http.request",
                                .arena = &scratch};
    const star_value *arguments = call->arguments + 1;
    if (!read_method(&building, call->arguments[0]) || !read_common(&building, arguments) ||
        !read_body(&building, arguments)) {
        return STAR_ERROR;
    }
    return send_built(&building);
}

static bool optional_text(struct building *building, const char *parameter, star_value value,
                          str *text) {
    return !is_given(value) ||
           argument_text(building->thread, what(building, parameter), value, text);
}

static bool read_upload(struct building *building, const star_value *arguments) {
    struct http_upload *upload = &building->upload;
    if (!read_path(building, "file", arguments[UPLOAD_FILE], &upload->path)) {
        return false;
    }
    if (!path_is_file(upload->path)) {
        (void)star_fail(building->thread, "%s: file: " STR_FORMAT " is not a file",
                        building->function, STR_ARGS(upload->path));
        return false;
    }
    upload->field = STR("file");
    upload->filename = path_base(upload->path);
    building->request.upload = upload;
    return optional_text(building, "field", arguments[UPLOAD_FIELD], &upload->field) &&
           optional_text(building, "filename", arguments[UPLOAD_FILENAME], &upload->filename) &&
           (!is_given(arguments[UPLOAD_FIELDS]) ||
            argument_params(building->thread, what(building, "fields"), arguments[UPLOAD_FIELDS],
                            building->arena, &upload->fields));
}

static star_value http_upload(struct star_thread *thread, const struct star_call_info *call) {
    SCRATCH(scratch);
    struct building building = {.thread = thread,
                                .host = modules_host_of(thread),
                                .function = "http.upload",
                                .arena = &scratch,
                                .request = {.method = STR("POST")}};
    // Without `file`, the table has the common parameters in their order.
    star_value common[P_COMMON_COUNT] = {call->arguments[P_URL]};
    for (size_t i = 1; i < P_COMMON_COUNT; i++) {
        common[i] = call->arguments[i + 1];
    }
    const star_value method = call->arguments[UPLOAD_METHOD];
    if ((is_given(method) && !read_method(&building, method)) || !read_common(&building, common) ||
        !read_upload(&building, call->arguments)) {
        return STAR_ERROR;
    }
    return send_built(&building);
}

static const struct star_builtin functions[] = {
    STAR_BUILTIN("http.get", http_get, call_parameters),
    STAR_BUILTIN("http.post", http_post, call_parameters),
    STAR_BUILTIN("http.put", http_put, call_parameters),
    STAR_BUILTIN("http.patch", http_patch, call_parameters),
    STAR_BUILTIN("http.delete", http_delete, call_parameters),
    STAR_BUILTIN("http.head", http_head, call_parameters),
    STAR_BUILTIN("http.request", http_request, request_parameters),
    STAR_BUILTIN("http.upload", http_upload, upload_parameters),
};
const struct builtin_table http_builtins = {"http", functions, ARRAY_COUNT(functions)};
