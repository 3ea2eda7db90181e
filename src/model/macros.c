#include "model/macros.h"

#include "base/environment.h"
#include "base/file.h"
#include "base/text.h"
#include "lake/ast.h"
#include "lake/lake.h"
#include "lake/result.h"
#include "lake/script.h"
#include "model/macro_text.h"
#include "sql/lineage_database.h"

struct macro {
    str name;
    str text;               // parameters and body as DuckDB prints them, and defaults
    struct str_list bodies; // one an overload
    bool read;              // queries are filled
    struct sql_query *queries;
    size_t query_count;
    const struct macro_text *unmade; // DuckDB does not have it
};

// Whether the project has any file in the folder.
static bool has_macros(struct arena *arena, str project) {
    struct str_list names = {0};
    struct error ignored;
    const str folder = path_join(arena, project, STR("config/macros"));
    return directory_files(arena, folder, &names, &ignored) == ERROR_NONE && names.count > 0;
}

// Overloads of one name count as one macro.
static void add_overload(struct macros *macros, struct macro *macro, str parameters, str body) {
    str_list_push(macros->arena, &macro->bodies, body);
    macro->text = str_format(macros->arena, STR_FORMAT STR_FORMAT " AS " STR_FORMAT "\n",
                             STR_ARGS(macro->text), STR_ARGS(parameters), STR_ARGS(body));
}

static enum error_code read_definitions(struct macros *macros, struct error *err) {
    LAKE_RESULT result = NULL;
    TRY(lake_query(macros->connection,
                   STR("SELECT function_name, parameters::VARCHAR, macro_definition "
                       "FROM duckdb_functions() WHERE function_type IN ('macro', 'table_macro') "
                       "AND database_name = 'memory' ORDER BY ALL"),
                   LAKE_NO_VALUES, &result, err));
    while (lake_result_next(result)) {
        const str name = str_copy(macros->arena, lake_result_text(result, 0));
        const str parameters = str_copy(macros->arena, lake_result_text(result, 1));
        const str body = str_copy(macros->arena, lake_result_text(result, 2));
        struct macro *macro = map_get(&macros->by_name, name);
        if (macro == NULL) {
            macro = ARENA_NEW(macros->arena, struct macro);
            macro->name = name;
            (void)map_set(&macros->by_name, name, macro);
        }
        add_overload(macros, macro, parameters, body);
    }
    return ERROR_NONE;
}

// ── Macros that could not be made ──

// The file as it would run; one that cannot is read as it stands.
static enum error_code read_macro_file(struct macros *macros, str name, str *text,
                                       struct error *err) {
    const str file = path_join(macros->arena, STR("config/macros"), name);
    struct error ignored;
    str expanded;
    TRY(file_read(macros->arena, path_join(macros->arena, macros->project, file), text, err));
    if (macros->alias.size > 0) {
        *text = str_replace_all(macros->arena, *text, STR("{{catalog}}"), macros->alias);
    }
    if (macros->context != NULL &&
        environment_expand(macros->context->environment, macros->arena, file, *text, &expanded,
                           &ignored) == ERROR_NONE) {
        *text = expanded;
    }
    return ERROR_NONE;
}

// As DuckDB prints it, so that it counts as the same once it is made.
static str canonical_body(struct macros *macros, const struct macro_overload *overload) {
    const str select = STR("SELECT ");
    const str sql = overload->is_table ? overload->body
                                       : str_format(macros->arena, STR_FORMAT STR_FORMAT,
                                                    STR_ARGS(select), STR_ARGS(overload->body));
    struct error ignored;
    str ast;
    str printed;
    if (lake_ast_read(macros->connection, macros->arena, sql, &ast, &ignored) != ERROR_NONE ||
        lake_ast_write(macros->connection, macros->arena, ast, &printed, &ignored) != ERROR_NONE) {
        return overload->body;
    }
    return overload->is_table ? printed : str_from_offset(printed, select.size);
}

static void add_unmade(struct macros *macros, const struct macro_text *text) {
    struct macro *macro = ARENA_NEW(macros->arena, struct macro);
    *macro = (struct macro){.name = text->name, .unmade = text};
    (void)map_set(&macros->by_name, text->name, macro);
    for (size_t i = 0; i < text->count; i++) {
        const str parameters = str_format(
            macros->arena, "[" STR_FORMAT "]",
            STR_ARGS(str_list_join(macros->arena, &text->items[i].parameters, STR(", "))));
        add_overload(macros, macro, parameters, canonical_body(macros, &text->items[i]));
    }
}

static enum error_code read_unmade(struct macros *macros, struct error *err) {
    const str folder = path_join(macros->arena, macros->project, STR("config/macros"));
    struct str_list names = {0};
    TRY(directory_files(macros->arena, folder, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        struct sql_statement_list statements = {0};
        str text;
        if (!str_ends_with(names.items[i], STR(".sql"))) {
            continue;
        }
        TRY(read_macro_file(macros, names.items[i], &text, err));
        sql_split(macros->arena, text, &statements);
        for (size_t j = 0; j < statements.count; j++) {
            struct macro_text *made = ARENA_NEW(macros->arena, struct macro_text);
            if (macro_text_read(macros->arena, statements.items[j].text, made)) {
                const struct macro *known = map_get(&macros->by_name, made->name);
                if (known == NULL || known->unmade != NULL) {
                    add_unmade(macros, made);
                }
            }
        }
    }
    return ERROR_NONE;
}

void macros_trace(const struct macros *macros, struct lineage_database *database) {
    for (size_t i = 0; i < macros->by_name.count; i++) {
        const struct macro *macro = macros->by_name.entries[i].value;
        for (size_t j = 0; macro->unmade != NULL && j < macro->unmade->count; j++) {
            const struct macro_overload *overload = &macro->unmade->items[j];
            lineage_database_add_macro(database, macro->name, &overload->parameters, overload->body,
                                       overload->is_table);
        }
    }
}

// ── Defaults of parameters, which DuckDB does not tell ──

// `offset` at the `:=` behind a parameter: its default up to the comma or parenthesis that ends it,
// without layout and comments.
static void add_default(struct text *out, str name, str statement, size_t offset) {
    text_format(out, " " STR_FORMAT ":=", STR_ARGS(name));
    int depth = 0;
    for (size_t at = sql_skip_space(statement, offset); at < statement.size;
         at = sql_skip_space(statement, at)) {
        const size_t end = sql_skip_token(statement, at);
        const char c = statement.data[at];
        depth += c == '(' || c == '[' || c == '{' ? 1 : c == ')' || c == ']' || c == '}' ? -1 : 0;
        if (depth < 0 || (depth == 0 && c == ',')) {
            return;
        }
        text_format(out, " " STR_FORMAT, STR_ARGS(str_slice(statement, at, end)));
        at = end;
    }
}

// Every `name := value` of the statement: those of its parameters, and those in calls, which only
// repeat what the body says.
static str statement_defaults(struct arena *arena, str statement) {
    struct text out;
    text_init(&out, arena);
    str before = {0};
    for (size_t at = sql_skip_space(statement, 0); at < statement.size;
         at = sql_skip_space(statement, at)) {
        const size_t end = sql_skip_token(statement, at);
        const str token = str_slice(statement, at, end);
        if (str_equal(token, STR(":")) && end < statement.size && statement.data[end] == '=') {
            add_default(&out, before, statement, end + 1);
        }
        before = token;
        at = end;
    }
    return text_str(&out);
}

// The macro that the statement makes; NULL: none that we know.
static struct macro *macro_made_by(struct macros *macros, str statement) {
    bool is_create = false;
    for (size_t at = sql_skip_space(statement, 0); at < statement.size;
         at = sql_skip_space(statement, at)) {
        const size_t end = sql_skip_token(statement, at);
        const str token = str_slice(statement, at, end);
        if (token.data[0] == '(') {
            return NULL;
        }
        is_create = is_create || str_equal_nocase(token, STR("MACRO")) ||
                    str_equal_nocase(token, STR("FUNCTION"));
        const size_t next = sql_skip_space(statement, end);
        if (is_create && next < statement.size && statement.data[next] == '(') {
            const bool quoted = token.data[0] == '"';
            return map_get(&macros->by_name, quoted ? str_slice(token, 1, token.size - 1) : token);
        }
        at = end;
    }
    return NULL;
}

static enum error_code read_defaults(struct macros *macros, struct error *err) {
    const str folder = path_join(macros->arena, macros->project, STR("config/macros"));
    struct str_list names = {0};
    TRY(directory_files(macros->arena, folder, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        str text;
        struct sql_statement_list statements = {0};
        if (!str_ends_with(names.items[i], STR(".sql"))) {
            continue;
        }
        TRY(file_read(macros->arena, path_join(macros->arena, folder, names.items[i]), &text, err));
        sql_split(macros->arena, text, &statements);
        for (size_t j = 0; j < statements.count; j++) {
            struct macro *macro = macro_made_by(macros, statements.items[j].text);
            const str defaults = statement_defaults(macros->arena, statements.items[j].text);
            if (macro != NULL && defaults.size > 0) {
                macro->text = str_format(macros->arena, STR_FORMAT STR_FORMAT "\n",
                                         STR_ARGS(macro->text), STR_ARGS(defaults));
            }
        }
    }
    return ERROR_NONE;
}

// ── Constants ──

struct constant {
    str text;
    bool varies;
};

// `SET VARIABLE name = …`: the name, and the offset of what follows it; false: another statement.
static bool sets_variable(str statement, str *name, size_t *rest) {
    str words[3] = {{0}, {0}, {0}};
    size_t at = 0;
    for (size_t i = 0; i < 3 && at < statement.size; i++) {
        at = sql_skip_space(statement, at);
        const size_t end = sql_skip_token(statement, at);
        words[i] = str_slice(statement, at, end);
        at = end;
    }
    *name =
        str_starts_with(words[2], STR("\"")) ? str_slice(words[2], 1, words[2].size - 1) : words[2];
    *rest = at;
    return str_equal_nocase(words[0], STR("SET")) && str_equal_nocase(words[1], STR("VARIABLE")) &&
           name->size > 0;
}

// The tokens, without layout and comments.
static str without_layout(struct arena *arena, str sql) {
    struct text out;
    text_init(&out, arena);
    for (size_t at = sql_skip_space(sql, 0); at < sql.size; at = sql_skip_space(sql, at)) {
        const size_t end = sql_skip_token(sql, at);
        text_format(&out, "%s" STR_FORMAT, out.size > 0 ? " " : "",
                    STR_ARGS(str_slice(sql, at, end)));
        at = end;
    }
    return text_str(&out);
}

// Whether DuckDB has all of the functions, and none gives another value for the same arguments.
static bool are_consistent(struct macros *macros, const struct str_list *names) {
    int64_t count = 0;
    struct error ignored;
    return names->count == 0 ||
           (lake_query_int64(
                macros->connection,
                STR("SELECT count(DISTINCT lower(function_name)) FROM "
                    "system.main.duckdb_functions() WHERE function_type = 'scalar' AND "
                    "stability = 'CONSISTENT' AND list_contains(?, lower(function_name))"),
                LAKE_VALUES(lake_value_texts(names->items, names->count)), &count, NULL,
                &ignored) == ERROR_NONE &&
            count == (int64_t)names->count);
}

// `${NAME}` stands for a text of .env, which is as constant as a literal.
static str without_environment(struct arena *arena, str expression) {
    struct text out;
    text_init(&out, arena);
    for (size_t open; (open = str_find(expression, STR("${"))) != SIZE_MAX;) {
        text_add(&out, str_slice(expression, 0, open));
        text_add_char(&out, '0');
        const str rest = str_from_offset(expression, open);
        const size_t close = str_find_char(rest, '}');
        expression = str_from_offset(rest, close == SIZE_MAX ? rest.size : close + 1);
    }
    text_add(&out, expression);
    return text_str(&out);
}

// Whether the expression may have another value although nobody edited it: it asks for the time or
// the run, looks into a table, or is too much for us.
static bool expression_varies(struct macros *macros, str expression) {
    SCRATCH(scratch);
    const str sql = str_format(&scratch, "SELECT " STR_FORMAT,
                               STR_ARGS(without_environment(&scratch, expression)));
    struct sql_query query;
    struct error ignored;
    str ast;
    size_t offset;
    if (lake_ast_read(macros->connection, &scratch, sql, &ast, &ignored) != ERROR_NONE ||
        sql_query_read(&scratch, ast, &query, &offset, &ignored) != ERROR_NONE ||
        query.tables.count + query.calls.count > 0 || query.reads_unknown_variable ||
        str_find(ast, STR("\"SUBQUERY\"")) != SIZE_MAX) {
        return true;
    }
    for (size_t i = 0; i < query.variables.count; i++) {
        const struct constant *other = map_get(&macros->constants, query.variables.items[i]);
        if (other == NULL || other->varies) {
            return true;
        }
    }
    struct str_list names = {0};
    for (size_t i = 0; i < query.functions.count; i++) {
        const str name = query.functions.items[i].name;
        if (!str_equal(name, STR("getvariable")) && !str_list_has_nocase(&names, name)) {
            str_list_push(&scratch, &names, name);
        }
    }
    return !are_consistent(macros, &names);
}

static void add_constant(struct macros *macros, str name, str expression, bool varies) {
    struct constant *constant = map_get(&macros->constants, name);
    if (constant == NULL) {
        constant = ARENA_NEW(macros->arena, struct constant);
        (void)map_set(&macros->constants, str_copy(macros->arena, name), constant);
    }
    constant->varies = constant->varies || varies;
    constant->text = str_format(macros->arena, STR_FORMAT STR_FORMAT "\n", STR_ARGS(constant->text),
                                STR_ARGS(without_layout(macros->arena, expression)));
}

static enum error_code read_constants_of(struct macros *macros, const char *file, bool varies,
                                         struct error *err) {
    const str path = path_join(macros->arena, macros->project, str_from(file));
    struct sql_statement_list statements = {0};
    str text;
    if (!path_is_file(path)) {
        return ERROR_NONE;
    }
    TRY(file_read(macros->arena, path, &text, err));
    sql_split(macros->arena, text, &statements);
    for (size_t i = 0; i < statements.count; i++) {
        const str statement = statements.items[i].text;
        str name;
        size_t at;
        if (sets_variable(statement, &name, &at)) {
            at = sql_skip_token(statement, sql_skip_space(statement, at)); // = or TO
            const str expression = str_from_offset(statement, at);
            add_constant(macros, name, expression, varies || expression_varies(macros, expression));
        }
    }
    return ERROR_NONE;
}

// A constant counts by its value, wherever that comes from.  One that varies counts by what sets
// it: its value would make another definition, and so a backfill, of every run.
static enum error_code read_constants(struct macros *macros, struct error *err) {
    if (macros->constants_are_read) {
        return ERROR_NONE;
    }
    macros->constants_are_read = true;
    TRY(read_constants_of(macros, "config/variables/constants.sql", false, err));
    TRY(read_constants_of(macros, "config/variables/global.sql", false, err));
    TRY(read_constants_of(macros, "config/variables/local.sql", true, err));
    if (macros->constants.count == 0) {
        return ERROR_NONE;
    }
    LAKE_RESULT result = NULL;
    TRY(lake_query(macros->connection, STR("SELECT name, value::VARCHAR FROM duckdb_variables()"),
                   LAKE_NO_VALUES, &result, err));
    while (lake_result_next(result)) {
        struct constant *constant = map_get(&macros->constants, lake_result_text(result, 0));
        if (constant != NULL && !constant->varies) {
            constant->text = str_copy(macros->arena, lake_result_text(result, 1));
        }
    }
    return ERROR_NONE;
}

void macros_init(struct macros *macros, struct arena *arena, const struct models_options *options,
                 str alias) {
    *macros = (struct macros){.arena = arena,
                              .connection = options->connection,
                              .context = options->context,
                              .project = options->project,
                              .alias = alias};
    map_init_nocase(&macros->by_name, arena);
    map_init_nocase(&macros->constants, arena);
}

static enum error_code read_macros(struct macros *macros, struct error *err) {
    if (macros->is_read) {
        return ERROR_NONE;
    }
    macros->is_read = true;
    if (!has_macros(macros->arena, macros->project)) {
        return ERROR_NONE;
    }
    TRY(read_definitions(macros, err));
    TRY(read_unmade(macros, err));
    return read_defaults(macros, err);
}

enum error_code macros_refresh(struct macros *macros, struct error *err) {
    map_init_nocase(&macros->by_name, macros->arena);
    macros->is_read = false;
    return read_macros(macros, err);
}

// NULL: the project has none.
static enum error_code find_macro(struct macros *macros, str name, struct macro **macro,
                                  struct error *err) {
    *macro = NULL;
    if (macros == NULL) {
        return ERROR_NONE;
    }
    TRY(read_macros(macros, err));
    *macro = map_get(&macros->by_name, name);
    return ERROR_NONE;
}

// ── Use ──

struct use_list {
    struct definition_use *items;
    size_t count;
    size_t capacity;
};

// A macro may be called like the constant that it reads.
static bool has_use(const struct use_list *list, str name, bool is_constant) {
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].is_constant == is_constant &&
            str_equal_nocase(list->items[i].name, name)) {
            return true;
        }
    }
    return false;
}

// The bodies of a macro as queries, to see what they use in turn.
static enum error_code read_bodies(struct macros *macros, struct macro *macro, struct error *err) {
    if (macro->read) {
        return ERROR_NONE;
    }
    macro->read = true;
    macro->queries = ARENA_ARRAY(macros->arena, struct sql_query, macro->bodies.count);
    for (size_t i = 0; i < macro->bodies.count; i++) {
        const str body = macro->bodies.items[i];
        const str as_value = str_format(macros->arena, "SELECT " STR_FORMAT, STR_ARGS(body));
        str ast;
        size_t offset;
        // A table macro's body is a query, a scalar one's an expression.  One that is neither in
        // our eyes is hashed all the same; only what it uses stays unseen.
        if (lake_ast_read(macros->connection, macros->arena, as_value, &ast, err) == ERROR_NONE ||
            lake_ast_read(macros->connection, macros->arena, body, &ast, err) == ERROR_NONE) {
            TRY(sql_query_read(macros->arena, ast, &macro->queries[macro->query_count++], &offset,
                               err));
        }
    }
    return ERROR_NONE;
}

static void add_constant_use(struct macros *macros, struct use_list *uses, str name,
                             bool is_computed) {
    const struct constant *constant = map_get(&macros->constants, name);
    if (constant != NULL && !has_use(uses, name, true)) {
        const struct definition_use use = {.name = name,
                                           .text = constant->text,
                                           .is_constant = true,
                                           .varies = constant->varies,
                                           .is_computed = is_computed};
        LIST_PUSH(macros->arena, uses, use);
    }
}

enum error_code macros_bodies(struct macros *macros, str name, const struct sql_query **bodies,
                              size_t *count, struct error *err) {
    struct macro *macro = NULL;
    *count = 0;
    TRY(find_macro(macros, name, &macro, err));
    if (macro == NULL) {
        return ERROR_NONE;
    }
    TRY(read_bodies(macros, macro, err));
    *bodies = macro->queries;
    *count = macro->query_count;
    return ERROR_NONE;
}

static enum error_code collect(struct macros *macros, const struct sql_query *query,
                               struct use_list *uses, bool *any_constant, struct error *err);

static enum error_code collect_macro(struct macros *macros, str name, struct use_list *uses,
                                     bool *any_constant, struct error *err) {
    struct macro *macro = NULL;
    TRY(find_macro(macros, name, &macro, err));
    if (macro == NULL || has_use(uses, macro->name, false)) {
        return ERROR_NONE;
    }
    const struct definition_use use = {.name = macro->name, .text = macro->text};
    LIST_PUSH(macros->arena, uses, use);
    TRY(read_bodies(macros, macro, err));
    for (size_t i = 0; i < macro->query_count; i++) {
        TRY(collect(macros, &macro->queries[i], uses, any_constant, err));
    }
    return ERROR_NONE;
}

static enum error_code collect(struct macros *macros, const struct sql_query *query,
                               struct use_list *uses, bool *any_constant, struct error *err) {
    for (size_t i = 0; i < query->functions.count; i++) {
        TRY(collect_macro(macros, query->functions.items[i].name, uses, any_constant, err));
    }
    for (size_t i = 0; i < query->calls.count; i++) {
        TRY(collect_macro(macros, query->calls.items[i].name, uses, any_constant, err));
    }
    if (query->variables.count > 0) {
        TRY(read_constants(macros, err));
    }
    for (size_t i = 0; i < query->variables.count; i++) {
        add_constant_use(macros, uses, query->variables.items[i], false);
    }
    *any_constant = *any_constant || query->reads_unknown_variable;
    return ERROR_NONE;
}

// getvariable('cfg_' || region) may read any of them.  The marker tells such a definition from that
// of a model without it although there is no constant yet.
static enum error_code add_every_constant(struct macros *macros, struct use_list *uses,
                                          struct error *err) {
    const struct definition_use marker = {
        .name = STR("getvariable"), .is_constant = true, .is_computed = true};
    TRY(read_constants(macros, err));
    LIST_PUSH(macros->arena, uses, marker);
    for (size_t i = 0; i < macros->constants.count; i++) {
        add_constant_use(macros, uses, macros->constants.entries[i].key, true);
    }
    return ERROR_NONE;
}

enum error_code macros_used(struct macros *macros, const struct model *model,
                            const struct definition_use **uses, size_t *count, struct error *err) {
    struct use_list list = {0};
    const struct column_directive_list *columns = &model->source.directives.columns;
    bool any_constant = false;
    TRY(collect(macros, &model->query, &list, &any_constant, err));
    for (size_t i = 0; i < columns->count; i++) {
        if (columns->items[i].mask.size > 0) {
            TRY(collect_macro(macros, columns->items[i].mask, &list, &any_constant, err));
        }
    }
    if (any_constant) {
        TRY(add_every_constant(macros, &list, err));
    }
    for (size_t i = 1; i < list.count; i++) {
        for (size_t j = i; j > 0 && str_compare(list.items[j].name, list.items[j - 1].name) < 0;
             j--) {
            const struct definition_use use = list.items[j];
            list.items[j] = list.items[j - 1];
            list.items[j - 1] = use;
        }
    }
    *uses = list.items;
    *count = list.count;
    return ERROR_NONE;
}
