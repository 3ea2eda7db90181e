// Page after page of one lib call (libs.md §5.5–§5.8, §5.11).
//
// Each page is made in the heap of the worker it was given, which the reader of the rows hands back
// when it is done with them.  What must outlive a page, the cursor, is copied into a heap of its
// own, which no reader touches.

#include "lib/fetch_kwargs.h"

#include "base/context.h"
#include "base/interrupt.h"

#include <stdio.h>

void fetch_task_error(const struct fetch_task *task, const struct fetch_model *model,
                      struct error *err) {
    error_context(err, "lib " STR_FORMAT, STR_ARGS(task->lib->name));
    error_at(err, model->file, task->line, task->column);
    err->source_line[0] = '\0';
}

enum error_code fetch_pages_begin(struct fetch_pages *pages, struct lib_worker *sibling,
                                  struct error *err) {
    TRY(lib_worker_share(sibling, &pages->keep, err));
    pages->cursor = STAR_NONE;
    if (pages->task->lib->api.fetch.is_async) {
        TRY(lib_worker_share(sibling, &pages->job, err));
    }
    return ERROR_NONE;
}

void fetch_pages_end(struct fetch_pages *pages) {
    lib_worker_free(pages->keep);
    lib_worker_free(pages->job);
    pages->keep = NULL;
    pages->job = NULL;
}

static enum error_code out_of_memory(struct error *err) {
    return error_set(err, ERROR_LIMIT, "out of memory");
}

// ---- one call -----------------------------------------------------------------------------------

// Calls `function` with the runtime's kwargs and `extra`.
static enum error_code call_family(struct fetch_pages *pages, struct lib_worker *worker,
                                   const char *function, star_value cursor,
                                   const struct star_binding *extra, struct fetch_saved *saved,
                                   star_value *result, bool *aborted, struct error *err) {
    SCRATCH(scratch);
    const struct fetch_task *task = pages->task;
    struct star_binding *named =
        ARENA_ARRAY(&scratch, struct star_binding, task->args.count + FETCH_KWARGS_MAX + 1);
    size_t count = fetch_kwargs(task, pages->model, lib_worker_thread(worker), cursor,
                                pages->number, saved, named);
    if (count == SIZE_MAX) {
        return out_of_memory(err);
    }
    if (extra != NULL) {
        named[count++] = *extra;
    }
    const struct lib_call call = {
        .function = function, .arguments = named, .argument_count = count, .abort_allowed = true};
    return lib_worker_call(worker, &call, result, aborted, err);
}

// ---- async --------------------------------------------------------------------------------------

// Moves a value from a worker's heap to the job's.
static enum error_code keep_in_job(struct fetch_pages *pages, struct lib_worker *worker,
                                   star_value value, star_value *kept, struct error *err) {
    *kept = star_value_copy(lib_worker_thread(worker), value, lib_worker_thread(pages->job));
    return star_is_error(*kept) ? out_of_memory(err) : ERROR_NONE;
}

static enum error_code check_job(struct fetch_pages *pages, struct lib_worker *worker,
                                 star_value job_ref, star_value *result, struct error *err) {
    lib_worker_reset(worker);
    star_value copy =
        star_value_copy(lib_worker_thread(pages->job), job_ref, lib_worker_thread(worker));
    if (star_is_error(copy)) {
        return out_of_memory(err);
    }
    const struct star_binding argument = {.name = "job_ref", .value = copy};
    const struct lib_call call = {.function = "check", .arguments = &argument, .argument_count = 1};
    enum error_code code = lib_worker_call(worker, &call, result, NULL, err);
    if (code != ERROR_NONE) {
        error_context(err, "check");
    }
    return code;
}

static enum error_code poll_job(struct fetch_pages *pages, struct lib_worker *worker,
                                star_value job_ref, struct error *err) {
    const struct lib_fetch *fetch = &pages->task->lib->api.fetch;
    const int64_t interval_max_us = (int64_t)FETCH_POLL_INTERVAL_MAX_S * 1000 * 1000;
    const int64_t start_us = clock_monotonic_us(&pages->context->clock);
    double interval_us = (double)fetch->poll_interval_us;
    for (int64_t checks = 1;; checks++) {
        star_value result = STAR_NONE;
        TRY(check_job(pages, worker, job_ref, &result, err));
        if (!star_is_none(result)) {
            return keep_in_job(pages, worker, result, &pages->result_ref, err);
        }
        int64_t wait_us =
            interval_us < (double)interval_max_us ? (int64_t)interval_us : interval_max_us;
        int64_t elapsed_us = clock_monotonic_us(&pages->context->clock) - start_us;
        if (elapsed_us + wait_us > fetch->poll_timeout_us) {
            SCRATCH(scratch);
            return error_set(
                err, ERROR_TIMEOUT, "async fetch timed out after " STR_FORMAT " (%lld checks)",
                STR_ARGS(duration_format(&scratch, fetch->poll_timeout_us)), (long long)checks);
        }
        TRY(clock_sleep_us(&pages->context->clock, wait_us, pages->context->interrupt, err));
        interval_us *= fetch->poll_backoff;
    }
}

static enum error_code start_job(struct fetch_pages *pages, struct lib_worker *worker,
                                 struct error *err) {
    star_value result = STAR_NONE;
    bool aborted = false;
    enum error_code code =
        call_family(pages, worker, "submit", STAR_UNSET, NULL, NULL, &result, &aborted, err);
    if (code != ERROR_NONE) {
        error_context(err, "submit");
        return code;
    }
    if (aborted || star_is_none(result)) {
        pages->facts->aborted = true;
        pages->done = true;
        return ERROR_NONE;
    }
    star_value job_ref = STAR_NONE;
    TRY(keep_in_job(pages, worker, result, &job_ref, err));
    TRY(poll_job(pages, worker, job_ref, err));
    lib_worker_reset(worker);
    return ERROR_NONE;
}

// ---- what came back -----------------------------------------------------------------------------

void fetch_warning_add(struct fetch_facts *facts, const struct error *warning) {
    if (facts->warning_count < FETCH_WARNINGS_MAX) {
        facts->warnings[facts->warning_count++] = *warning;
    }
}

static void warn(struct fetch_pages *pages, const char *format, ...) PRINTF_LIKE(2, 3);
static void warn(struct fetch_pages *pages, const char *format, ...) {
    char message[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    struct error warning = {0};
    error_set(&warning, ERROR_INVALID, "%s", message);
    fetch_task_error(pages->task, pages->model, &warning);
    fetch_warning_add(pages->facts, &warning);
}

static bool is_list(star_value value) {
    return star_kind(value) == STAR_KIND_LIST || star_kind(value) == STAR_KIND_TUPLE;
}

static void warn_other_keys(struct fetch_pages *pages, struct star_thread *thread,
                            star_value result) {
    static const str known[] = {STR_INIT("rows"), STR_INIT("next"), STR_INIT("empty_result")};
    size_t position = 0;
    star_value key = STAR_UNSET;
    star_value value = STAR_UNSET;
    while (!pages->facts->warned_key && star_dict_next(thread, result, &position, &key, &value)) {
        str name = {0};
        (void)star_get_text(key, &name.data, &name.size);
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
            is_known = is_known || str_equal(known[i], name);
        }
        if (!is_known) {
            pages->facts->warned_key = true;
            warn(pages, "fetch returned the unknown key \"" STR_FORMAT "\"", STR_ARGS(name));
        }
    }
}

static void read_empty_result(struct fetch_pages *pages, struct star_thread *thread,
                              star_value result) {
    star_value value = star_dict_get_name(thread, result, "empty_result");
    str text = {0};
    pages->facts->delete_missing = false;
    if (star_is_unset(value) || star_is_none(value)) {
        return;
    }
    if (star_kind(value) == STAR_KIND_STRING) {
        (void)star_get_text(value, &text.data, &text.size);
    }
    if (str_equal(text, STR("delete_missing"))) {
        pages->facts->delete_missing = true;
    } else if (!str_equal(text, STR("no_change"))) {
        warn(pages, "empty_result must be \"no_change\" or \"delete_missing\"; no_change is used");
    }
}

// The rows returned and saved become the page.
static enum error_code read_rows(struct star_thread *thread, star_value result,
                                 const struct fetch_saved *saved, struct fetch_page *page,
                                 struct error *err) {
    bool has_saved = saved->list != NULL;
    if (has_saved) {
        fetch_page_add(page, star_handle_value(saved->list));
    }
    if (star_is_none(result) && has_saved) {
        return ERROR_NONE;
    }
    if (star_kind(result) != STAR_KIND_DICT) {
        return error_set(err, ERROR_INVALID, "must return a dict with \"rows\", got %s",
                         star_type_name(result));
    }
    star_value rows = star_dict_get_name(thread, result, "rows");
    if (star_is_unset(rows) && has_saved) {
        return ERROR_NONE;
    }
    if (star_is_unset(rows)) {
        return error_set(err, ERROR_INVALID, "the dict returned has no \"rows\"");
    }
    if (star_is_error(rows)) {
        return error_set(err, ERROR_INVALID, "%s", star_thread_error(thread)->message);
    }
    if (!is_list(rows)) {
        return error_set(err, ERROR_INVALID, "\"rows\" must be a list of dicts, got %s",
                         star_type_name(rows));
    }
    fetch_page_add(page, rows);
    return ERROR_NONE;
}

static bool is_last(star_value next) {
    str text = {0};
    return star_is_unset(next) || star_is_none(next) ||
           (star_kind(next) == STAR_KIND_STRING && star_get_text(next, &text.data, &text.size) &&
            text.size == 0);
}

// Empty pages that ask for themselves again would go on for ever.
static enum error_code check_progress(struct fetch_pages *pages, struct star_thread *thread,
                                      star_value given, star_value next,
                                      const struct fetch_page *page, struct error *err) {
    bool equal = false;
    if (page->row_count > 0 || !star_equal(thread, given, next, &equal) || !equal) {
        pages->idle_pages = 0;
        return ERROR_NONE;
    }
    if (++pages->idle_pages >= FETCH_IDLE_PAGES_MAX) {
        return error_set(err, ERROR_INVALID, "cursor does not advance");
    }
    return ERROR_NONE;
}

static enum error_code read_next(struct fetch_pages *pages, struct lib_worker *worker,
                                 star_value given, star_value result, const struct fetch_page *page,
                                 struct error *err) {
    struct star_thread *thread = lib_worker_thread(worker);
    star_value next = star_kind(result) == STAR_KIND_DICT
                          ? star_dict_get_name(thread, result, "next")
                          : STAR_UNSET;
    if (is_last(next)) {
        pages->done = true;
        return ERROR_NONE;
    }
    TRY(check_progress(pages, thread, given, next, page, err));
    if (pages->number >= FETCH_PAGES_MAX) {
        return error_set(err, ERROR_LIMIT, "more than %d pages", FETCH_PAGES_MAX);
    }
    lib_worker_reset(pages->keep);
    pages->cursor = star_value_copy(thread, next, lib_worker_thread(pages->keep));
    return star_is_error(pages->cursor) ? out_of_memory(err) : ERROR_NONE;
}

static enum error_code read_page(struct fetch_pages *pages, struct lib_worker *worker,
                                 struct star_handle *given, star_value result,
                                 const struct fetch_saved *saved, struct fetch_page *page,
                                 struct error *err) {
    struct star_thread *thread = lib_worker_thread(worker);
    *page = (struct fetch_page){.thread = thread, .number = pages->number};
    TRY(read_rows(thread, result, saved, page, err));
    if (star_kind(result) == STAR_KIND_DICT) {
        warn_other_keys(pages, thread, result);
        read_empty_result(pages, thread, result);
    }
    TRY(read_next(pages, worker, star_handle_value(given), result, page, err));
    pages->facts->rows += page->row_count;
    pages->facts->pages++;
    if (pages->model->progress != NULL) {
        atomic_fetch_add(&pages->model->progress->pages, 1);
        atomic_fetch_add(&pages->model->progress->rows, page->row_count);
    }
    return ERROR_NONE;
}

// ---- one page -----------------------------------------------------------------------------------

static enum error_code call_page(struct fetch_pages *pages, struct lib_worker *worker,
                                 struct fetch_page *page, struct error *err) {
    struct star_thread *thread = lib_worker_thread(worker);
    star_value cursor = star_value_copy(lib_worker_thread(pages->keep), pages->cursor, thread);
    if (star_is_error(cursor)) {
        return out_of_memory(err);
    }
    struct star_handle *given = star_handle_new(thread, cursor);
    if (given == NULL) {
        return out_of_memory(err);
    }
    struct fetch_saved saved = {0};
    struct star_binding extra = {.name = "result_ref", .value = STAR_NONE};
    bool is_async = pages->task->lib->api.fetch.is_async;
    if (is_async) {
        extra.value = star_value_copy(lib_worker_thread(pages->job), pages->result_ref, thread);
    }
    star_value result = STAR_NONE;
    TRY(call_family(pages, worker, is_async ? "fetch_result" : "fetch", star_handle_value(given),
                    is_async ? &extra : NULL, &saved, &result, &pages->facts->aborted, err));
    if (pages->facts->aborted) {
        pages->done = true;
        return ERROR_NONE;
    }
    return read_page(pages, worker, given, result, &saved, page, err);
}

enum error_code fetch_pages_next(struct fetch_pages *pages, struct lib_worker *worker,
                                 struct fetch_page *page, bool *found, struct error *err) {
    *found = false;
    lib_worker_reset(worker);
    if (interrupt_is_raised(pages->context->interrupt)) {
        return error_set(err, ERROR_CANCELLED, "interrupted");
    }
    if (!pages->started && pages->task->lib->api.fetch.is_async) {
        enum error_code code = start_job(pages, worker, err);
        if (code != ERROR_NONE) {
            fetch_task_error(pages->task, pages->model, err);
            return code;
        }
    }
    pages->started = true;
    if (pages->done) {
        return ERROR_NONE;
    }
    pages->number++;
    enum error_code code = call_page(pages, worker, page, err);
    if (code != ERROR_NONE) {
        const str note = lib_worker_note(worker);
        if (err->hint[0] == '\0' && note.size > 0) {
            error_hint(err, STR_FORMAT, STR_ARGS(note));
        }
        error_context(err, "fetch page %lld", (long long)pages->number);
        fetch_task_error(pages->task, pages->model, err);
        return code;
    }
    *found = !pages->facts->aborted;
    crash_point("CP_FETCH_PAGE");
    return ERROR_NONE;
}
