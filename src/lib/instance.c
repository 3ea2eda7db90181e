// Running a lib file: module instances, the workers that call into them, and what stops them.
//
// A module's top level runs on a thread of the instance, its globals are then frozen and shared.  A
// watcher thread sleeps until the interrupt is raised and cancels every worker: a script in an
// endless loop looks at nothing else.

#include "base/environment.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "lib/program.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LOAD_DEPTH_MAX = 64 }; // files that load each other in a chain

// A file that was loaded, once an instance.
struct loaded {
    str file;
    struct star_module *module; // NULL while its top level runs
    struct loaded *next;
    struct star_program *program; // the instance's own reference; NULL for the lib's own program
};

struct lib_instance {
    const struct lib_set *set;
    const struct lib *lib;
    struct lib_instance_options options;
    struct context context; // the set's, with the run's interrupt
    str print_prefix;       // "[model lib] "; empty: lines are printed as they are
    struct arena arena;
    struct http_api *api;
    struct lib_worker *main; // where top levels run; holds the predeclared values
    struct star_module *module;
    struct loaded *loaded; // newest first
    struct map sources;    // the set's, and those loaded since
    int load_depth;

    pthread_mutex_t lock; // guards `workers`
    struct lib_worker *workers;
    int stop_fd; // wakes the watcher; -1: no watcher runs
    pthread_t watcher;
};

struct lib_worker {
    struct lib_instance *instance;
    struct modules_host *host; // a sibling's when `owns_host` is false
    bool owns_host;
    struct star_thread *thread;
    struct lib_worker *next; // of the instance
};

struct star_thread *lib_worker_thread(struct lib_worker *worker) {
    return worker->thread;
}

void lib_worker_reset(struct lib_worker *worker) {
    star_thread_reset(worker->thread);
    if (interrupt_is_raised(worker->instance->context.interrupt)) {
        star_thread_cancel(worker->thread);
    }
}

// ---- stopping -----------------------------------------------------------------------------------

static void cancel_workers(struct lib_instance *instance) {
    pthread_mutex_lock(&instance->lock);
    for (struct lib_worker *worker = instance->workers; worker != NULL; worker = worker->next) {
        star_thread_cancel(worker->thread);
    }
    pthread_mutex_unlock(&instance->lock);
}

static void *watch(void *user) {
    struct lib_instance *instance = user;
    struct pollfd fds[2] = {{.fd = instance->context.interrupt->wake_fd, .events = POLLIN},
                            {.fd = instance->stop_fd, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0) {
    }
    if (fds[0].revents != 0) {
        cancel_workers(instance);
    }
    return NULL;
}

static void watcher_start(struct lib_instance *instance) {
    instance->stop_fd = -1;
    struct interrupt *interrupt = instance->context.interrupt;
    if (interrupt == NULL || interrupt->wake_fd < 0) {
        return;
    }
    instance->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (instance->stop_fd >= 0 && pthread_create(&instance->watcher, NULL, watch, instance) != 0) {
        close(instance->stop_fd);
        instance->stop_fd = -1;
    }
}

static void watcher_stop(struct lib_instance *instance) {
    if (instance->stop_fd < 0) {
        return;
    }
    uint64_t one = 1;
    (void)!write(instance->stop_fd, &one, sizeof(one));
    pthread_join(instance->watcher, NULL);
    close(instance->stop_fd);
    instance->stop_fd = -1;
}

// ---- workers ------------------------------------------------------------------------------------

static uint64_t limit_from_environment(const struct context *context, str name, uint64_t fallback) {
    str value = {0};
    uint64_t number = 0;
    if (context->environment != NULL && environment_get(context->environment, name, &value) &&
        str_parse_uint64(str_trim(value), &number)) {
        return number;
    }
    return fallback;
}

static struct star_limits limits_of(const struct context *context) {
    const uint64_t memory_default = (uint64_t)4 << 30;
    struct star_limits limits = STAR_LIMITS_DEFAULT;
    limits.steps = limit_from_environment(context, STR("COYPU_MAX_STEPS"), 0);
    limits.memory_bytes = limit_from_environment(context, STR("COYPU_MAX_MEMORY"), memory_default);
    return limits;
}

static enum error_code worker_start(struct lib_instance *instance, struct modules_host *host,
                                    bool owns_host, struct lib_worker **worker, struct error *err) {
    struct star_thread *thread =
        star_thread_new(&(struct star_thread_options){.limits = limits_of(&instance->context),
                                                      .print = modules_host_print,
                                                      .print_user = host,
                                                      .user = host});
    if (thread == NULL) {
        if (owns_host) {
            modules_host_free(host);
        }
        return error_set(err, ERROR_LIMIT, "out of memory while starting an interpreter");
    }
    *worker = memory_alloc(sizeof(**worker));
    **worker = (struct lib_worker){
        .instance = instance, .host = host, .owns_host = owns_host, .thread = thread};
    pthread_mutex_lock(&instance->lock);
    (*worker)->next = instance->workers;
    instance->workers = *worker;
    pthread_mutex_unlock(&instance->lock);
    if (interrupt_is_raised(instance->context.interrupt)) {
        star_thread_cancel(thread);
    }
    return ERROR_NONE;
}

enum error_code lib_worker_new(struct lib_instance *instance, struct lib_worker **worker,
                               struct error *err) {
    struct modules_host *host =
        modules_host_new(&(struct modules_options){.context = &instance->context,
                                                   .project_root = instance->set->project,
                                                   .file = instance->lib->file,
                                                   .print_prefix = instance->print_prefix,
                                                   .api = instance->api,
                                                   .data = instance->options.data,
                                                   .incremental = instance->options.incremental});
    return worker_start(instance, host, true, worker, err);
}

enum error_code lib_worker_share(struct lib_worker *sibling, struct lib_worker **worker,
                                 struct error *err) {
    return worker_start(sibling->instance, sibling->host, false, worker, err);
}

void lib_worker_free(struct lib_worker *worker) {
    if (worker == NULL) {
        return;
    }
    struct lib_instance *instance = worker->instance;
    pthread_mutex_lock(&instance->lock);
    struct lib_worker **link = &instance->workers;
    while (*link != worker) {
        link = &(*link)->next;
    }
    *link = worker->next;
    pthread_mutex_unlock(&instance->lock);
    star_thread_free(worker->thread);
    if (worker->owns_host) {
        modules_host_free(worker->host);
    }
    free(worker);
}

// ---- modules ------------------------------------------------------------------------------------

static struct star_module *load_module(struct star_thread *thread, void *user, const char *file,
                                       const char *name);

static struct star_module *run_top_level(struct lib_instance *instance, struct star_thread *thread,
                                         struct star_program *program) {
    struct star_binding bindings[LIB_PREDECLARED_MAX];
    size_t count = lib_predeclared_bind(thread, bindings);
    if (count == 0) {
        return NULL; // the thread has the error
    }
    struct star_environment environment = {.predeclared = bindings,
                                           .predeclared_count = count,
                                           .load = load_module,
                                           .load_user = instance};
    return star_module_init(thread, program, &environment);
}

// "lib/helper.star" inside the project, with symlinks resolved.
static enum error_code resolve_load(struct lib_instance *instance, str name, str *path,
                                    struct error *err) {
    if (path_is_absolute(name)) {
        return error_set(err, ERROR_INVALID, "path traversal not allowed");
    }
    str joined = path_join(&instance->arena, instance->set->project, name);
    TRY(path_real(&instance->arena, joined, path, err));
    if (!path_is_inside(*path, instance->set->project)) {
        return error_set(err, ERROR_INVALID, "path traversal not allowed");
    }
    return ERROR_NONE;
}

static enum error_code compile_loaded(struct lib_instance *instance, struct loaded *entry, str path,
                                      struct error *err) {
    str *text = ARENA_NEW(&instance->arena, str);
    TRY(file_read(&instance->arena, path, text, err));
    (void)map_set(&instance->sources, entry->file, text);
    struct error_list errors;
    error_list_init(&errors, &instance->arena);
    struct lib_program *program =
        lib_program_compile(&instance->arena, entry->file, *text, &errors);
    if (program == NULL) {
        *err = errors.items[0];
        // The position is told in the message: the error's own is that of the load.
        return error_set(err, ERROR_INVALID, "%s:%d:%d: %s", errors.items[0].pos.file,
                         errors.items[0].pos.line, errors.items[0].pos.column,
                         errors.items[0].message);
    }
    entry->program = program->program;
    return ERROR_NONE;
}

static struct loaded *find_loaded(struct lib_instance *instance, str file) {
    struct loaded *entry = instance->loaded;
    while (entry != NULL && !str_equal(entry->file, file)) {
        entry = entry->next;
    }
    return entry;
}

static struct star_module *load_module(struct star_thread *thread, void *user, const char *file,
                                       const char *name) {
    (void)file;
    struct lib_instance *instance = user;
    struct error err = {0};
    str path = {0};
    if (resolve_load(instance, str_from(name), &path, &err) != ERROR_NONE) {
        star_fail(thread, "cannot load %s: %s", name, err.message);
        return NULL;
    }
    str relative = str_from_offset(path, instance->set->project.size + 1);
    struct loaded *entry = find_loaded(instance, relative);
    if (entry != NULL && entry->module == NULL) {
        star_fail(thread, "cannot load %s: import cycle", name);
        return NULL;
    }
    if (entry != NULL) {
        return entry->module;
    }
    if (instance->load_depth == LOAD_DEPTH_MAX) {
        star_fail(thread, "cannot load %s: more than %d files load each other", name,
                  LOAD_DEPTH_MAX);
        return NULL;
    }
    entry = ARENA_NEW(&instance->arena, struct loaded);
    *entry = (struct loaded){.file = relative, .next = instance->loaded};
    instance->loaded = entry;
    if (compile_loaded(instance, entry, path, &err) != ERROR_NONE) {
        star_fail(thread, "cannot load %s: %s", name, err.message);
        return NULL;
    }
    instance->load_depth++;
    entry->module = run_top_level(instance, thread, entry->program);
    instance->load_depth--;
    return entry->module;
}

static void free_loaded(struct lib_instance *instance) {
    for (struct loaded *entry = instance->loaded; entry != NULL; entry = entry->next) {
        if (entry->module != NULL) {
            star_module_free(entry->module);
        }
        if (entry->program != NULL) {
            star_program_free(entry->program);
        }
    }
}

// ---- instances ----------------------------------------------------------------------------------

static enum error_code expand(struct lib_instance *instance, str value, str *expanded,
                              struct error *err) {
    if (instance->context.environment == NULL) {
        *expanded = value;
        return ERROR_NONE;
    }
    struct error inner = {0};
    enum error_code code = environment_expand(instance->context.environment, &instance->arena,
                                              instance->lib->file, value, expanded, &inner);
    if (code != ERROR_NONE) {
        // The position in the value means nothing to the reader of the file.
        *err = inner;
        error_at(err, instance->lib->file, instance->lib->api_line, 0);
    }
    return code;
}

static enum error_code make_api(struct lib_instance *instance, struct error *err) {
    const struct lib_api *api = &instance->lib->api;
    bool is_fetch = instance->options.direction == LIB_FETCH;
    const struct lib_http *http = is_fetch ? &api->fetch.http : &api->push.http;
    struct http_config config = {
        .name = instance->lib->file,
        .timeout_us = http->timeout_us,
        .retry = http->retry,
        .has_backoff = true,
        .backoff_us = http->backoff_us,
        .rate_limit = is_fetch ? instance->lib->fetch_limiter : instance->lib->push_limiter,
        .auth_hosts = api->auth.hosts,
        .warn = instance->options.warn,
        .warn_self = instance->options.warn_self,
    };
    TRY(expand(instance, api->base_url, &config.base_url, err));
    for (size_t i = 0; i < http->headers.count; i++) {
        str value = {0};
        TRY(expand(instance, http->headers.items[i].value, &value, err));
        http_headers_add(&instance->arena, &config.headers, http->headers.items[i].name, value);
    }
    if (instance->context.environment != NULL) {
        TRY(http_auth_resolve(&api->auth, instance->context.environment, instance->context.redactor,
                              instance->lib->file, &instance->arena, &config.auth, err));
    }
    instance->api = http_api_new(&config);
    return ERROR_NONE;
}

static enum error_code instance_start(struct lib_instance *instance, struct error *err) {
    TRY(make_api(instance, err));
    TRY(lib_worker_new(instance, &instance->main, err));
    modules_call_begin(instance->main->host, &(struct modules_call){0});
    instance->module =
        run_top_level(instance, instance->main->thread, instance->lib->program->program);
    if (instance->module == NULL) {
        enum error_code code = lib_error_from_star(instance->main->thread, &instance->sources, err);
        error_context(err, "lib " STR_FORMAT, STR_ARGS(instance->lib->name));
        return code;
    }
    // `main` is never reset: the values of the predeclared names live in its heap.
    return ERROR_NONE;
}

enum error_code lib_instance_new(const struct lib_set *set, const struct lib *lib,
                                 const struct lib_instance_options *options,
                                 struct lib_instance **result, struct error *err) {
    if (lib->broken || lib->program == NULL) {
        return error_set(err, ERROR_INVALID, "lib " STR_FORMAT " has errors", STR_ARGS(lib->name));
    }
    struct lib_instance *instance = memory_alloc(sizeof(*instance));
    *instance = (struct lib_instance){
        .set = set, .lib = lib, .options = *options, .context = *set->context, .stop_fd = -1};
    if (options->interrupt != NULL) {
        instance->context.interrupt = options->interrupt;
    }
    arena_init(&instance->arena);
    if (!str_is_empty(options->prints_as)) {
        instance->print_prefix = str_format(&instance->arena, "[" STR_FORMAT " " STR_FORMAT "] ",
                                            STR_ARGS(options->prints_as), STR_ARGS(lib->name));
    }
    pthread_mutex_init(&instance->lock, NULL);
    map_init(&instance->sources, &instance->arena);
    for (size_t i = 0; i < set->sources.count; i++) {
        (void)map_set(&instance->sources, set->sources.entries[i].key,
                      set->sources.entries[i].value);
    }
    watcher_start(instance);
    enum error_code code = instance_start(instance, err);
    if (code != ERROR_NONE) {
        lib_instance_free(instance);
        return code;
    }
    *result = instance;
    return ERROR_NONE;
}

void lib_instance_free(struct lib_instance *instance) {
    if (instance == NULL) {
        return;
    }
    watcher_stop(instance);
    if (instance->module != NULL) {
        star_module_free(instance->module);
    }
    free_loaded(instance);
    lib_worker_free(instance->main);
    if (instance->api != NULL) {
        http_api_free(instance->api);
    }
    pthread_mutex_destroy(&instance->lock);
    arena_done(&instance->arena);
    free(instance);
}

// ---- calls --------------------------------------------------------------------------------------

// What the function declares of the arguments; all of it with **kwargs.
static size_t declared_arguments(const struct lib_function *function, const struct lib_call *call,
                                 struct star_binding *out) {
    size_t count = 0;
    for (size_t i = 0; i < call->argument_count; i++) {
        if (function == NULL || lib_function_accepts(function, str_from(call->arguments[i].name))) {
            out[count++] = call->arguments[i];
        }
    }
    return count;
}

str lib_worker_note(const struct lib_worker *worker) {
    return modules_call_note(worker->host);
}

static void add_note(const struct lib_worker *worker, struct error *err) {
    const str note = lib_worker_note(worker);
    if (err->hint[0] == '\0' && note.size > 0) {
        error_hint(err, STR_FORMAT, STR_ARGS(note));
    }
}

static enum error_code call_failed(struct lib_worker *worker, const struct lib_call *call,
                                   bool *aborted, struct error *err) {
    const struct star_error *error = star_thread_error(worker->thread);
    if (error->status == STAR_ABORTED && call->abort_allowed && aborted != NULL) {
        *aborted = true;
        return ERROR_NONE;
    }
    const enum error_code code =
        lib_error_from_star(worker->thread, &worker->instance->sources, err);
    add_note(worker, err);
    return code;
}

enum error_code lib_worker_call(struct lib_worker *worker, const struct lib_call *call,
                                star_value *result, bool *aborted, struct error *err) {
    SCRATCH(scratch);
    const struct lib_function *function =
        lib_function_find(worker->instance->lib, str_from(call->function));
    struct star_binding *named = ARENA_ARRAY(&scratch, struct star_binding, call->argument_count);
    struct star_arguments arguments = {.named = named,
                                       .named_count = declared_arguments(function, call, named)};
    *result = STAR_NONE;
    if (aborted != NULL) {
        *aborted = false;
    }
    modules_call_begin(worker->host, &(struct modules_call){.abort_allowed = call->abort_allowed,
                                                            .batch_number = call->batch_number});
    star_value value =
        star_call(worker->thread, worker->instance->module, call->function, &arguments);
    if (star_is_error(value)) {
        return call_failed(worker, call, aborted, err);
    }
    TRY(modules_call_end(worker->host, err));
    *result = value;
    return ERROR_NONE;
}
