#include "starlark/report.h"

#include "base/list.h"
#include "base/text.h"

#include <stdarg.h>

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

void star_report_publish(struct star_report *report, struct star_diagnostics *diagnostics) {
    *diagnostics = (struct star_diagnostics){.total = report->total};
    if (report->total == 0) {
        return;
    }
    star_report_sort(report);
    struct arena *arena = memory_alloc(sizeof(*arena));
    arena_init(arena);
    diagnostics->memory = arena;
    diagnostics->count = report->count < REPORT_SHOWN_MAX ? report->count : REPORT_SHOWN_MAX;
    diagnostics->items = ARENA_ARRAY(arena, struct star_diagnostic, diagnostics->count);
    for (size_t i = 0; i < diagnostics->count; i++) {
        const struct ast_span span = report->items[i].span;
        diagnostics->items[i] = (struct star_diagnostic){
            .line = (int)span.start.line,
            .column = (int)span.start.column,
            .end_line = (int)span.end.line,
            .end_column = (int)span.end.column,
            .message = str_to_cstring(arena, str_from(report->items[i].message)),
            .hint = "",
        };
    }
}
