#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

// The models of a project as checked structures: read from models/**, before anything runs.
//
// All targets are known from the paths of the files.  Which files are read is the caller's choice:
// all of them, or those that one model needs; of the others only path and target are known.
//
// One file = one SQL query = one table.  A mistake in one file never stops the reading of the
// others: each model carries its own findings, and a model with an error is `broken` (it and what
// depends on it will not run).
//
// Ownership: everything lives in the arena given to models_read.
// Threads: built by one thread, read-only afterwards.

#include "base/context.h"
#include "base/map.h"
#include "model/check.h"
#include "sql/ast.h"
#include "sql/definition.h"
#include "sql/directive.h"
#include "sql/pivot.h"

struct databases;
struct lake_connection;
struct macros;
struct views;

// How bad a finding is: BLOCKER would fail at run time, INFO is advice.
enum finding_severity { FINDING_BLOCKER, FINDING_WARN, FINDING_INFO };
str finding_severity_name(enum finding_severity severity);

struct finding {
    enum finding_severity severity;
    struct error error; // rule, position, message, hint
};

struct finding_list {
    struct finding *items;
    size_t count;
    size_t capacity;
};

struct model;

struct model_list {
    struct model **items;
    size_t count;
    size_t capacity;
};

struct model_list_list {
    struct model_list *items;
    size_t count;
    size_t capacity;
};

struct model {
    str target; // "mart.customers", in the spelling of the path
    str schema;
    str name;
    str file;       // "models/mart/customers.sql", relative to the project
    size_t index;   // its place in models.items
    bool is_read;   // false: it was not asked for, and nothing below is known
    bool has_query; // the SQL could be read
    bool broken;    // there is a BLOCKER among the findings
    str text;       // the whole file
    struct model_source source;
    str ast; // json_serialize_sql of the body; empty without query
    struct sql_query query;
    str written; // the body as the file has it, where source.body had to become another
    struct sql_pivot_list pivots; // types that must be made before the query is bound
    struct check_list checks;     // in the order of the stages
    struct finding_list findings;

    // Filled by model_link:
    struct model_list reads;   // models whose target it reads, each once, in order of first use
    struct model_list read_by; // the other direction, as far as models were read
    struct str_list inputs;    // every table of the lake that is read, "schema.table", each once
    struct str_list externals; // tables of other databases, as the query writes them, each once
    struct sql_call_list lib_calls; // the calls that name a lib of the project
    struct str_list files;          // constant paths and globs of file readers
    struct str_list unverifiable;   // inputs whose changes cannot be seen: externals, "https://…"
    struct str_list views;          // read on the way to the inputs: "name=hash of its definition"
    bool needs_sources;             // reads a view of config/sources.sql
    bool reads_itself;
};

struct models {
    struct arena *arena;
    struct model **items; // by target
    size_t count;
    size_t capacity;
    struct map by_target;          // struct model *; without case
    struct macros *macros;         // of the project
    struct views *views;           // that models may read
    struct databases *databases;   // that their tables may be in
    struct model_list order;       // topological, ties by target; what is on a cycle is not in it
    struct model_list_list cycles; // whole loops a → b → a; what is on a loop is on one of them
    struct finding_list orphans;   // findings of files that gave no model (a bad name)
};

struct models_options {
    const struct context *context;
    str project;                        // root folder, absolute
    struct lake_connection *connection; // for the syntax trees only
    // What counts as a lib: NULL when the project has none.
    bool (*is_lib)(void *self, str name);
    void *lib_self;
    str catalog; // the alias of the attached lake; empty: none is (validate)
    str only;    // read this target and what it reads, directly or not; empty: all models
};

// Reads and checks all model files and links them into a graph.  Fails only for what is nobody's
// model in particular: models/ cannot be read, the database cannot be had.
MUST_USE enum error_code models_read(struct arena *arena, const struct models_options *options,
                                     struct models *models, struct error *err);

// The quoted name of its table, "schema"."name", for SQL.
str model_table_name(struct arena *arena, const struct model *model);

// The tables that it reads, in the lake and elsewhere: `depends` of its commit.
struct str_list model_depends(struct arena *arena, const struct model *model);

// The query as the file has it.
str model_written(const struct model *model);

// Whether a tag of @column masks one of its columns, and the first such directive (NULL: none).
bool model_is_masked(const struct model *model);
const struct column_directive *model_first_mask(const struct model *model);

// NULL when there is none; case does not matter.
struct model *models_find(const struct models *models, str target);

// The cycle that keeps `model` out of the order: the one it is on, or one that it reads from,
// directly or not; NULL: it is in the order.
const struct model_list *models_cycle_of(const struct models *models, const struct model *model);

// "mart.customers" from "models/mart/customers.sql" (models.md §1.1); ERROR_INVALID names the
// segment and the rule.
MUST_USE enum error_code model_target_from_path(struct arena *arena, str file, str *schema,
                                                str *name, struct error *err);

// The targets of all model files by their paths alone, sorted; paths that make none are left out.
// Reads no file and needs no database.
MUST_USE enum error_code model_targets(struct arena *arena, str project, struct str_list *targets,
                                       struct error *err);
// The target among them that is spelled like `name` without case; a bare name means main.name.
// ERROR_NOT_FOUND "no model makes x", with the nearest as hint.
MUST_USE enum error_code model_target_resolve(struct arena *arena, str project, str name,
                                              str *target, struct error *err);

// ERROR_NOT_FOUND "no model makes x", with what was probably meant: a target spelled nearly so, the
// one of that name in some schema, the one that the file `name` makes.
MUST_USE enum error_code model_unknown(struct arena *arena, str name,
                                       const struct str_list *targets, struct error *err);

// The file of the target: "models/mart/x.sql".  As model_target_resolve.
MUST_USE enum error_code model_file_find(struct arena *arena, str project, str name, str *file,
                                         struct error *err);

// Adds a finding to the model and marks it broken when it is a BLOCKER.
void model_add_finding(struct arena *arena, struct model *model, enum finding_severity severity,
                       const struct error *err);

#endif
