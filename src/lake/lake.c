// Opening DuckDB, its connections, and stopping them.

#include "lake/lake.h"

#include "base/environment.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "lake/duckdb_api.h"
#include "lake/transaction.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

// ── Finding what the program brings along ──

enum { PLACES_MAX = 4 };

// Where libraries and extensions may lie, best first: the developer's folder, beside the build, and
// where a package puts them.
static size_t dependency_places(const struct context *context, struct arena *arena,
                                const char *folder, str places[PLACES_MAX]) {
    size_t count = 0;
    str deps = {0};
    if (context->environment != NULL &&
        environment_get(context->environment, STR("COYPU_DEPS_DIR"), &deps)) {
        places[count++] = path_join(arena, deps, str_from(folder));
    }
    if (!str_is_empty(context->program_directory)) {
        const str up = path_join(arena, context->program_directory, STR(".."));
        places[count++] = path_join(arena, path_join(arena, up, STR("deps")), str_from(folder));
        places[count++] =
            path_join(arena, path_join(arena, up, STR("lib/coypu")), str_from(folder));
        places[count++] = path_join(arena, up, STR("lib/coypu"));
    }
    return count;
}

static enum error_code load_duckdb(struct lake *lake, const struct lake_options *options,
                                   struct error *err) {
    static const char *const names[] = {DUCKDB_API(LIBRARY_NAME)};
    _Static_assert(sizeof(struct duckdb_api) == sizeof(names),
                   "one pointer a function, in the order of the names");
    struct arena *arena = &lake->arena;
    const char *paths[PLACES_MAX + 2] = {NULL};
    size_t count = 0;
    if (!str_is_empty(options->library_path)) {
        paths[count++] = str_to_cstring(arena, options->library_path);
    } else {
        str places[PLACES_MAX];
        const size_t found = dependency_places(lake->context, arena, "lib", places);
        for (size_t i = 0; i < found; i++) {
            const str path = path_join(arena, places[i], STR("libduckdb.so"));
            if (path_is_file(path)) {
                paths[count++] = str_to_cstring(arena, path);
            }
        }
        paths[count++] = "libduckdb.so";
    }
    const enum error_code code = library_load(paths, names, ARRAY_COUNT(names), &lake->api, err);
    if (code != ERROR_NONE) {
        error_context(err, "DuckDB is needed");
        error_hint(err,
                   "run ./dev setup, or set COYPU_DEPS_DIR to the folder with lib/libduckdb.so");
    }
    return code;
}

static str extension_folder(struct lake *lake, const struct lake_options *options) {
    if (!str_is_empty(options->extension_directory)) {
        return str_copy(&lake->arena, options->extension_directory);
    }
    str places[PLACES_MAX];
    const size_t count = dependency_places(lake->context, &lake->arena, "extensions", places);
    for (size_t i = 0; i < count; i++) {
        if (path_is_file(path_join(&lake->arena, places[i], STR("ducklake.duckdb_extension")))) {
            return places[i];
        }
    }
    return count > 0 ? places[0] : STR("extensions");
}

static str cache_folder(struct lake *lake, const struct lake_options *options) {
    if (!str_is_empty(options->cache_directory)) {
        return str_copy(&lake->arena, options->cache_directory);
    }
    struct environment *environment = lake->context->environment;
    str base = {0};
    if (environment == NULL) {
        return base;
    }
    if (environment_get(environment, STR("XDG_CACHE_HOME"), &base) && path_is_absolute(base)) {
        return path_join(&lake->arena, base, STR("coypu"));
    }
    if (environment_get(environment, STR("HOME"), &base)) {
        return path_join(&lake->arena, base, STR(".cache/coypu"));
    }
    return (str){0};
}

// ── The watcher ──
// Waits for the context's interrupt and then interrupts whatever runs, again and again until the
// lake closes: a statement may begin just after the first call.

enum { WATCHER_REPEAT_MS = 50 };

static void interrupt_running(struct lake *lake) {
    pthread_mutex_lock(&lake->lock);
    for (struct lake_connection *c = lake->shared.connections; c != NULL; c = c->next) {
        if (atomic_load(&c->is_interruptible)) {
            lake->api.duckdb_interrupt(c->handle);
        }
    }
    pthread_mutex_unlock(&lake->lock);
}

static void *watch(void *argument) {
    struct lake *lake = argument;
    struct pollfd fds[] = {
        {.fd = lake->stop_fd, .events = POLLIN},
        {.fd = lake->context->interrupt->wake_fd, .events = POLLIN},
    };
    int timeout_ms = -1;
    nfds_t count = ARRAY_COUNT(fds);
    while (true) {
        (void)poll(fds, count, timeout_ms);
        if ((fds[0].revents & POLLIN) != 0) {
            return NULL;
        }
        if (interrupt_is_raised(lake->context->interrupt)) {
            interrupt_running(lake);
            timeout_ms = WATCHER_REPEAT_MS;
            count = 1; // wake_fd stays readable
        }
    }
}

static enum error_code watcher_start(struct lake *lake, struct error *err) {
    const struct interrupt *interrupt = lake->context->interrupt;
    if (interrupt == NULL || interrupt->wake_fd < 0) {
        return ERROR_NONE;
    }
    lake->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (lake->stop_fd < 0 || pthread_create(&lake->watcher, NULL, watch, lake) != 0) {
        return error_set(err, ERROR_IO, "cannot start the thread that watches for interrupts");
    }
    lake->has_watcher = true;
    return ERROR_NONE;
}

static void watcher_stop(struct lake *lake) {
    if (lake->has_watcher) {
        const uint64_t one = 1;
        ssize_t written = write(lake->stop_fd, &one, sizeof(one));
        (void)written; // an eventfd takes a 1 always
        pthread_join(lake->watcher, NULL);
    }
    if (lake->stop_fd >= 0) {
        close(lake->stop_fd);
    }
}

// ── The database ──

static void set_text(const struct duckdb_api *api, duckdb_config config, const char *name,
                     str value) {
    SCRATCH(scratch);
    if (!str_is_empty(value)) {
        (void)api->duckdb_set_config(config, name, str_to_cstring(&scratch, value));
    }
}

static enum error_code open_database(struct lake *lake, const struct lake_options *options,
                                     struct error *err) {
    const struct duckdb_api *api = &lake->api;
    duckdb_config config = NULL;
    if (api->duckdb_create_config(&config) != DuckDBSuccess) {
        return error_set(err, ERROR_INTERNAL, "DuckDB gives no configuration");
    }
    set_text(api, config, "allow_unsigned_extensions",
             options->signed_extensions ? STR("false") : STR("true"));
    set_text(api, config, "autoinstall_known_extensions", STR("false"));
    set_text(api, config, "autoload_known_extensions", STR("false"));
    set_text(api, config, "errors_as_json", STR("true"));
    set_text(api, config, "temp_directory", options->temp_directory);
    if (options->threads > 0) {
        char threads[16];
        snprintf(threads, sizeof(threads), "%d", options->threads);
        (void)api->duckdb_set_config(config, "threads", threads);
    }
    char *message = NULL;
    const duckdb_state state = api->duckdb_open_ext(NULL, &lake->database, config, &message);
    api->duckdb_destroy_config(&config);
    enum error_code code = ERROR_NONE;
    if (state != DuckDBSuccess) {
        (void)duckdb_error_read((str){0}, message, err);
        error_context(err, "cannot open DuckDB");
        code = err->code;
    }
    api->duckdb_free(message);
    return code;
}

enum error_code lake_open(const struct context *context, const struct lake_options *options,
                          struct lake **out, struct error *err) {
    struct lake *lake = memory_alloc(sizeof(*lake));
    *lake = (struct lake){.context = context, .stop_fd = -1};
    arena_init(&lake->arena);
    pthread_mutex_init(&lake->lock, NULL);
    enum error_code code = load_duckdb(lake, options, err);
    if (code == ERROR_NONE) {
        lake->extension_directory = extension_folder(lake, options);
        lake->cache_directory = cache_folder(lake, options);
        lake->signed_extensions = options->signed_extensions;
        code = open_database(lake, options, err);
    }
    if (code == ERROR_NONE) {
        code = watcher_start(lake, err);
    }
    if (code != ERROR_NONE) {
        lake_close(lake);
        lake = NULL;
    }
    *out = lake;
    return code;
}

void lake_close(struct lake *lake) {
    if (lake == NULL) {
        return;
    }
    watcher_stop(lake);
    while (lake->shared.connections != NULL) {
        // lake_disconnect takes it off the list; the analyzer does not see that.
        lake_disconnect(lake->shared.connections); // NOLINT(clang-analyzer-unix.Malloc)
    }
    if (lake->database != NULL) {
        lake->api.duckdb_close(&lake->database);
    }
    pthread_mutex_destroy(&lake->lock);
    arena_done(&lake->arena);
    free(lake);
}

str lake_duckdb_version(const struct lake *lake) {
    return str_from(lake->api.duckdb_library_version());
}

// ── Connections ──

enum error_code lake_connect(struct lake *lake, struct lake_connection **out, struct error *err) {
    *out = NULL;
    struct lake_connection *connection = memory_alloc(sizeof(*connection));
    *connection = (struct lake_connection){.lake = lake};
    atomic_init(&connection->is_interruptible, false);
    atomic_init(&connection->was_interrupted, false);
    if (lake->api.duckdb_connect(lake->database, &connection->handle) != DuckDBSuccess) {
        free(connection);
        return error_set(err, ERROR_INTERNAL, "DuckDB gives no connection");
    }
    pthread_mutex_lock(&lake->lock);
    connection->next = lake->shared.connections;
    lake->shared.connections = connection;
    pthread_mutex_unlock(&lake->lock);
    *out = connection;
    return ERROR_NONE;
}

static void forget(struct lake *lake, const struct lake_connection *connection) {
    pthread_mutex_lock(&lake->lock);
    struct lake_connection **link = &lake->shared.connections;
    while (*link != NULL && *link != connection) {
        link = &(*link)->next;
    }
    if (*link != NULL) {
        *link = connection->next;
    }
    pthread_mutex_unlock(&lake->lock);
}

void lake_disconnect(struct lake_connection *connection) {
    if (connection == NULL) {
        return;
    }
    lake_rollback(connection);
    forget(connection->lake, connection);
    connection->lake->api.duckdb_disconnect(&connection->handle);
    free(connection);
}

uint64_t lake_connection_id(const struct lake_connection *connection) {
    const struct duckdb_api *api = &connection->lake->api;
    duckdb_client_context context = NULL;
    api->duckdb_connection_get_client_context(connection->handle, &context);
    const uint64_t id = api->duckdb_client_context_get_connection_id(context);
    api->duckdb_destroy_client_context(&context);
    return id;
}

struct lake *lake_of(const struct lake_connection *connection) {
    return connection->lake;
}

void lake_interrupt(struct lake_connection *connection) {
    atomic_store(&connection->was_interrupted, true);
    connection->lake->api.duckdb_interrupt(connection->handle);
}
