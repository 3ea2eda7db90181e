#ifndef MODULES_HOST_H
#define MODULES_HOST_H

// The inside of struct modules_host, for the files of this folder alone.

#include "base/arena.h"
#include "modules/modules.h"

// A 429 or 5xx answer whose status the script has not asked for yet.
struct unasked {
    struct unasked *next;
    bool asked;
    str message; // what it raises
};

struct modules_host {
    struct modules_options options;
    struct http_client *client;
    struct modules_call call;
    struct arena call_arena; // until the next modules_call_begin
    struct unasked *first_unasked;
    struct unasked *last_unasked;
    str note; // for the hint of an error of this call; empty: none
};

struct modules_host *modules_host_of(struct star_thread *thread);

// Notes a failed answer of this call; the message is copied.
struct unasked *modules_note_unasked(struct modules_host *host, str message);

#endif
