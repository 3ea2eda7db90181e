// The fuzz targets without a fuzzer: runs every file of the folders given, once, in any build.
#include "base/arena.h"
#include "base/file.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum error_code replay_folder(struct arena *arena, str folder, size_t *count,
                                     struct error *err) {
    struct str_list files = {0};
    TRY(directory_files(arena, folder, &files, err));
    for (size_t i = 0; i < files.count; i++) {
        str content;
        TRY(file_read(arena, path_join(arena, folder, files.items[i]), &content, err));
        SCRATCH(scratch);
        // A copy of just this size, so that reading behind the end is seen; nothing has no address.
        const str copy = content.size > 0 ? str_copy(&scratch, content) : (str){NULL, 0};
        LLVMFuzzerTestOneInput((const uint8_t *)copy.data, copy.size);
        (*count)++;
    }
    return ERROR_NONE;
}

int main(int argc, char **argv) {
    SCRATCH(arena);
    size_t count = 0;
    for (int i = 1; i < argc; i++) {
        struct error err;
        if (replay_folder(&arena, str_from(argv[i]), &count, &err) != ERROR_NONE) {
            (void)fprintf(stderr, "error: %s\n", err.message);
            return 1;
        }
    }
    (void)printf("%zu inputs\n", count);
    return count > 0 ? 0 : 1;
}
