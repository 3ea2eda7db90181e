#include "base/json.h"
#include "base/text.h"
#include "lake/lake.h"
#include "lib/push.h"

bool push_failed(const struct push_summary *summary) {
    return summary->failed > 0 || summary->rejected > 0 || summary->stopped ||
           summary->finalize_failed;
}

static void add_count(struct text *line, int64_t count, const char *word) {
    if (count > 0) {
        text_format(line, "%s%lld %s", text_str(line).data[line->size - 1] == ':' ? " " : ", ",
                    (long long)count, word);
    }
}

str push_summary_line(struct arena *arena, str sink, const struct push_summary *summary) {
    if (summary->busy) {
        return str_format(arena, "push " STR_FORMAT ": in delivery by pid %lld, %lld rows waiting",
                          STR_ARGS(sink), (long long)summary->busy_pid,
                          (long long)summary->pending);
    }
    struct text line;
    text_init(&line, arena);
    text_format(&line, "push " STR_FORMAT ": %lld ok", STR_ARGS(sink), (long long)summary->ok);
    add_count(&line, summary->warned, summary->warned == 1 ? "warning" : "warnings");
    add_count(&line, summary->failed, "failed (pending)");
    add_count(&line, summary->rejected, "rejected");
    add_count(&line, summary->gone, "gone");
    add_count(&line, summary->pending - summary->failed, "waiting");
    return text_str(&line);
}

// {"customer_id":7,"region":"eu"} as customer_id=7 region=eu; nothing for {}.
static str keys_text(struct arena *arena, str keys) {
    struct text out;
    text_init(&out, arena);
    bool quoted = false;
    for (size_t i = 1; i + 1 < keys.size; i++) {
        const char c = keys.data[i];
        if (c == '"') {
            quoted = !quoted;
        } else if (c == '\\' && quoted && i + 2 < keys.size) {
            text_add_char(&out, keys.data[++i]);
        } else if (c == ':' && !quoted) {
            text_add_char(&out, '=');
        } else {
            text_add_char(&out, c == ',' && !quoted ? ' ' : c);
        }
    }
    return text_str(&out);
}

static str note_line(struct arena *arena, str sink, const struct push_note *note) {
    const str keys = keys_text(arena, note->keys);
    const str line = str_format(arena,
                                "push " STR_FORMAT ": row %lld (" STR_FORMAT ")%s" STR_FORMAT
                                ": " STR_FORMAT "%s" STR_FORMAT,
                                STR_ARGS(sink), (long long)note->rowid, STR_ARGS(note->change_type),
                                keys.size > 0 ? " " : "", STR_ARGS(keys), STR_ARGS(note->status),
                                note->message.size > 0 ? ": " : "", STR_ARGS(note->message));
    return str_cut(line, PUSH_MESSAGE_SIZE);
}

struct str_list push_messages(struct arena *arena, str sink, const struct push_summary *summary) {
    struct str_list lines = {0};
    for (size_t i = 0; i < summary->notes.count && i < PUSH_MESSAGES_MAX; i++) {
        str_list_push(arena, &lines, note_line(arena, sink, &summary->notes.items[i]));
    }
    if (summary->note_count > PUSH_MESSAGES_MAX) {
        str_list_push(
            arena, &lines,
            str_format(arena, "+%lld more", (long long)summary->note_count - PUSH_MESSAGES_MAX));
    }
    return lines;
}

static void note_json(struct json *json, const struct push_note *note) {
    json_object(json);
    json_key_int(json, STR("rowid"), note->rowid);
    json_key_string(json, STR("change_type"), note->change_type);
    json_key_int(json, STR("snapshot"), note->snapshot);
    json_key(json, STR("keys"));
    json_raw(json, note->keys);
    json_key_string(json, STR("status"), note->status);
    json_key_string(json, STR("message"), note->message);
    json_end(json);
}

str push_summary_json(struct arena *arena, str sink, const struct push_summary *summary) {
    struct text out;
    struct json json;
    text_init(&out, arena);
    json_init(&json, &out);
    json_object(&json);
    json_key_string(&json, STR("sink"), sink);
    json_key_int(&json, STR("ok"), summary->ok);
    json_key_int(&json, STR("warned"), summary->warned);
    json_key_int(&json, STR("failed"), summary->failed);
    json_key_int(&json, STR("rejected"), summary->rejected);
    json_key_int(&json, STR("pending"), summary->pending);
    json_key_int(&json, STR("duration_ms"), summary->duration_us / 1000);
    json_key(&json, STR("errors"));
    json_array(&json);
    for (size_t i = 0; i < summary->notes.count; i++) {
        note_json(&json, &summary->notes.items[i]);
    }
    json_end(&json);
    json_end(&json);
    return text_str(&out);
}

// ── _sync_log ──

static const char log_table_sql[] =
    "CREATE TABLE IF NOT EXISTS _sync_log(target VARCHAR, sync_key VARCHAR, status VARCHAR,"
    " error_message VARCHAR, operation VARCHAR, batch_mode VARCHAR, synced_at TIMESTAMP,"
    " dag_run_id VARCHAR)";

enum { LOG_LINES_A_STATEMENT = 50000 }; // bounds the memory of one statement's parameters

static enum error_code log_write_part(struct lake_connection *connection, str target,
                                      str batch_mode, str run_id, const struct push_log_line *lines,
                                      size_t count, struct error *err) {
    SCRATCH(scratch);
    str *texts[4];
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        texts[i] = ARENA_ARRAY(&scratch, str, count);
    }
    int64_t *times = ARENA_ARRAY(&scratch, int64_t, count);
    for (size_t i = 0; i < count; i++) {
        texts[0][i] = lines[i].sync_key;
        texts[1][i] = lines[i].status;
        texts[2][i] = lines[i].error_message;
        texts[3][i] = lines[i].operation;
        times[i] = lines[i].synced_us;
    }
    return lake_execute(
        connection,
        STR("INSERT INTO _sync_log SELECT $1, k, s, nullif(m, ''), o, $2, make_timestamp(t), $3"
            " FROM (SELECT unnest($4::VARCHAR[]) AS k, unnest($5::VARCHAR[]) AS s,"
            " unnest($6::VARCHAR[]) AS m, unnest($7::VARCHAR[]) AS o, unnest($8::BIGINT[]) AS t)"),
        LAKE_VALUES(lake_value_text(target), lake_value_text(batch_mode), lake_value_text(run_id),
                    lake_value_texts(texts[0], count), lake_value_texts(texts[1], count),
                    lake_value_texts(texts[2], count), lake_value_texts(texts[3], count),
                    lake_value_int64s(times, count)),
        NULL, err);
}

enum error_code push_log_write(struct lake_connection *connection, str target, str batch_mode,
                               str run_id, const struct push_log *log, struct error *err) {
    if (log->count == 0) {
        return ERROR_NONE;
    }
    TRY(lake_execute(connection, str_from(log_table_sql), LAKE_NO_VALUES, NULL, err));
    for (size_t first = 0; first < log->count; first += LOG_LINES_A_STATEMENT) {
        const size_t left = log->count - first;
        const size_t count = left < LOG_LINES_A_STATEMENT ? left : LOG_LINES_A_STATEMENT;
        TRY(log_write_part(connection, target, batch_mode, run_id, &log->items[first], count, err));
    }
    return ERROR_NONE;
}
