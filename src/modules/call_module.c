// What concerns the call itself: abort, sleep, and the structs incremental, sink and page.
#include "base/clock.h"
#include "base/context.h"
#include "modules/argument.h"
#include "modules/builtins.h"
#include "modules/host.h"

static star_value abort_call(struct star_thread *thread, const struct star_call_info *call) {
    (void)call;
    if (!modules_host_of(thread)->call.abort_allowed) {
        return star_fail(thread, "abort() is only valid in fetch and submit");
    }
    return star_fail_host(thread, STAR_ABORTED, 0, "abort");
}

static star_value sleep_call(struct star_thread *thread, const struct star_call_info *call) {
    const struct context *context = modules_host_of(thread)->options.context;
    struct error err;
    int64_t us = 0;
    if (!argument_seconds(thread, "sleep", call->arguments[0], &us)) {
        return STAR_ERROR;
    }
    if (clock_sleep_us(&context->clock, us, context->interrupt, &err) != ERROR_NONE) {
        return modules_fail(thread, &err);
    }
    return STAR_NONE;
}

static const struct star_parameter none[] = {{"", 0, 0}};
static const struct star_parameter seconds[] = {{"seconds", STAR_REQUIRED, 0}};
static const struct star_builtin functions[] = {
    {"abort", abort_call, none, 0},
    STAR_BUILTIN("sleep", sleep_call, seconds),
};
const struct builtin_table call_builtins = {NULL, functions, ARRAY_COUNT(functions)};

// --- incremental ---------------------------------------------------------------------------------

static star_value incremental_attribute(struct star_thread *thread, star_value self,
                                        const char *data, size_t size) {
    (void)self;
    const struct modules_incremental *state = &modules_host_of(thread)->options.incremental;
    const struct {
        str name;
        str value;
    } fields[] = {
        {STR("last_value"), state->last_value},
        {STR("initial_value"), state->initial_value},
        {STR("last_run"), state->last_run},
        {STR("cursor"), state->cursor},
    };
    const str name = {data, size};
    if (str_equal(name, STR("is_backfill"))) {
        return star_bool(state->is_backfill);
    }
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        if (str_equal(name, fields[i].name)) {
            return value_from_str(thread, fields[i].value);
        }
    }
    return STAR_UNSET;
}

static const char *const incremental_names[] = {"cursor",   "initial_value", "is_backfill",
                                                "last_run", "last_value",    NULL};
static const struct star_type incremental_type = {.name = "incremental",
                                                  .attribute = incremental_attribute,
                                                  .attribute_names = incremental_names};

star_value incremental_new(struct star_thread *thread) {
    return star_host_new(thread, &incremental_type, NULL, 0, 0);
}

// --- sink ----------------------------------------------------------------------------------------

static star_value sink_attribute(struct star_thread *thread, star_value self, const char *data,
                                 size_t size) {
    (void)self;
    if (!str_equal((str){data, size}, STR("batch_number"))) {
        return STAR_UNSET;
    }
    return star_int(thread, modules_host_of(thread)->call.batch_number);
}

static const char *const sink_names[] = {"batch_number", NULL};
static const struct star_type sink_type = {
    .name = "sink", .attribute = sink_attribute, .attribute_names = sink_names};

star_value sink_new(struct star_thread *thread) {
    return star_host_new(thread, &sink_type, NULL, 0, 0);
}

// --- page ----------------------------------------------------------------------------------------

enum { PAGE_CURSOR, PAGE_SIZE, PAGE_NUMBER, PAGE_SLOTS };
static const char *const page_names[] = {"cursor", "size", "number", NULL};

static star_value page_attribute(struct star_thread *thread, star_value self, const char *data,
                                 size_t size) {
    const str name = {data, size};
    for (size_t i = 0; i < PAGE_SLOTS; i++) {
        if (str_equal(name, str_from(page_names[i]))) {
            return star_host_slots(self)[i];
        }
    }
    return star_fail(thread, "page has no field " STR_FORMAT ": it has cursor, size and number",
                     STR_ARGS(name));
}

static const struct star_type page_type = {
    .name = "page", .attribute = page_attribute, .attribute_names = page_names};

star_value modules_page(struct star_thread *thread, star_value cursor, int64_t size,
                        int64_t number) {
    const star_value page = star_host_new(thread, &page_type, NULL, PAGE_SLOTS, 0);
    const star_value size_value = star_int(thread, size);
    const star_value number_value = star_int(thread, number);
    if (star_is_error(page) || star_is_error(size_value) || star_is_error(number_value)) {
        return STAR_ERROR;
    }
    star_value *slots = star_host_slots(page);
    slots[PAGE_CURSOR] = cursor;
    slots[PAGE_SIZE] = size_value;
    slots[PAGE_NUMBER] = number_value;
    return page;
}
