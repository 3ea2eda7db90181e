#include "lib/api_read.h"

#include "lib/api_auth.h"
#include "lib/api_value.h"

// The keys of each dict.  The enum and the table stand side by side: a key is its index.
enum {
    TOP_BASE_URL,
    TOP_AUTH,
    TOP_HEADERS,
    TOP_TIMEOUT,
    TOP_RETRY,
    TOP_BACKOFF,
    TOP_RATE_LIMIT,
    TOP_FETCH,
    TOP_PUSH,
    TOP_SYNC,
    TOP_COUNT,
};
static const str top_keys[TOP_COUNT] = {
    STR_INIT("base_url"), STR_INIT("auth"),    STR_INIT("headers"),    STR_INIT("timeout"),
    STR_INIT("retry"),    STR_INIT("backoff"), STR_INIT("rate_limit"), STR_INIT("fetch"),
    STR_INIT("push"),     STR_INIT("sync"),
};

enum {
    FETCH_ARGS,
    FETCH_PAGE_SIZE,
    FETCH_COLUMNS_SUPPORTED,
    FETCH_KINDS_SUPPORTED,
    FETCH_ASYNC,
    FETCH_MODE,
    FETCH_POLL_INTERVAL,
    FETCH_POLL_TIMEOUT,
    FETCH_POLL_BACKOFF,
    FETCH_HEADERS,
    FETCH_TIMEOUT,
    FETCH_RETRY,
    FETCH_BACKOFF,
    FETCH_RATE_LIMIT,
    FETCH_COLUMNS,
    FETCH_DYNAMIC_COLUMNS,
    FETCH_COUNT,
};
static const str fetch_keys[FETCH_COUNT] = {
    STR_INIT("args"),
    STR_INIT("page_size"),
    STR_INIT("supported_columns"),
    STR_INIT("supported_kinds"),
    STR_INIT("async"),
    STR_INIT("mode"),
    STR_INIT("poll_interval"),
    STR_INIT("poll_timeout"),
    STR_INIT("poll_backoff"),
    STR_INIT("headers"),
    STR_INIT("timeout"),
    STR_INIT("retry"),
    STR_INIT("backoff"),
    STR_INIT("rate_limit"),
    STR_INIT("columns"),
    STR_INIT("dynamic_columns"),
};

enum {
    PUSH_ARGS,
    PUSH_KINDS_SUPPORTED,
    PUSH_BATCH_SIZE,
    PUSH_BATCH_MODE,
    PUSH_MAX_CONCURRENT,
    PUSH_RATE_LIMIT,
    PUSH_POLL_INTERVAL,
    PUSH_POLL_TIMEOUT,
    PUSH_HEADERS,
    PUSH_TIMEOUT,
    PUSH_RETRY,
    PUSH_BACKOFF,
    PUSH_MAX_ATTEMPTS,
    PUSH_COUNT,
};
static const str push_keys[PUSH_COUNT] = {
    STR_INIT("args"),          STR_INIT("supported_kinds"), STR_INIT("batch_size"),
    STR_INIT("batch_mode"),    STR_INIT("max_concurrent"),  STR_INIT("rate_limit"),
    STR_INIT("poll_interval"), STR_INIT("poll_timeout"),    STR_INIT("headers"),
    STR_INIT("timeout"),       STR_INIT("retry"),           STR_INIT("backoff"),
    STR_INIT("max_attempts"),
};

enum {
    SYNC_RESOURCES,
    SYNC_OPERATIONS,
    SYNC_ID_FIELD,
    SYNC_MODIFIED_FIELD,
    SYNC_FILTER_OPERATORS,
    SYNC_MAX_BATCH,
    SYNC_ATOMIC,
    SYNC_COUNT,
};
static const str sync_keys[SYNC_COUNT] = {
    STR_INIT("resources"),      STR_INIT("operations"),       STR_INIT("id_field"),
    STR_INIT("modified_field"), STR_INIT("filter_operators"), STR_INIT("max_batch"),
    STR_INIT("atomic"),
};

static const str fetch_kinds[] = {STR_INIT("table"), STR_INIT("append"), STR_INIT("merge"),
                                  STR_INIT("scd2"), STR_INIT("tracked")};
static const str push_kinds[] = {STR_INIT("table"), STR_INIT("append"), STR_INIT("merge"),
                                 STR_INIT("tracked")};
static const str batch_modes[] = {STR_INIT("sync"), STR_INIT("atomic"), STR_INIT("async")};
static const str operations[] = {STR_INIT("insert"), STR_INIT("update"), STR_INIT("upsert"),
                                 STR_INIT("delete")};

static const str fetch_kwargs[] = {
    STR_INIT("page"),        STR_INIT("columns"),    STR_INIT("target"),
    STR_INIT("is_backfill"), STR_INIT("last_value"), STR_INIT("initial_value"),
    STR_INIT("last_run"),    STR_INIT("cursor"),     STR_INIT("filters"),
    STR_INIT("save"),        STR_INIT("resource"),
};
static const str push_kwargs[] = {
    STR_INIT("rows"),        STR_INIT("batch_number"), STR_INIT("kind"),
    STR_INIT("key_columns"), STR_INIT("columns"),      STR_INIT("target"),
    STR_INIT("batch_id"),    STR_INIT("resource"),     STR_INIT("operation"),
};

static bool in_table(const str *table, size_t count, str name) {
    for (size_t i = 0; i < count; i++) {
        if (str_equal(table[i], name)) {
            return true;
        }
    }
    return false;
}

bool lib_fetch_kwarg_is_known(str name) {
    return in_table(fetch_kwargs, ARRAY_COUNT(fetch_kwargs), name);
}

bool lib_push_kwarg_is_known(str name) {
    return in_table(push_kwargs, ARRAY_COUNT(push_kwargs), name);
}

// A sync passes `resource` (and `operation`) whether or not a lib declares it as an arg (§6.9), so
// declaring it is no clash.
static bool is_reserved_arg(str name, bool (*is_kwarg)(str name)) {
    return is_kwarg(name) && !str_equal(name, STR("resource")) &&
           !str_equal(name, STR("operation"));
}

static void read_args(const struct api_section *section, size_t key, bool (*is_kwarg)(str name),
                      struct str_list *args) {
    if (!api_strings(section, key, args)) {
        return;
    }
    str path = api_key_path(section, key);
    for (size_t i = 0; i < args->count; i++) {
        const struct lib_literal *at = &section->found[key]->items[i];
        struct str_list before = {.items = args->items, .count = i};
        str name = args->items[i];
        if (!str_is_identifier(name)) {
            api_report(section->reader, at,
                       STR_FORMAT ": \"" STR_FORMAT "\" is not a parameter name", STR_ARGS(path),
                       STR_ARGS(name));
        } else if (is_reserved_arg(name, is_kwarg)) {
            api_report(section->reader, at,
                       STR_FORMAT ": \"" STR_FORMAT "\" is a name that the runtime passes itself",
                       STR_ARGS(path), STR_ARGS(name));
        } else if (str_list_has(&before, name)) {
            api_report(section->reader, at, STR_FORMAT ": \"" STR_FORMAT "\" stands twice",
                       STR_ARGS(path), STR_ARGS(name));
        }
    }
}

static void read_headers(const struct api_section *section, size_t key,
                         struct http_headers *headers) {
    const struct lib_literal *value = section->found[key];
    if (value == NULL) {
        return;
    }
    str path = api_key_path(section, key);
    if (value->kind != LITERAL_DICT) {
        api_report(section->reader, value, STR_FORMAT " must be a dict, got %s", STR_ARGS(path),
                   api_kind_name(value));
        return;
    }
    *headers = (struct http_headers){0};
    for (size_t i = 0; i < value->count; i++) {
        const struct lib_entry *entry = &value->entries[i];
        if (entry->key.kind != LITERAL_STRING || entry->value.kind != LITERAL_STRING) {
            api_report(section->reader,
                       entry->key.kind != LITERAL_STRING ? &entry->key : &entry->value,
                       STR_FORMAT " must map strings to strings", STR_ARGS(path));
            continue;
        }
        struct error bad = {0};
        if (http_header_check(entry->key.text, entry->value.text, &bad) != ERROR_NONE) {
            api_report(section->reader, &entry->key, STR_FORMAT ": %s", STR_ARGS(path),
                       bad.message);
        } else if (http_headers_has(headers, entry->key.text)) {
            api_report(section->reader, &entry->key,
                       STR_FORMAT ": duplicate key \"" STR_FORMAT "\"", STR_ARGS(path),
                       STR_ARGS(entry->key.text));
        } else {
            http_headers_add(section->reader->arena, headers, entry->key.text, entry->value.text);
        }
    }
}

static void read_rate_limit(const struct api_section *section, size_t key, struct lib_http *http) {
    static const str keys[] = {STR_INIT("requests"), STR_INIT("per")};
    const struct lib_literal *value = section->found[key];
    struct api_section limit;
    if (value == NULL ||
        !api_section_read(section->reader, api_key_path(section, key), value, keys, 2, &limit)) {
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        if (limit.found[i] == NULL) {
            api_report(section->reader, value, STR_FORMAT " needs \"" STR_FORMAT "\"",
                       STR_ARGS(limit.path), STR_ARGS(keys[i]));
        }
    }
    (void)api_integer(&limit, 0, 1, &http->rate_requests);
    (void)api_duration(&limit, 1, &http->rate_period_us);
}

static void read_http(const struct api_section *section, size_t headers, size_t timeout,
                      size_t retry, size_t backoff, size_t rate_limit, struct lib_http *http) {
    read_headers(section, headers, &http->headers);
    (void)api_seconds(section, timeout, false, &http->timeout_us);
    (void)api_integer(section, retry, 0, &http->retry);
    (void)api_seconds(section, backoff, true, &http->backoff_us);
    read_rate_limit(section, rate_limit, http);
}

static void report_misplaced(const struct api_section *section, size_t key, const char *only_with) {
    if (section->found[key] != NULL) {
        api_report(section->reader, section->found[key], STR_FORMAT " is only used with %s",
                   STR_ARGS(api_key_path(section, key)), only_with);
    }
}

static void read_fetch_mode(const struct api_section *section, struct lib_fetch *fetch) {
    (void)api_bool(section, FETCH_ASYNC, &fetch->is_async);
    str mode = {0};
    if (!api_string(section, FETCH_MODE, &mode)) {
        return;
    }
    if (str_equal(mode, STR("async"))) {
        fetch->is_async = true;
    } else if (!str_equal(mode, STR("sync"))) {
        api_report(section->reader, section->found[FETCH_MODE],
                   STR_FORMAT ": \"" STR_FORMAT "\" is not one of sync, async",
                   STR_ARGS(api_key_path(section, FETCH_MODE)), STR_ARGS(mode));
    }
}

static void read_poll_backoff(const struct api_section *section, struct lib_fetch *fetch) {
    const struct lib_literal *value = section->found[FETCH_POLL_BACKOFF];
    if (value == NULL) {
        return;
    }
    if ((value->kind != LITERAL_INT && value->kind != LITERAL_FLOAT) || !(value->number >= 1) ||
        value->number > 1e6) {
        api_report(section->reader, value, STR_FORMAT " must be a number of at least 1",
                   STR_ARGS(api_key_path(section, FETCH_POLL_BACKOFF)));
        return;
    }
    fetch->poll_backoff = value->number;
}

static void read_fetch(struct api_reader *reader, const struct lib_literal *literal,
                       const struct lib_http *inherited, struct lib_fetch *fetch) {
    fetch->http = *inherited;
    struct api_section section;
    if (!api_section_read(reader, STR("API.fetch"), literal, fetch_keys, FETCH_COUNT, &section)) {
        return;
    }
    fetch->present = true;
    read_args(&section, FETCH_ARGS, lib_fetch_kwarg_is_known, &fetch->args);
    (void)api_integer(&section, FETCH_PAGE_SIZE, 0, &fetch->page_size);
    fetch->limits_columns =
        api_strings(&section, FETCH_COLUMNS_SUPPORTED, &fetch->supported_columns);
    fetch->limits_kinds = api_choices(&section, FETCH_KINDS_SUPPORTED, fetch_kinds,
                                      ARRAY_COUNT(fetch_kinds), &fetch->supported_kinds);
    read_fetch_mode(&section, fetch);
    (void)api_duration(&section, FETCH_POLL_INTERVAL, &fetch->poll_interval_us);
    (void)api_duration(&section, FETCH_POLL_TIMEOUT, &fetch->poll_timeout_us);
    read_poll_backoff(&section, fetch);
    for (size_t key = FETCH_POLL_INTERVAL; !fetch->is_async && key <= FETCH_POLL_BACKOFF; key++) {
        report_misplaced(&section, key, "\"async\": True");
    }
    read_http(&section, FETCH_HEADERS, FETCH_TIMEOUT, FETCH_RETRY, FETCH_BACKOFF, FETCH_RATE_LIMIT,
              &fetch->http);
    for (size_t key = FETCH_COLUMNS; key <= FETCH_DYNAMIC_COLUMNS; key++) {
        if (section.found[key] != NULL) {
            api_report(reader, section.found[key],
                       STR_FORMAT " was removed: the SELECT of the model says which columns there "
                                  "are, use supported_columns to limit them",
                       STR_ARGS(api_key_path(&section, key)));
        }
    }
}

static void read_batch_mode(const struct api_section *section, struct lib_push *push) {
    str mode = {0};
    if (!api_string(section, PUSH_BATCH_MODE, &mode)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_COUNT(batch_modes); i++) {
        if (str_equal(batch_modes[i], mode)) {
            push->batch_mode = (enum lib_batch_mode)i;
            return;
        }
    }
    api_report(section->reader, section->found[PUSH_BATCH_MODE],
               STR_FORMAT ": \"" STR_FORMAT "\" is not one of sync, atomic, async",
               STR_ARGS(api_key_path(section, PUSH_BATCH_MODE)), STR_ARGS(mode));
}

static void check_push_mode(const struct api_section *section, const struct lib_push *push) {
    if (push->max_concurrent > 1 && push->batch_mode != LIB_BATCH_SYNC) {
        api_report(section->reader, section->found[PUSH_MAX_CONCURRENT],
                   "API.push.max_concurrent above 1 is only used with \"batch_mode\": \"sync\"");
    }
    if (push->batch_mode != LIB_BATCH_ASYNC) {
        report_misplaced(section, PUSH_POLL_INTERVAL, "\"batch_mode\": \"async\"");
        report_misplaced(section, PUSH_POLL_TIMEOUT, "\"batch_mode\": \"async\"");
    }
}

// scd2 has an answer of its own: what to do instead.
static void read_push_kinds(const struct api_section *section, struct lib_push *push) {
    const struct lib_literal *value = section->found[PUSH_KINDS_SUPPORTED];
    for (size_t i = 0; value != NULL && value->kind == LITERAL_LIST && i < value->count; i++) {
        if (value->items[i].kind == LITERAL_STRING &&
            str_equal(value->items[i].text, STR("scd2"))) {
            api_report(section->reader, &value->items[i],
                       "API.push.supported_kinds: scd2 cannot be pushed, use kind table with WHERE "
                       "is_current = true");
            return;
        }
    }
    push->limits_kinds = api_choices(section, PUSH_KINDS_SUPPORTED, push_kinds,
                                     ARRAY_COUNT(push_kinds), &push->supported_kinds);
}

// A mistake in it has a public rule of its own.
static void read_push_duration(const struct api_section *section, size_t key, const char *rule,
                               int64_t *out_us) {
    struct error_list *errors = section->reader->errors;
    const size_t before = errors->count;
    (void)api_duration(section, key, out_us);
    for (size_t i = before; i < errors->count; i++) {
        errors->items[i].rule = rule;
    }
}

static void read_push(struct api_reader *reader, const struct lib_literal *literal,
                      const struct lib_http *inherited, struct lib_push *push) {
    push->http = *inherited;
    struct api_section section;
    if (!api_section_read(reader, STR("API.push"), literal, push_keys, PUSH_COUNT, &section)) {
        return;
    }
    push->present = true;
    read_args(&section, PUSH_ARGS, lib_push_kwarg_is_known, &push->args);
    read_push_kinds(&section, push);
    push->has_batch_size = api_integer(&section, PUSH_BATCH_SIZE, 1, &push->batch_size);
    read_batch_mode(&section, push);
    (void)api_integer(&section, PUSH_MAX_CONCURRENT, 1, &push->max_concurrent);
    read_push_duration(&section, PUSH_POLL_INTERVAL, "push.invalid_poll_interval",
                       &push->poll_interval_us);
    read_push_duration(&section, PUSH_POLL_TIMEOUT, "push.invalid_poll_timeout",
                       &push->poll_timeout_us);
    check_push_mode(&section, push);
    read_http(&section, PUSH_HEADERS, PUSH_TIMEOUT, PUSH_RETRY, PUSH_BACKOFF, PUSH_RATE_LIMIT,
              &push->http);
    (void)api_integer(&section, PUSH_MAX_ATTEMPTS, 0, &push->max_attempts);
}

static void read_sync(struct api_reader *reader, const struct lib_literal *literal,
                      struct lib_sync *sync) {
    struct api_section section;
    if (!api_section_read(reader, STR("API.sync"), literal, sync_keys, SYNC_COUNT, &section)) {
        return;
    }
    sync->present = true;
    (void)api_strings(&section, SYNC_RESOURCES, &sync->resources);
    (void)api_choices(&section, SYNC_OPERATIONS, operations, ARRAY_COUNT(operations),
                      &sync->operations);
    (void)api_string(&section, SYNC_ID_FIELD, &sync->id_field);
    (void)api_string(&section, SYNC_MODIFIED_FIELD, &sync->modified_field);
    (void)api_strings(&section, SYNC_FILTER_OPERATORS, &sync->filter_operators);
    (void)api_integer(&section, SYNC_MAX_BATCH, 1, &sync->max_batch);
    (void)api_bool(&section, SYNC_ATOMIC, &sync->atomic);
}

static void read_base_url(const struct api_section *section, str *base_url) {
    str url = {0};
    if (!api_string(section, TOP_BASE_URL, &url)) {
        return;
    }
    // `${API_URL}/v1` is judged at run time, when the variable is known.
    if (!str_starts_with(url, STR("http://")) && !str_starts_with(url, STR("https://")) &&
        !str_starts_with(url, STR("${"))) {
        api_report(section->reader, section->found[TOP_BASE_URL],
                   "API.base_url must begin with http:// or https://, got \"" STR_FORMAT "\"",
                   STR_ARGS(url));
        return;
    }
    *base_url = url;
}

void lib_api_read(struct arena *arena, const struct api_source *source,
                  const struct lib_literal *literal, struct lib_api *api,
                  struct error_list *errors) {
    struct api_reader reader = {.arena = arena, .source = source, .errors = errors};
    const int64_t second_us = INT64_C(1000000);
    *api = (struct lib_api){
        .fetch = {.poll_interval_us = 5 * second_us,
                  .poll_timeout_us = 300 * second_us,
                  .poll_backoff = 1},
        .push = {.batch_size = 1,
                 .max_concurrent = 1,
                 .poll_interval_us = 30 * second_us,
                 .poll_timeout_us = 3600 * second_us},
    };
    struct api_section top;
    if (!api_section_read(&reader, STR("API"), literal, top_keys, TOP_COUNT, &top)) {
        return;
    }
    struct lib_http shared = {.timeout_us = 30 * second_us, .backoff_us = second_us};
    read_base_url(&top, &api->base_url);
    if (top.found[TOP_AUTH] != NULL) {
        api_auth_read(&reader, STR("API.auth"), top.found[TOP_AUTH], &api->auth);
    }
    read_http(&top, TOP_HEADERS, TOP_TIMEOUT, TOP_RETRY, TOP_BACKOFF, TOP_RATE_LIMIT, &shared);
    if (top.found[TOP_FETCH] != NULL) {
        read_fetch(&reader, top.found[TOP_FETCH], &shared, &api->fetch);
    }
    if (top.found[TOP_PUSH] != NULL) {
        read_push(&reader, top.found[TOP_PUSH], &shared, &api->push);
    }
    if (top.found[TOP_SYNC] != NULL) {
        read_sync(&reader, top.found[TOP_SYNC], &api->sync);
    }
    bool written = false;
    for (size_t i = 0; i < literal->count; i++) {
        const struct lib_literal *key = &literal->entries[i].key;
        written = written || (key->kind == LITERAL_STRING && (str_equal(key->text, STR("fetch")) ||
                                                              str_equal(key->text, STR("push"))));
    }
    if (!written) {
        api_report(&reader, literal, "API needs \"fetch\" or \"push\"");
    }
}
