// `coypu init`: a new project from the templates.

#include "base/arena.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "project/builtin.h"
#include "project/project.h"

static enum error_code write_file(struct arena *arena, str root, str path, str content,
                                  unsigned mode, struct error *err) {
    const str full = path_join(arena, root, path);
    if (path_exists(full)) {
        return ERROR_NONE; // what is there already stays: a README, a .gitignore
    }
    TRY(directory_create(path_directory(full), 0777, err));
    return file_write_atomic(full, content, mode, err);
}

static str new_key(const struct context *context, struct arena *arena) {
    enum { KEY_SIZE = 32 };
    char key[KEY_SIZE];
    context_random(context, key, sizeof(key));
    return base64_encode(arena, (str){key, sizeof(key)});
}

static enum error_code write_environment(const struct context *context, struct arena *arena,
                                         str root, struct error *err) {
    const str content = str_format(arena,
                                   "# Variables and secrets of this project; never commit this "
                                   "file.\nONDATRA_STATE_KEY=" STR_FORMAT "\n",
                                   STR_ARGS(new_key(context, arena)));
    return write_file(arena, root, STR(".env"), content, 0600, err);
}

enum error_code project_init(const struct context *context, struct arena *arena, str path,
                             str *name, struct error *err) {
    if (path_exists(path_join(arena, path, STR("config")))) {
        (void)error_set(err, ERROR_CONFLICT, "this folder has a project already: config/ exists");
        error_hint(err, "run coypu init in a new folder");
        return err->code;
    }
    TRY(directory_create(path, 0777, err));
    str root = {0};
    TRY(path_real(arena, path, &root, err));
    *name = str_copy(arena, path_base(root));
    for (size_t i = 0; i < template_file_count; i++) {
        const str content =
            str_replace_all(arena, template_files[i].content, STR("{{name}}"), *name);
        TRY(write_file(arena, root, template_files[i].path, content, 0644, err));
    }
    for (size_t i = 0; i < template_folder_count; i++) {
        TRY(directory_create(path_join(arena, root, template_folders[i]), 0777, err));
    }
    return write_environment(context, arena, root, err);
}
