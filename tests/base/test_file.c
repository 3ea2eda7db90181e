// file.h: reading, atomic writing, folders and locks.
#include "base/arena.h"
#include "base/file.h"
#include "base/text.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    struct arena arena;
    str folder;
};

static int setup(void **state) {
    struct fixture *fixture = memory_alloc(sizeof(*fixture));
    arena_init(&fixture->arena);
    char *name = str_to_cstring(&fixture->arena, STR("/tmp/coypu-file.XXXXXX"));
    if (mkdtemp(name) == NULL) {
        return -1;
    }
    fixture->folder = str_from(name);
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    struct error err;
    assert_int_equal(directory_remove(fixture->folder, &err), ERROR_NONE);
    arena_done(&fixture->arena);
    free(fixture);
    return 0;
}

static void atomic_write_replaces_and_reads_back(void **state) {
    struct fixture *fixture = *state;
    struct error err;
    const str path = path_join(&fixture->arena, fixture->folder, STR("x.txt"));
    str content;
    assert_int_equal(file_write_atomic(path, STR("first"), 0600, &err), ERROR_NONE);
    assert_int_equal(file_write_atomic(path, STR("second, longer"), 0600, &err), ERROR_NONE);
    assert_int_equal(file_read(&fixture->arena, path, &content, &err), ERROR_NONE);
    assert_true(str_equal(content, STR("second, longer")));
    struct str_list names = {0};
    assert_int_equal(directory_files(&fixture->arena, fixture->folder, &names, &err), ERROR_NONE);
    assert_int_equal(names.count, 1); // no temporary file stays
    struct stat info;
    assert_int_equal(stat(str_to_cstring(&fixture->arena, path), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void create_refuses_an_existing_file(void **state) {
    struct fixture *fixture = *state;
    struct error err;
    const str path = path_join(&fixture->arena, fixture->folder, STR("x.txt"));
    assert_int_equal(file_create(path, STR("one"), 0644, &err), ERROR_NONE);
    assert_int_equal(file_create(path, STR("two"), 0644, &err), ERROR_CONFLICT);
    str content;
    assert_int_equal(file_read(&fixture->arena, path, &content, &err), ERROR_NONE);
    assert_true(str_equal(content, STR("one")));
}

static void a_missing_file_and_a_folder_are_told_apart(void **state) {
    struct fixture *fixture = *state;
    struct error err;
    str content;
    const str missing = path_join(&fixture->arena, fixture->folder, STR("missing"));
    assert_int_equal(file_read(&fixture->arena, missing, &content, &err), ERROR_NOT_FOUND);
    assert_int_equal(file_read(&fixture->arena, fixture->folder, &content, &err), ERROR_IO);
}

static void walks_in_byte_order_below_all_folders(void **state) {
    struct fixture *fixture = *state;
    struct error err;
    assert_int_equal(
        directory_create(path_join(&fixture->arena, fixture->folder, STR("a/b")), 0755, &err),
        ERROR_NONE);
    static const char *const files[] = {"z.sql", "a/m.sql", "a/b/c.sql", ".hidden"};
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        const str path = path_join(&fixture->arena, fixture->folder, str_from(files[i]));
        assert_int_equal(file_write_atomic(path, STR("x"), 0644, &err), ERROR_NONE);
    }
    struct str_list paths = {0};
    assert_int_equal(directory_walk(&fixture->arena, fixture->folder, &paths, &err), ERROR_NONE);
    assert_true(str_equal(str_list_join(&fixture->arena, &paths, STR(" ")),
                          STR("a/b/c.sql a/m.sql z.sql")));
    (void)unlink(str_to_cstring(&fixture->arena,
                                path_join(&fixture->arena, fixture->folder, STR(".hidden"))));
}

static void a_lock_names_its_holder(void **state) {
    struct fixture *fixture = *state;
    const str path = path_join(&fixture->arena, fixture->folder, STR("run.lock"));
    struct error err;
    struct file_lock lock;
    str holder;
    assert_int_equal(file_lock(&fixture->arena, path, STR("pid 7"), 0, &lock, &holder, &err),
                     ERROR_NONE);
    const pid_t child = fork();
    if (child == 0) {
        struct file_lock other;
        const enum error_code code =
            file_lock(&fixture->arena, path, STR("pid 8"), 0, &other, &holder, &err);
        _exit(code == ERROR_CONFLICT && str_equal(holder, STR("pid 7")) ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    file_unlock(&lock);
    assert_int_equal(file_lock(&fixture->arena, path, STR("pid 9"), 0, &lock, &holder, &err),
                     ERROR_NONE);
    file_unlock(&lock);
}

static void a_folder_goes_with_everything_below_it_but_not_behind_links(void **state) {
    struct fixture *fixture = *state;
    struct error err;
    struct str_list names;
    const str doomed = path_join(&fixture->arena, fixture->folder, STR("doomed"));
    const str kept = path_join(&fixture->arena, fixture->folder, STR("kept"));
    assert_int_equal(directory_create(path_join(&fixture->arena, doomed, STR("a/b")), 0755, &err),
                     ERROR_NONE);
    assert_int_equal(directory_create(kept, 0755, &err), ERROR_NONE);
    assert_int_equal(file_create(path_join(&fixture->arena, kept, STR("x")), STR("1"), 0644, &err),
                     ERROR_NONE);
    assert_int_equal(
        symlink(str_to_cstring(&fixture->arena, kept),
                str_to_cstring(&fixture->arena, path_join(&fixture->arena, doomed, STR("link")))),
        0);
    assert_int_equal(directory_folders(&fixture->arena, doomed, &names, &err), ERROR_NONE);
    assert_true(str_equal(str_list_join(&fixture->arena, &names, STR(" ")), STR("a link")));
    assert_int_equal(directory_remove(doomed, &err), ERROR_NONE);
    assert_false(path_exists(doomed));
    assert_true(path_is_file(path_join(&fixture->arena, kept, STR("x"))));
    assert_int_equal(directory_remove(doomed, &err), ERROR_NONE);
    assert_int_equal(directory_folders(&fixture->arena, doomed, &names, &err), ERROR_NONE);
    assert_int_equal(names.count, 0);
}

static void paths_inside_a_root_are_told_by_whole_names(void **state) {
    (void)state;
    assert_true(path_is_inside(STR("/a/b/c"), STR("/a/b")));
    assert_true(path_is_inside(STR("/a/b"), STR("/a/b")));
    assert_true(path_is_inside(STR("/a"), STR("/")));
    assert_false(path_is_inside(STR("/a/bc"), STR("/a/b")));
    assert_false(path_is_inside(STR("/a"), STR("/a/b")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(atomic_write_replaces_and_reads_back, setup, teardown),
        cmocka_unit_test_setup_teardown(create_refuses_an_existing_file, setup, teardown),
        cmocka_unit_test_setup_teardown(a_missing_file_and_a_folder_are_told_apart, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(walks_in_byte_order_below_all_folders, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lock_names_its_holder, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_goes_with_everything_below_it_but_not_behind_links,
                                        setup, teardown),
        cmocka_unit_test(paths_inside_a_root_are_told_by_whole_names),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
