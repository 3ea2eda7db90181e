// Lineage as JSON: what commit metadata keeps, and reading it back.
#include "base/json.h"
#include "sql/lineage.h"

#include <yyjson.h>

void lineage_sources_write(struct json *json, const struct lineage_source_list *sources) {
    json_array(json);
    for (size_t i = 0; i < sources->count; i++) {
        const struct lineage_source *source = &sources->items[i];
        json_object(json);
        json_key_string(json, STR("table"), source->table);
        json_key_string(json, STR("column"), source->column);
        json_key_string(json, STR("transformation"),
                        lineage_transformation_name(source->transformation));
        if (source->function.size > 0) {
            json_key_string(json, STR("function"), source->function);
        }
        json_end(json);
    }
    json_end(json);
}

static void write_indirect(struct json *json, const struct lineage_indirect_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        json_object(json);
        json_key_string(json, STR("table"), list->items[i].table);
        json_key_string(json, STR("column"), list->items[i].column);
        json_key_string(json, STR("use"), lineage_use_name(list->items[i].use));
        json_end(json);
    }
}

void lineage_indirect_write(struct json *json, const struct lineage_indirect_list *own,
                            const struct lineage_indirect_list *rows) {
    json_array(json);
    write_indirect(json, own);
    if (rows != NULL) {
        write_indirect(json, rows);
    }
    json_end(json);
}

// One source by IDENTITY is taken for an exact copy unless it says that it is none.
static bool looks_copied(const struct lineage_column *column) {
    return column->sources.count == 1 &&
           column->sources.items[0].transformation == LINEAGE_IDENTITY;
}

void lineage_columns_write(struct json *json, const struct lineage_column_list *columns) {
    json_array(json);
    for (size_t i = 0; i < columns->count; i++) {
        const struct lineage_column *column = &columns->items[i];
        json_object(json);
        json_key_string(json, STR("column"), column->name);
        json_key(json, STR("sources"));
        lineage_sources_write(json, &column->sources);
        if (column->indirect.count > 0) {
            json_key(json, STR("indirect"));
            lineage_indirect_write(json, &column->indirect, NULL);
        }
        if (column->untraced) {
            json_key_bool(json, STR("untraced"), true);
        }
        if (looks_copied(column) && !column->is_copy) {
            json_key_bool(json, STR("copy"), false);
        }
        json_end(json);
    }
    json_end(json);
}

// ── Reading ──

static str member(struct arena *arena, yyjson_val *object, const char *key) {
    yyjson_val *value = yyjson_obj_get(object, key);
    const char *text = yyjson_get_str(value);
    return text == NULL ? (str){0} : str_copy(arena, (str){text, yyjson_get_len(value)});
}

// A transformation that we do not know is the strongest: it proves nothing.
static enum lineage_transformation read_transformation(str name) {
    for (enum lineage_transformation i = LINEAGE_IDENTITY; i < LINEAGE_AGGREGATION; i++) {
        if (str_equal(lineage_transformation_name(i), name)) {
            return i;
        }
    }
    return LINEAGE_AGGREGATION;
}

static void read_column(struct arena *arena, yyjson_val *item, struct lineage_column *column) {
    size_t i, max;
    yyjson_val *entry;
    column->name = member(arena, item, "column");
    column->untraced = yyjson_get_bool(yyjson_obj_get(item, "untraced"));
    column->copy.relation = SIZE_MAX;
    yyjson_arr_foreach(yyjson_obj_get(item, "sources"), i, max, entry) {
        const struct lineage_source source = {
            .occurrence = SIZE_MAX,
            .table = member(arena, entry, "table"),
            .column = member(arena, entry, "column"),
            .transformation = read_transformation(member(arena, entry, "transformation")),
            .function = member(arena, entry, "function"),
        };
        LIST_PUSH(arena, &column->sources, source);
    }
    column->is_copy = looks_copied(column) && !yyjson_is_false(yyjson_obj_get(item, "copy"));
}

bool lineage_columns_read(struct arena *arena, str json, struct lineage_column_list *columns) {
    *columns = (struct lineage_column_list){0};
    yyjson_doc *document =
        yyjson_read(json.data == NULL ? "" : json.data, json.size, YYJSON_READ_NOFLAG);
    yyjson_val *root = yyjson_doc_get_root(document);
    yyjson_val *list = yyjson_is_obj(root) ? yyjson_obj_get(root, "column_lineage") : root;
    const bool is_array = yyjson_is_arr(list);
    size_t i, max;
    yyjson_val *item;
    yyjson_arr_foreach(list, i, max, item) {
        struct lineage_column column = {0};
        read_column(arena, item, &column);
        LIST_PUSH(arena, columns, column);
    }
    yyjson_doc_free(document);
    return is_array;
}
