#ifndef INSPECT_FACTS_H
#define INSPECT_FACTS_H

// Everything that is known of one model: its file, its table, what it did, who reads it.
//
// Gathered for `coypu describe`; nothing here prints.  A model that cannot be parsed, that never
// ran or whose table is gone still has facts: those that are known.
//
// Ownership: everything lives in the inspection's arena.  Threads: one.

#include "inspect/history.h"
#include "inspect/inspect.h"
#include "model/check.h"
#include "state/delivery.h"

struct fact_column {
    str name;
    str type;        // empty when not known: neither a table nor a query that binds
    bool nullable;   //
    str description; // of the table's column, else of @column
};

struct fact_columns {
    struct fact_column *items;
    size_t count;
    size_t capacity;
};

// What waits for a sink.
struct fact_sink {
    struct state_sink state; // id 0: nothing was ever delivered
    str last_error;          // of the failed row that was tried last; empty when there is none
};

enum { FACT_RUNS_MAX = 5 };

struct model_facts {
    const struct model *model;
    bool has_table;
    int64_t table_rows;
    int64_t table_bytes;    // of its data files
    struct history history; // the newest FACT_RUNS_MAX runs
    struct history_totals totals;
    const struct history_run *last_run;    // NULL: none
    const struct history_run *last_commit; // NULL: none that is still in the lake
    struct str_list upstream;              // every table it reads
    struct str_list downstream;            // the models that read it
    struct str_list libs;                  // lib functions it calls
    str blueprint;                         // "lib/x.star" of what it fetches from or pushes to
    struct fact_columns columns;
    struct check_record_list checks; // the newest result of each
    bool has_sink;
    struct fact_sink sink;
};

// The inspection has its models read.
MUST_USE enum error_code model_facts_read(struct inspection *inspection, const struct model *model,
                                          struct model_facts *facts, struct error *err);

// The sink state of a model; *sink is zero when the store has none.
MUST_USE enum error_code fact_sink_read(struct state *state, struct arena *arena,
                                        const struct model *model, struct fact_sink *sink,
                                        struct error *err);

#endif
