#include "sql/create_view.h"

#include "base/arena.h"
#include "lake/script.h"

static str next_word(str statement, size_t *offset) {
    const size_t start = sql_skip_space(statement, *offset);
    if (start >= statement.size) {
        *offset = statement.size;
        return (str){0};
    }
    *offset = sql_skip_token(statement, start);
    return str_slice(statement, start, *offset);
}

static str next_name(struct arena *arena, str statement, size_t *offset) {
    const str word = next_word(statement, offset);
    const bool quoted = word.size >= 2 && word.data[0] == '"';
    return quoted
               ? str_replace_all(arena, str_slice(word, 1, word.size - 1), STR("\"\""), STR("\""))
               : word;
}

bool sql_view_read(struct arena *arena, str statement, struct sql_view *view) {
    *view = (struct sql_view){0};
    size_t at = 0;
    if (!sql_take_word(statement, &at, "CREATE")) {
        return false;
    }
    view->or_replace =
        sql_take_word(statement, &at, "OR") && sql_take_word(statement, &at, "REPLACE");
    (void)(sql_take_word(statement, &at, "TEMP") || sql_take_word(statement, &at, "TEMPORARY"));
    if (!sql_take_word(statement, &at, "VIEW")) {
        return false;
    }
    view->if_not_exists = sql_take_word(statement, &at, "IF") &&
                          sql_take_word(statement, &at, "NOT") &&
                          sql_take_word(statement, &at, "EXISTS");
    view->name_start = sql_skip_space(statement, at);
    view->name = next_name(arena, statement, &at);
    while (sql_take_word(statement, &at, ".")) {
        view->catalog = view->schema;
        view->schema = view->name;
        view->name_start = sql_skip_space(statement, at);
        view->name = next_name(arena, statement, &at);
    }
    if (sql_take_word(statement, &at, "(")) {
        while (at < statement.size && !sql_take_word(statement, &at, ")")) {
            if (!sql_take_word(statement, &at, ",")) {
                str_list_push(arena, &view->columns, next_name(arena, statement, &at));
            }
        }
    }
    if (!sql_take_word(statement, &at, "AS")) {
        return false;
    }
    view->body = str_trim(str_from_offset(statement, at));
    return view->name.size > 0 && view->body.size > 0;
}

static bool is_main(str name, str alias) {
    return name.size == 0 || str_equal_nocase(name, STR("main")) ||
           str_equal_nocase(name, STR("memory")) || str_equal_nocase(name, STR("temp")) ||
           (alias.size > 0 && str_equal_nocase(name, alias));
}

bool sql_view_is_of_session(const struct sql_view *view, str alias) {
    return is_main(view->schema, view->catalog.size == 0 ? alias : (str){0}) &&
           (view->catalog.size == 0 || is_main(view->catalog, alias));
}
