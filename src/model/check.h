#ifndef MODEL_CHECK_H
#define MODEL_CHECK_H

// The checks of a model: @constraint, @audit, @warning (models.md §9).
//
// Each calls the table macro memory.ondatra_<stage>_<name>; its rows are messages.  What can be
// said without data is found by models_check_macros; the checks of one stage are evaluated in one
// statement by checks_evaluate.
//
// Ownership: everything lives in the arena given.
// Threads: as the connection.

#include "base/error.h"
#include "base/list.h"
#include "sql/check_call.h"
#include "sql/directive.h"

struct arena;
struct lake_connection;
struct model;
struct models;
struct project;

enum check_stage { CHECK_CONSTRAINT, CHECK_AUDIT, CHECK_WARNING };
str check_stage_name(enum check_stage stage);   // "constraint"
str check_stage_prefix(enum check_stage stage); // "ondatra_constraint_"

struct check {
    enum check_stage stage;
    const struct directive *at; // its value is the text of the check
    struct check_call call;
    bool is_broken;  // a finding says why; never evaluated
    str mistake;     // of a broken one: the finding's message
    bool is_shipped; // its macro is one that comes with the program
};

struct check_list {
    struct check *items;
    size_t count;
    size_t capacity;
};

// ── Before a run ──
// Parses the directives of one model into model->checks; a mistake becomes a finding.
void checks_parse(struct arena *arena, struct model *model);
// Findings for macros that do not exist, arguments that a shipped macro cannot take, columns that
// the query does not produce, and masking tags without a macro.  A warning's are WARN, all others
// BLOCKER.  Asks the connection what macros it has; the project's need not be made in it.
MUST_USE enum error_code models_check_macros(struct models *models, const struct project *project,
                                             struct lake_connection *connection, struct error *err);
// As models_check_macros for the columns of one model, whose SELECT list did not tell its
// `outputs`: there is a star among them.  After models_check_macros.
void model_check_named_columns(struct arena *arena, struct model *model,
                               const struct str_list *outputs);
// "constraint: not_null(id)": how a check is known from one run to the next.
str check_identity(struct arena *arena, const struct check *check);

// ── Evaluating ──
enum check_outcome { CHECK_PASSED, CHECK_FAILED, CHECK_INVALID, CHECK_PENDING };

struct check_result {
    const struct check *check;
    enum check_outcome outcome;
    struct str_list messages; // of a failed one, at most CHECK_MESSAGES_MAX; of an invalid one, one
    str hint;                 // of an invalid one
};

struct check_result_list {
    struct check_result *items;
    size_t count;
    size_t capacity;
};

enum { CHECK_MESSAGES_MAX = 20 };

// What the shipped macros see beside the table: the model's key, for examples, and its columns.
MUST_USE enum error_code checks_enter(struct lake_connection *connection, const struct model *model,
                                      const struct str_list *columns, struct error *err);
// Evaluates the checks over `table` (a name in SQL) in one statement and adds one result each;
// those that cannot be bound become CHECK_INVALID.  Fails, and adds nothing, when the statement
// fails while it runs and more than one check may be its cause: evaluate them one by one, in
// another transaction, as this one is over.
MUST_USE enum error_code checks_evaluate(struct lake_connection *connection, struct arena *arena,
                                         const struct check *const *checks, size_t count, str table,
                                         struct check_result_list *results, struct error *err);
// That of a broken check: CHECK_INVALID with its mistake.
struct check_result check_result_broken(struct arena *arena, const struct check *check);
// One error a message, at the check's line.
void check_result_errors(const struct model *model, const struct check_result *result,
                         struct error_list *errors);

// ── Records ──
// [{"stage":"constraint","name":"not_null(id)","line":3,"outcome":"pass"}, …]
str check_results_json(struct arena *arena, const struct check_result_list *results);

struct check_record {
    str stage;
    str name;    // "not_null(id)"
    str outcome; // "pass", "fail", "error", "pending" (a warning: it is evaluated after the commit)
    str message; // of a failed one
    int64_t line;
};

struct check_record_list {
    struct check_record *items;
    size_t count;
    size_t capacity;
};

// The member "checks" of a commit's extra info or of a run log entry's metadata.
void check_records_read(struct arena *arena, str json, struct check_record_list *records);

#endif
