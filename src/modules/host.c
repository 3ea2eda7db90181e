#include "modules/host.h"

#include "base/context.h"
#include "base/log.h"
#include "base/text.h"

#include <assert.h>
#include <stdlib.h>

struct modules_host *modules_host_new(const struct modules_options *options) {
    struct modules_host *host = memory_alloc(sizeof(*host));
    *host = (struct modules_host){.options = *options, .client = http_client_new(options->context)};
    arena_init(&host->call_arena);
    return host;
}

void modules_host_free(struct modules_host *host) {
    if (host != NULL) {
        http_client_free(host->client);
        arena_done(&host->call_arena);
        free(host);
    }
}

void modules_host_print(void *host, const char *text, size_t size) {
    const struct modules_options *options = &((struct modules_host *)host)->options;
    SCRATCH(scratch);
    const str line = str_format(&scratch, STR_FORMAT STR_FORMAT, STR_ARGS(options->print_prefix),
                                STR_ARGS(((str){text, size})));
    log_line(options->context->log, line);
}

struct modules_host *modules_host_of(struct star_thread *thread) {
    struct modules_host *host = star_thread_user(thread);
    assert(host != NULL);
    return host;
}

void modules_call_begin(struct modules_host *host, const struct modules_call *call) {
    host->call = *call;
    host->first_unasked = NULL;
    host->last_unasked = NULL;
    host->note = (str){NULL, 0};
    arena_reset(&host->call_arena);
}

str modules_call_note(const struct modules_host *host) {
    return host->note;
}

struct unasked *modules_note_unasked(struct modules_host *host, str message) {
    struct unasked *unasked = ARENA_NEW(&host->call_arena, struct unasked);
    unasked->message = str_copy(&host->call_arena, message);
    if (host->last_unasked != NULL) {
        host->last_unasked->next = unasked;
    } else {
        host->first_unasked = unasked;
    }
    host->last_unasked = unasked;
    return unasked;
}

enum error_code modules_call_end(struct modules_host *host, struct error *err) {
    for (const struct unasked *unasked = host->first_unasked; unasked != NULL;
         unasked = unasked->next) {
        if (!unasked->asked) {
            return error_rule(err, ERROR_REMOTE, "http.status", STR_FORMAT,
                              STR_ARGS(unasked->message));
        }
    }
    return ERROR_NONE;
}

star_value modules_fail(struct star_thread *thread, const struct error *err) {
    enum star_status status = STAR_HOST;
    if (err->code == ERROR_CANCELLED) {
        status = STAR_CANCELLED;
    } else if (err->code == ERROR_INVALID) {
        status = STAR_FAILED;
    }
    (void)star_fail_host(thread, status, (int)err->code, "%s", err->message);
    if (err->hint[0] != '\0') {
        star_fail_hint(thread, "%s", err->hint);
    }
    return STAR_ERROR;
}
