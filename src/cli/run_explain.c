#include "cli/run_explain.h"

static void source_text(struct text *text, const struct run_explained_source *source) {
    text_format(text, "\n  reads " STR_FORMAT ": ", STR_ARGS(source->name));
    if (source->added >= 0) {
        text_format(text, "%lld rows added, %lld removed", (long long)source->added,
                    (long long)source->removed);
    } else {
        text_add(text, source->has_changes ? STR("changed") : STR("unchanged"));
    }
    text_add(text, source->would_run ? STR(", and would run first") : STR(""));
}

void explain_text(struct text *text, const struct run_explanation *explanation) {
    if (explanation->base > 0) {
        text_format(text, "\n  base snapshot %lld, now %lld", (long long)explanation->base,
                    (long long)explanation->now);
    } else {
        text_format(text, "\n  no base snapshot, now %lld", (long long)explanation->now);
    }
    for (size_t i = 0; i < explanation->source_count; i++) {
        source_text(text, &explanation->sources[i]);
    }
    for (size_t i = 0; i < explanation->files.count; i++) {
        text_format(text, "\n  reads " STR_FORMAT, STR_ARGS(explanation->files.items[i]));
    }
    text_format(text, "\n  shape: " STR_FORMAT, STR_ARGS(explanation->shape));
    if (explanation->reason.size > 0) {
        text_format(text, ", since " STR_FORMAT, STR_ARGS(explanation->reason));
    }
    for (size_t i = 0; i < explanation->statements.count; i++) {
        struct str_splitter lines = {.rest = explanation->statements.items[i]};
        str line;
        text_add(text, i == 0 ? STR("\n  SQL:") : STR(""));
        while (str_split_next(&lines, '\n', &line)) {
            text_format(text, "\n    " STR_FORMAT, STR_ARGS(line));
        }
        text_add_char(text, ';');
    }
}

void explain_json(struct json *json, const struct run_explanation *explanation) {
    json_key(json, STR("explain"));
    json_object(json);
    if (explanation->base > 0) {
        json_key_int(json, STR("base_snapshot"), explanation->base);
    }
    json_key_int(json, STR("snapshot"), explanation->now);
    json_key(json, STR("sources"));
    json_array(json);
    for (size_t i = 0; i < explanation->source_count; i++) {
        const struct run_explained_source *source = &explanation->sources[i];
        json_object(json);
        json_key_string(json, STR("table"), source->name);
        json_key_bool(json, STR("changed"), source->has_changes);
        if (source->added >= 0) {
            json_key_int(json, STR("added"), source->added);
            json_key_int(json, STR("removed"), source->removed);
        }
        json_key_bool(json, STR("would_run"), source->would_run);
        json_end(json);
    }
    json_end(json);
    json_key_strings(json, STR("files"), &explanation->files);
    json_key_string(json, STR("shape"), explanation->shape);
    if (explanation->reason.size > 0) {
        json_key_string(json, STR("reason"), explanation->reason);
    }
    json_key_strings(json, STR("sql"), &explanation->statements);
    json_end(json);
}
