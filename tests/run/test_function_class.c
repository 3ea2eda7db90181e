#include "support/unit.h"

#include "base/arena.h"
#include "base/environment.h"
#include "lake/lake.h"
#include "run/function_class.h"

// A class that is known by heart is the one that DuckDB tells; what it does not list may change its
// answer by itself.
static void the_well_known_functions_are_what_duckdb_says(void **state) {
    (void)state;
    SCRATCH(arena);
    struct error err;
    struct environment environment;
    environment_init(&environment, &arena, true);
    environment_set(&environment, STR("COYPU_DEPS_DIR"), STR(COYPU_DEPS_DIR));
    const struct context context = {.clock = clock_system(), .environment = &environment};
    const struct lake_options options = {.threads = 1};
    struct lake *lake = NULL;
    struct lake_connection *connection = NULL;
    assert_int_equal(lake_open(&context, &options, &lake, &err), ERROR_NONE);
    assert_int_equal(lake_connect(lake, &connection, &err), ERROR_NONE);

    struct function_classes known;
    struct function_classes told = {.arena = &arena};
    struct str_list names = {0};
    function_classes_init(&known, &arena);
    map_init_nocase(&told.by_name, &arena);
    for (size_t i = 0; i < known.by_name.count; i++) {
        str_list_push(&arena, &names, known.by_name.entries[i].key);
    }
    assert_int_equal(function_classes_ask(&told, connection, &names, &err), ERROR_NONE);
    for (size_t i = 0; i < names.count; i++) {
        if (function_class(&known, names.items[i]) != function_class(&told, names.items[i])) {
            fail_msg(STR_FORMAT ": %d, and DuckDB says %d", STR_ARGS(names.items[i]),
                     (int)function_class(&known, names.items[i]),
                     (int)function_class(&told, names.items[i]));
        }
    }
    lake_disconnect(connection);
    lake_close(lake);
    environment_done(&environment);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_well_known_functions_are_what_duckdb_says),
    };
    return cmocka_run_group_tests_name("run_function_class", tests, NULL, NULL);
}
