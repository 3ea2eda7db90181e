#include "starlark/report.h"

#include "base/list.h"
#include "base/text.h"

#include <stdarg.h>
#include <string.h>

void star_report_init(struct star_report *report, struct arena *arena) {
    *report = (struct star_report){.arena = arena};
}

void star_report_add(struct star_report *report, struct ast_span span, const char *format, ...) {
    report->total++;
    if (report->count >= REPORT_KEPT_MAX) {
        return;
    }
    struct text text;
    text_init(&text, report->arena);
    va_list args;
    va_start(args, format);
    text_format_list(&text, format, args);
    va_end(args);
    const struct star_finding finding = {.span = span, .message = text_cstring(&text)};
    LIST_PUSH(report->arena, report, finding);
}

static int position_compare(struct ast_pos a, struct ast_pos b) {
    if (a.line != b.line) {
        return a.line < b.line ? -1 : 1;
    }
    return a.column < b.column ? -1 : a.column > b.column;
}

// Findings are few and nearly sorted: insertion keeps those of one place in their order.
void star_report_sort(struct star_report *report) {
    for (size_t i = 1; i < report->count; i++) {
        const struct star_finding moved = report->items[i];
        size_t at = i;
        while (at > 0 && position_compare(report->items[at - 1].span.start, moved.span.start) > 0) {
            report->items[at] = report->items[at - 1];
            at--;
        }
        report->items[at] = moved;
    }
}

// What star_diagnostics.memory points to.
struct published {
    struct arena_supply supply;
    struct arena arena;
};

void star_diagnostics_free(struct star_diagnostics *diagnostics) {
    struct published *published = diagnostics->memory;
    if (published != NULL) {
        const struct arena_supply supply = published->supply;
        arena_done(&published->arena);
        (void)supply.allocate(supply.user, published, sizeof(*published), 0);
    }
    *diagnostics = (struct star_diagnostics){0};
}

// In memory of the same kind as the report's.
static struct published *published_new(const struct arena_supply *like) {
    struct arena_supply supply;
    arena_supply_init(&supply, like != NULL ? like->allocate : NULL,
                      like != NULL ? like->user : NULL, 0, 0);
    struct published *published = supply.allocate(supply.user, NULL, 0, sizeof(*published));
    if (published != NULL) {
        published->supply = supply;
        arena_init_supplied(&published->arena, &published->supply);
    }
    return published;
}

bool star_report_publish(struct star_report *report, struct star_diagnostics *diagnostics) {
    *diagnostics = (struct star_diagnostics){0};
    if (report->total == 0) {
        return true;
    }
    star_report_sort(report);
    struct published *published = published_new(report->arena->supply);
    if (published == NULL) {
        return false;
    }
    struct arena *arena = &published->arena;
    const size_t count = report->count < REPORT_SHOWN_MAX ? report->count : REPORT_SHOWN_MAX;
    *diagnostics = (struct star_diagnostics){
        .items = ARENA_TRY_ARRAY(arena, struct star_diagnostic, count),
        .count = count,
        .total = report->total,
        .memory = published,
    };
    for (size_t i = 0; i < count && !arena_is_exhausted(arena); i++) {
        const struct ast_span span = report->items[i].span;
        const size_t size = strlen(report->items[i].message) + 1;
        char *message = arena_try_bytes(arena, size);
        if (message == NULL) {
            break;
        }
        memcpy(message, report->items[i].message, size);
        diagnostics->items[i] = (struct star_diagnostic){
            .line = (int)span.start.line,
            .column = (int)span.start.column,
            .end_line = (int)span.end.line,
            .end_column = (int)span.end.column,
            .message = message,
            .hint = "",
        };
    }
    return !arena_is_exhausted(arena);
}
