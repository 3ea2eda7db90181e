// One walk over the tree collects everything: tables (minus the CTE names in scope), calls with the
// columns taken from them, functions, and the shape.
//
// Names resolve through two chains that follow the nesting of the query: `scope`, the CTE names
// visible here, and `frame`, the FROM items of the enclosing SELECTs.  A frame is filled from the
// FROM clause before the expressions of its SELECT are visited, so that a column finds its call.
#include "sql/ast.h"

#include "base/text.h"
#include "sql/ast_node.h"

struct scope {
    const struct scope *outer;
    str name;
};

struct from_item {
    str alias;
    size_t call; // index in query->calls, or SIZE_MAX for anything else
};

struct from_list {
    struct from_item *items;
    size_t count;
    size_t capacity;
};

struct frame {
    struct frame *outer;
    struct from_list from;
    struct str_list aliases; // of the projections
    bool in_projection;      // visiting the SELECT list
    str output;              // the projection that is nothing but the column being visited
};

struct reader {
    struct arena *arena;
    struct sql_query *query;
    struct str_list ctes_read;
};

static void visit(struct reader *reader, yyjson_val *node, const struct scope *scope,
                  struct frame *frame);

static void visit_members(struct reader *reader, yyjson_val *node, const struct scope *scope,
                          struct frame *frame) {
    size_t i, max;
    yyjson_val *key, *value;
    if (yyjson_is_obj(node)) {
        yyjson_obj_foreach(node, i, max, key, value) {
            visit(reader, value, scope, frame);
        }
    } else {
        yyjson_arr_foreach(node, i, max, value) {
            visit(reader, value, scope, frame);
        }
    }
}

// ── Tables and calls ──

static bool scope_has(const struct scope *scope, str name) {
    for (; scope != NULL; scope = scope->outer) {
        if (str_equal_nocase(scope->name, name)) {
            return true;
        }
    }
    return false;
}

static void read_table(struct reader *reader, yyjson_val *node, const struct scope *scope,
                       struct frame *frame) {
    const struct sql_table table = {
        .catalog = str_copy(reader->arena, ast_text(node, "catalog_name")),
        .schema = str_copy(reader->arena, ast_text(node, "schema_name")),
        .name = str_copy(reader->arena, ast_text(node, "table_name")),
        .alias = str_copy(reader->arena, ast_text(node, "alias")),
        .offset = ast_offset(node),
        .has_version = yyjson_is_obj(yyjson_obj_get(node, "at_clause")),
    };
    const str alias = table.alias.size > 0 ? table.alias : table.name;
    LIST_PUSH(reader->arena, &frame->from, ((struct from_item){alias, SIZE_MAX}));
    if (table.schema.size > 0 || !scope_has(scope, table.name)) {
        LIST_PUSH(reader->arena, &reader->query->tables, table);
        return;
    }
    // Two CTEs of one name count as one: to take a query for repeating costs little.
    struct sql_query *query = reader->query;
    query->repeats_cte = query->repeats_cte || str_list_has_nocase(&reader->ctes_read, table.name);
    str_list_push(reader->arena, &reader->ctes_read, table.name);
}

static bool is_text_constant(yyjson_val *node) {
    return ast_is(node, "type", "VALUE_CONSTANT") &&
           yyjson_is_str(yyjson_obj_get(yyjson_obj_get(node, "value"), "value"));
}

static str text_constant(struct arena *arena, yyjson_val *node) {
    return str_copy(arena, ast_text(yyjson_obj_get(node, "value"), "value"));
}

// What `'a'` and `['a', 'b']` name; a list with anything else in it names nothing.
static struct str_list text_constants(struct arena *arena, yyjson_val *node) {
    struct str_list texts = {0};
    if (is_text_constant(node)) {
        str_list_push(arena, &texts, text_constant(arena, node));
    } else if (ast_is(node, "class", "FUNCTION") && ast_is(node, "function_name", "list_value")) {
        size_t i, max;
        yyjson_val *item;
        yyjson_arr_foreach(yyjson_obj_get(node, "children"), i, max, item) {
            if (!is_text_constant(item)) {
                return (struct str_list){0};
            }
            str_list_push(arena, &texts, text_constant(arena, item));
        }
    }
    return texts;
}

static void read_arguments(struct reader *reader, yyjson_val *function, struct sql_call *call) {
    size_t i, max;
    yyjson_val *child;
    yyjson_arr_foreach(yyjson_obj_get(function, "children"), i, max, child) {
        const bool is_text = is_text_constant(child);
        const struct sql_argument argument = {
            .name = str_copy(reader->arena, ast_text(child, "alias")),
            .ast = ast_write(reader->arena, child),
            .is_text = is_text,
            .constant = is_text ? text_constant(reader->arena, child) : (str){0},
            .texts = text_constants(reader->arena, child),
            .is_constant = !ast_contains(child, "COLUMN_REF") && !ast_contains(child, "SUBQUERY"),
            .offset = ast_first_offset(child),
        };
        LIST_PUSH(reader->arena, &call->arguments, argument);
    }
}

static void read_call(struct reader *reader, yyjson_val *node, const struct scope *scope,
                      struct frame *frame) {
    yyjson_val *function = yyjson_obj_get(node, "function");
    const str name = ast_text(function, "function_name");
    const str alias = ast_text(node, "alias");
    struct sql_call call = {
        .schema = str_copy(reader->arena, ast_text(function, "schema")),
        .name = str_copy(reader->arena, name),
        .alias = str_copy(reader->arena, alias.size > 0 ? alias : name),
        // Renamed columns, `f() AS t(a, b)`, cannot be traced.
        .takes_all = yyjson_arr_size(yyjson_obj_get(node, "column_name_alias")) > 0,
        .offset = ast_offset(node),
    };
    read_arguments(reader, function, &call);
    const struct from_item item = {call.alias, reader->query->calls.count};
    LIST_PUSH(reader->arena, &reader->query->calls, call);
    LIST_PUSH(reader->arena, &frame->from, item);
    // The arguments may hold subqueries and functions of their own.
    visit_members(reader, yyjson_obj_get(function, "children"), scope, frame);
}

// ── Columns ──

struct column_cast {
    const struct sql_type *type;
    bool try_cast;
};

static void call_column(struct reader *reader, size_t index, str name, size_t offset,
                        const struct column_cast *cast, const struct frame *frame, bool is_own) {
    struct sql_call *call = &reader->query->calls.items[index];
    const struct sql_column_use use = {
        .name = str_copy(reader->arena, name),
        .output = is_own ? frame->output : (str){0},
        .cast = cast->type == NULL ? (str){0} : cast->type->text,
        .type = cast->type,
        .try_cast = cast->try_cast,
        .is_projected = is_own && frame->in_projection,
        .offset = offset,
    };
    LIST_PUSH(reader->arena, &call->columns, use);
}

static const struct from_item *frame_find(const struct frame *frame, str alias) {
    for (size_t i = 0; i < frame->from.count; i++) {
        if (str_equal_nocase(frame->from.items[i].alias, alias)) {
            return &frame->from.items[i];
        }
    }
    return NULL;
}

// `t.a`: the call of alias t, here or in an enclosing SELECT.
static bool read_qualified(struct reader *reader, str alias, str name, size_t offset,
                           const struct column_cast *cast, struct frame *frame) {
    for (struct frame *at = frame; at != NULL; at = at->outer) {
        const struct from_item *item = frame_find(at, alias);
        if (item != NULL) {
            if (item->call != SIZE_MAX) {
                call_column(reader, item->call, name, offset, cast, frame, at == frame);
            }
            return true;
        }
    }
    return false;
}

// `a`: of the only FROM item.  With several, only the database could tell: the calls among them
// give all their columns.
static void read_unqualified(struct reader *reader, str name, size_t offset,
                             const struct column_cast *cast, struct frame *frame) {
    struct frame *at = frame;
    while (at != NULL && at->from.count == 0) {
        at = at->outer;
    }
    if (at == NULL) {
        return;
    }
    if (at->from.count > 1) {
        for (size_t i = 0; i < at->from.count; i++) {
            if (at->from.items[i].call != SIZE_MAX) {
                reader->query->calls.items[at->from.items[i].call].takes_all = true;
            }
        }
        return;
    }
    const size_t call = at->from.items[0].call;
    // An alias of the SELECT list, used again in ORDER BY or further right.
    const bool is_alias = at == frame && str_list_has_nocase(&frame->aliases, name);
    if (call != SIZE_MAX && !(is_alias && !(frame->in_projection && frame->output.size > 0))) {
        call_column(reader, call, name, offset, cast, frame, at == frame);
    }
}

static void read_column(struct reader *reader, yyjson_val *node, const struct column_cast *cast,
                        struct frame *frame) {
    static const struct column_cast no_cast = {0};
    yyjson_val *names = yyjson_obj_get(node, "column_names");
    const size_t count = yyjson_arr_size(names);
    str parts[2] = {{0}, {0}};
    for (size_t i = 0; i < count && i < 2; i++) {
        yyjson_val *name = yyjson_arr_get(names, i);
        parts[i] = (str){yyjson_get_str(name), yyjson_get_len(name)};
    }
    const size_t offset = ast_offset(node);
    if (frame == NULL || count == 0) {
        return;
    }
    if (count > 1 &&
        read_qualified(reader, parts[0], parts[1], offset, count == 2 ? cast : &no_cast, frame)) {
        return;
    }
    read_unqualified(reader, parts[0], offset, count == 1 ? cast : &no_cast, frame);
}

static void read_star(struct reader *reader, yyjson_val *node, struct frame *frame) {
    const str relation = ast_text(node, "relation_name");
    for (size_t i = 0; frame != NULL && i < frame->from.count; i++) {
        const struct from_item *item = &frame->from.items[i];
        if (item->call != SIZE_MAX &&
            (relation.size == 0 || str_equal_nocase(relation, item->alias))) {
            reader->query->calls.items[item->call].takes_all = true;
        }
    }
}

// USING columns are of both sides.
static void read_using(struct reader *reader, yyjson_val *node, struct frame *frame) {
    static const struct column_cast no_cast = {0};
    size_t i, max;
    yyjson_val *name;
    yyjson_arr_foreach(yyjson_obj_get(node, "using_columns"), i, max, name) {
        for (size_t j = 0; j < frame->from.count; j++) {
            if (frame->from.items[j].call != SIZE_MAX) {
                call_column(reader, frame->from.items[j].call,
                            (str){yyjson_get_str(name), yyjson_get_len(name)}, ast_offset(node),
                            &no_cast, frame, false);
            }
        }
    }
}

// ── Functions ──

static const str VOLATILE_FUNCTIONS[] = {
    STR_INIT("random"),
    STR_INIT("setseed"),
    STR_INIT("uuid"),
    STR_INIT("gen_random_uuid"),
    STR_INIT("uuidv4"),
    STR_INIT("uuidv7"),
    STR_INIT("now"),
    STR_INIT("get_current_timestamp"),
    STR_INIT("current_timestamp"),
    STR_INIT("transaction_timestamp"),
    STR_INIT("current_date"),
    STR_INIT("today"),
    STR_INIT("current_time"),
    STR_INIT("get_current_time"),
    STR_INIT("current_localtime"),
    STR_INIT("current_localtimestamp"),
    STR_INIT("nextval"),
    STR_INIT("currval"),
    STR_INIT("txid_current"),
};

static void read_function(struct reader *reader, yyjson_val *node) {
    struct sql_query *query = reader->query;
    const struct sql_function function = {
        .name = str_to_lower(reader->arena, ast_text(node, "function_name")),
        .offset = ast_offset(node),
    };
    if (!ast_bool(node, "is_operator")) {
        LIST_PUSH(reader->arena, &query->functions, function);
    }
    for (size_t i = 0; i < ARRAY_COUNT(VOLATILE_FUNCTIONS); i++) {
        if (query->volatile_function.size == 0 && str_equal(function.name, VOLATILE_FUNCTIONS[i])) {
            query->volatile_function = function.name;
            query->volatile_offset = function.offset;
        }
    }
    if (str_equal(function.name, STR("getvariable"))) {
        yyjson_val *argument = yyjson_arr_get(yyjson_obj_get(node, "children"), 0);
        const str name = ast_text(yyjson_obj_get(argument, "value"), "value");
        query->reads_unknown_variable = query->reads_unknown_variable || name.size == 0;
        if (name.size > 0 && !str_list_has(&query->variables, name)) {
            str_list_push(reader->arena, &query->variables, str_copy(reader->arena, name));
        }
    }
}

// ── Queries ──

static void read_limit(struct reader *reader, yyjson_val *node) {
    yyjson_val *limit = yyjson_obj_get(node, "limit");
    yyjson_val *offset = yyjson_obj_get(node, "offset");
    struct sql_query *query = reader->query;
    if (yyjson_is_obj(limit) && query->limit_offset == SIZE_MAX) {
        query->limit_offset = ast_first_offset(limit);
    }
    if (yyjson_is_obj(offset) && query->offset_offset == SIZE_MAX) {
        query->offset_offset = ast_first_offset(offset);
    }
}

// The name of a projection: its alias, or that of the column it is.
static str projection_name(struct arena *arena, yyjson_val *item) {
    const str alias = ast_text(item, "alias");
    if (alias.size > 0) {
        return str_copy(arena, alias);
    }
    yyjson_val *inner = item;
    while (ast_is(inner, "class", "CAST")) {
        inner = yyjson_obj_get(inner, "child");
    }
    if (ast_is(inner, "class", "COLUMN_REF")) {
        yyjson_val *name = yyjson_arr_get_last(yyjson_obj_get(inner, "column_names"));
        return str_copy(arena, (str){yyjson_get_str(name), yyjson_get_len(name)});
    }
    return (str){0};
}

static bool is_column(yyjson_val *item) {
    while (ast_is(item, "class", "CAST")) {
        item = yyjson_obj_get(item, "child");
    }
    return ast_is(item, "class", "COLUMN_REF");
}

static void visit_projections(struct reader *reader, yyjson_val *list, const struct scope *scope,
                              struct frame *frame) {
    size_t i, max;
    yyjson_val *item;
    frame->in_projection = true;
    yyjson_arr_foreach(list, i, max, item) {
        frame->output = is_column(item) ? projection_name(reader->arena, item) : (str){0};
        visit(reader, item, scope, frame);
        if (ast_text(item, "alias").size > 0) {
            str_list_push(reader->arena, &frame->aliases,
                          str_copy(reader->arena, ast_text(item, "alias")));
        }
    }
    frame->output = (str){0};
    frame->in_projection = false;
}

static void visit_select(struct reader *reader, yyjson_val *node, const struct scope *scope,
                         struct frame *outer) {
    struct frame frame = {.outer = outer};
    visit(reader, yyjson_obj_get(node, "from_table"), scope, &frame);
    visit_projections(reader, yyjson_obj_get(node, "select_list"), scope, &frame);
    size_t i, max;
    yyjson_val *key, *value;
    yyjson_obj_foreach(node, i, max, key, value) {
        const str name = {yyjson_get_str(key), yyjson_get_len(key)};
        if (!str_equal(name, STR("from_table")) && !str_equal(name, STR("select_list")) &&
            !str_equal(name, STR("cte_map"))) {
            visit(reader, value, scope, &frame);
        }
    }
}

// The rest of a query node, with its CTEs in scope one after another.
static void visit_query(struct reader *reader, yyjson_val *node, const struct scope *scope,
                        struct frame *frame) {
    yyjson_val *map = yyjson_obj_get(yyjson_obj_get(node, "cte_map"), "map");
    struct scope *names = ARENA_ARRAY(reader->arena, struct scope, yyjson_arr_size(map) + 1);
    size_t i, max;
    yyjson_val *entry;
    yyjson_arr_foreach(map, i, max, entry) {
        yyjson_val *query = yyjson_obj_get(yyjson_obj_get(entry, "value"), "query");
        names[i] = (struct scope){scope, ast_text(entry, "key")};
        // Only a recursive CTE sees itself.
        const bool recursive = ast_is(yyjson_obj_get(query, "node"), "type", "RECURSIVE_CTE_NODE");
        reader->query->repeats_cte = reader->query->repeats_cte || recursive;
        visit(reader, query, recursive ? &names[i] : scope, NULL);
        scope = &names[i];
    }
    if (ast_is(node, "type", "SELECT_NODE")) {
        visit_select(reader, node, scope, frame);
        return;
    }
    size_t j, count;
    yyjson_val *key, *value;
    yyjson_obj_foreach(node, j, count, key, value) {
        if (!yyjson_equals_str(key, "cte_map")) {
            visit(reader, value, scope, frame);
        }
    }
}

static void visit_cast(struct reader *reader, yyjson_val *node, const struct scope *scope,
                       struct frame *frame) {
    yyjson_val *child = yyjson_obj_get(node, "child");
    if (!ast_is(child, "class", "COLUMN_REF")) {
        visit(reader, child, scope, frame);
        return;
    }
    const struct column_cast cast = {
        .type = ast_type(reader->arena, yyjson_obj_get(node, "cast_type")),
        .try_cast = ast_bool(node, "try_cast"),
    };
    read_column(reader, child, &cast, frame);
}

// A derived table: its own frames inside, one opaque item outside.
static void visit_derived(struct reader *reader, yyjson_val *node, const struct scope *scope,
                          struct frame *frame) {
    visit_members(reader, node, scope, frame);
    const str alias = str_copy(reader->arena, ast_text(node, "alias"));
    LIST_PUSH(reader->arena, &frame->from, ((struct from_item){alias, SIZE_MAX}));
}

static void visit(struct reader *reader, yyjson_val *node, const struct scope *scope,
                  struct frame *frame) {
    static const struct column_cast no_cast = {0};
    if (!yyjson_is_ctn(node)) {
        return;
    }
    // PIVOT and the like have FROM items outside of any SELECT.
    struct frame loose = {.outer = NULL};
    struct frame *here = frame == NULL ? &loose : frame;
    if (ast_is(node, "type", "BASE_TABLE")) {
        read_table(reader, node, scope, here);
        visit(reader, yyjson_obj_get(node, "at_clause"), scope, here);
    } else if (ast_is(node, "type", "TABLE_FUNCTION")) {
        read_call(reader, node, scope, here);
    } else if (yyjson_is_obj(yyjson_obj_get(node, "cte_map"))) {
        visit_query(reader, node, scope, frame);
    } else if (ast_is(node, "class", "COLUMN_REF")) {
        read_column(reader, node, &no_cast, frame);
    } else if (ast_is(node, "class", "CAST")) {
        visit_cast(reader, node, scope, frame);
    } else if (ast_is(node, "class", "STAR")) {
        read_star(reader, node, frame);
        visit_members(reader, node, scope, frame);
    } else if (ast_is(node, "class", "FUNCTION") || ast_is(node, "class", "WINDOW")) {
        read_function(reader, node);
        visit_members(reader, node, scope, frame);
    } else if (ast_is(node, "type", "JOIN")) {
        visit(reader, yyjson_obj_get(node, "left"), scope, here);
        visit(reader, yyjson_obj_get(node, "right"), scope, here);
        visit(reader, yyjson_obj_get(node, "condition"), scope, here);
        read_using(reader, node, here);
    } else if (yyjson_obj_get(node, "sample") != NULL && !ast_is(node, "type", "EMPTY") &&
               yyjson_obj_get(node, "class") == NULL) {
        // DESCRIBE and SUMMARIZE have a query of their own, SHOW TABLES and its like have none.
        reader->query->reads_catalog =
            reader->query->reads_catalog ||
            (ast_is(node, "type", "SHOW_REF") && !yyjson_is_obj(yyjson_obj_get(node, "query")));
        visit_derived(reader, node, scope, here);
    } else {
        if (ast_is(node, "type", "LIMIT_MODIFIER") ||
            ast_is(node, "type", "LIMIT_PERCENT_MODIFIER")) {
            read_limit(reader, node);
        }
        visit_members(reader, node, scope, frame);
    }
}

// ── The whole ──

// Other table functions, as in a subquery, are seen by their number.
static bool query_reads_one_call(yyjson_val *node) {
    return ast_is(node, "type", "SELECT_NODE") &&
           ast_is(yyjson_obj_get(node, "from_table"), "type", "TABLE_FUNCTION");
}

static void query_outputs(struct reader *reader, yyjson_val *node) {
    while (ast_is(node, "type", "SET_OPERATION_NODE")) {
        node = yyjson_obj_get(node, "left");
    }
    size_t i, max;
    yyjson_val *item;
    yyjson_val *list = yyjson_obj_get(node, "select_list");
    reader->query->projections = ARENA_ARRAY(reader->arena, size_t, yyjson_arr_size(list) + 1);
    yyjson_arr_foreach(list, i, max, item) {
        if (ast_contains(item, "STAR")) { // COLUMNS(*) too
            break;
        }
        reader->query->projections[reader->query->projection_count++] = ast_first_offset(item);
    }
    struct str_list names = {0};
    yyjson_arr_foreach(list, i, max, item) {
        const str name = projection_name(reader->arena, item);
        // A star, an expression that DuckDB names, or perhaps a struct's fields.
        if (name.size == 0 || ast_is_unnest(item)) {
            return;
        }
        str_list_push(reader->arena, &names, name);
    }
    reader->query->outputs = names;
}

static void sort_calls(struct sql_call_list *calls) {
    for (size_t i = 1; i < calls->count; i++) {
        for (size_t j = i; j > 0 && calls->items[j].offset < calls->items[j - 1].offset; j--) {
            const struct sql_call call = calls->items[j];
            calls->items[j] = calls->items[j - 1];
            calls->items[j - 1] = call;
        }
    }
}

// Projected columns first, each group in its own order.
static void sort_columns(struct sql_column_use_list *columns) {
    for (size_t i = 1; i < columns->count; i++) {
        for (size_t j = i;
             j > 0 && columns->items[j].is_projected && !columns->items[j - 1].is_projected; j--) {
            const struct sql_column_use use = columns->items[j];
            columns->items[j] = columns->items[j - 1];
            columns->items[j - 1] = use;
        }
    }
}

bool sql_table_is_file(const struct sql_table *table) {
    return table->schema.size == 0 && (str_find_char(table->name, '/') != SIZE_MAX ||
                                       str_find_char(table->name, '.') != SIZE_MAX);
}

static enum error_code ast_error(yyjson_val *root, size_t *offset, struct error *err) {
    uint64_t position = 0;
    if (str_parse_uint64(ast_text(root, "position"), &position)) {
        *offset = (size_t)position;
    }
    const str message = ast_text(root, "error_message");
    if (ast_is(root, "error_type", "not implemented")) {
        return error_rule(err, ERROR_INVALID, "parser.other", "the body of a model is one SELECT");
    }
    // What is not terminated is quoted to the end of the file.
    const size_t line = str_find_char(message, '\n');
    return error_rule(err, ERROR_INVALID, "parser.other", STR_FORMAT "%s",
                      STR_ARGS(str_slice(message, 0, line)), line < message.size ? " …" : "");
}

enum error_code sql_query_read(struct arena *arena, str ast, struct sql_query *query,
                               size_t *offset, struct error *err) {
    *query = (struct sql_query){
        .limit_offset = SIZE_MAX, .offset_offset = SIZE_MAX, .volatile_offset = SIZE_MAX};
    *offset = SIZE_MAX;
    AST_DOCUMENT document = ast_document(ast);
    if (document == NULL) {
        return error_set(err, ERROR_INTERNAL, "the syntax tree is not JSON");
    }
    yyjson_val *root = yyjson_doc_get_root(document);
    if (ast_bool(root, "error")) {
        return ast_error(root, offset, err);
    }
    yyjson_val *node = ast_query(document);
    struct reader reader = {.arena = arena, .query = query};
    visit(&reader, node, NULL, NULL);
    sort_calls(&query->calls);
    for (size_t i = 0; i < query->calls.count; i++) {
        sort_columns(&query->calls.items[i].columns);
    }
    query_outputs(&reader, node);
    query->is_show = ast_is(yyjson_obj_get(node, "from_table"), "type", "SHOW_REF");
    query->reads_one_call = query_reads_one_call(node);
    query->canonical = ast_canonical(arena, node);
    return ERROR_NONE;
}
