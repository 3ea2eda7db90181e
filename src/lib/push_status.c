#include "lib/push_status.h"

#include "base/text.h"

// Statuses that carry a message: "error: 429 slow down".
static const struct {
    str word;
    enum push_class class;
} status_words[] = {
    {STR_INIT("warn"), PUSH_WARNED},     {STR_INIT("error"), PUSH_TEMPORARY},
    {STR_INIT("retry"), PUSH_TEMPORARY}, {STR_INIT("nack"), PUSH_TEMPORARY},
    {STR_INIT("reject"), PUSH_REJECTED},
};

// "ok" is followed by the end, a space or a colon; "okay" is no status.
static bool is_ok(str status) {
    return str_starts_with(status, STR("ok")) &&
           (status.size == 2 || status.data[2] == ' ' || status.data[2] == ':');
}

struct push_reply push_status_parse(struct arena *arena, str status, enum state_change change) {
    if (is_ok(status)) {
        return (struct push_reply){.class = PUSH_DELIVERED};
    }
    if (str_equal(status, STR("exists"))) {
        return (struct push_reply){.class = PUSH_WARNED, .message = STR("exists")};
    }
    if (str_equal(status, STR("not_found"))) {
        const bool wanted = change == STATE_CHANGE_DELETE;
        return (struct push_reply){.class = wanted ? PUSH_DELIVERED : PUSH_WARNED,
                                   .message = STR("not_found")};
    }
    for (size_t i = 0; i < ARRAY_COUNT(status_words); i++) {
        const str word = status_words[i].word;
        if (str_starts_with(status, word) && status.size > word.size &&
            status.data[word.size] == ':') {
            return (struct push_reply){
                .class = status_words[i].class,
                .message = str_copy(arena, str_trim(str_from_offset(status, word.size + 1)))};
        }
    }
    return (struct push_reply){
        .class = PUSH_TEMPORARY,
        .message = str_format(arena, "unknown status \"" STR_FORMAT "\"", STR_ARGS(status)),
        .unheard = true};
}

static bool value_text(star_value value, str *text) {
    return star_kind(value) == STAR_KIND_STRING && star_get_text(value, &text->data, &text->size);
}

static struct push_reply not_a_string(struct arena *arena, star_value status) {
    return (struct push_reply){
        .class = PUSH_TEMPORARY,
        .message = str_format(arena, "status must be a string, got %s", star_type_name(status)),
        .unheard = true};
}

// {"status": S, "id": …, "operation": …}
static struct push_reply reply_of_dict(struct star_thread *thread, struct arena *arena,
                                       star_value value, enum state_change change) {
    const star_value status = star_dict_get_name(thread, value, "status");
    str text = {0};
    if (!value_text(status, &text)) {
        return not_a_string(arena, star_is_unset(status) ? STAR_NONE : status);
    }
    struct push_reply reply = push_status_parse(arena, text, change);
    if (value_text(star_dict_get_name(thread, value, "operation"), &text)) {
        reply.operation = str_copy(arena, text);
    }
    return reply;
}

static struct push_reply reply_of_value(struct star_thread *thread, struct arena *arena,
                                        star_value value, enum state_change change) {
    str text = {0};
    if (value_text(value, &text)) {
        return push_status_parse(arena, text, change);
    }
    if (star_kind(value) == STAR_KIND_DICT) {
        return reply_of_dict(thread, arena, value, change);
    }
    return not_a_string(arena, value);
}

static star_value get_text_key(struct star_thread *thread, star_value dict, str key) {
    const star_value text = star_string(thread, key.data, key.size);
    return star_is_error(text) ? STAR_UNSET : star_dict_get(thread, dict, text);
}

static bool is_only_event_of_row(const struct push_batch *batch, size_t index) {
    for (size_t i = 0; i < batch->count; i++) {
        if (i != index && batch->events[i].rowid == batch->events[index].rowid) {
            return false;
        }
    }
    return true;
}

// "42:insert", or "42" when the batch holds one event of that row.
static star_value find_status(struct star_thread *thread, const struct push_batch *batch,
                              size_t index, star_value dict) {
    SCRATCH(scratch);
    const str key = push_event_key(&scratch, &batch->events[index]);
    const star_value status = get_text_key(thread, dict, key);
    if (!star_is_unset(status) || !is_only_event_of_row(batch, index)) {
        return status;
    }
    return get_text_key(thread, dict,
                        str_format(&scratch, "%lld", (long long)batch->events[index].rowid));
}

static bool is_event_key(const struct push_batch *batch, str key) {
    SCRATCH(scratch);
    for (size_t i = 0; i < batch->count; i++) {
        const str full = push_event_key(&scratch, &batch->events[i]);
        const str row = str_format(&scratch, "%lld", (long long)batch->events[i].rowid);
        if (str_equal(key, full) || str_equal(key, row)) {
            return true;
        }
    }
    return false;
}

static void warn_of_unknown_key(struct star_thread *thread, struct push_batch *batch,
                                star_value dict) {
    size_t position = 0;
    star_value key = STAR_NONE;
    star_value value = STAR_NONE;
    while (star_dict_next(thread, dict, &position, &key, &value)) {
        str text = {0};
        if (value_text(key, &text) && is_event_key(batch, text)) {
            continue;
        }
        const star_value shown = star_repr(thread, key);
        if (!star_is_error(shown) && value_text(shown, &text)) {
            batch->warning = str_format(&batch->arena,
                                        "push returned a status for " STR_FORMAT
                                        ", which is no row of the batch: its keys are text "
                                        "such as \"" STR_FORMAT "\"",
                                        STR_ARGS(text),
                                        STR_ARGS(push_event_key(&batch->arena, &batch->events[0])));
        }
        return;
    }
}

void push_status_fail(struct push_batch *batch, str message) {
    batch->failed_whole = true;
    batch->replies = ARENA_ARRAY(&batch->arena, struct push_reply, batch->count);
    const str copy = str_copy(&batch->arena, message);
    for (size_t i = 0; i < batch->count; i++) {
        batch->replies[i] =
            (struct push_reply){.class = PUSH_TEMPORARY, .message = copy, .unheard = true};
    }
}

void push_status_deliver(struct push_batch *batch) {
    batch->replies = ARENA_ARRAY(&batch->arena, struct push_reply, batch->count);
}

void push_status_read(struct star_thread *thread, struct push_batch *batch, star_value returned) {
    if (star_kind(returned) != STAR_KIND_DICT || star_length(returned) == 0) {
        push_status_fail(batch, STR("sync mode needs a status dict"));
        return;
    }
    batch->replies = ARENA_ARRAY(&batch->arena, struct push_reply, batch->count);
    size_t answered = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const star_value status = find_status(thread, batch, i, returned);
        if (star_is_unset(status) || star_is_error(status)) {
            batch->replies[i] = (struct push_reply){
                .class = PUSH_TEMPORARY, .message = STR("no status returned"), .unheard = true};
            continue;
        }
        answered++;
        batch->replies[i] = reply_of_value(thread, &batch->arena, status, batch->events[i].change);
    }
    if (star_length(returned) > answered) {
        warn_of_unknown_key(thread, batch, returned);
    }
}
