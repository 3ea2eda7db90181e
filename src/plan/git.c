// Which commit of the user's repository a run came from, read from .git without running a shell.
#include "base/file.h"
#include "plan/commit.h"

// The .git folder of the project or of a folder above it; empty: none.  A worktree's .git file is
// followed.
static str git_folder(struct arena *arena, str project) {
    struct error err;
    for (str folder = project; folder.size > 1; folder = path_directory(folder)) {
        const str path = path_join(arena, folder, STR(".git"));
        if (path_is_directory(path)) {
            return path;
        }
        str content;
        if (path_is_file(path) && file_read(arena, path, &content, &err) == ERROR_NONE &&
            str_starts_with(content, STR("gitdir:"))) {
            const str target = str_trim(str_from_offset(content, STR("gitdir:").size));
            return path_is_absolute(target) ? target : path_join(arena, folder, target);
        }
    }
    return (str){0};
}

static str read_or_empty(struct arena *arena, str folder, str name) {
    struct error err;
    str content = {0};
    const str path = path_join(arena, folder, name);
    if (!path_is_file(path) || file_read(arena, path, &content, &err) != ERROR_NONE) {
        return (str){0};
    }
    return content;
}

static str packed_reference(struct arena *arena, str folder, str reference) {
    struct str_splitter lines = {.rest = read_or_empty(arena, folder, STR("packed-refs"))};
    str line;
    while (str_split_next(&lines, '\n', &line)) {
        const size_t space = str_find_char(line, ' ');
        if (space != SIZE_MAX && str_equal(str_trim(str_from_offset(line, space)), reference)) {
            return str_slice(line, 0, space);
        }
    }
    return (str){0};
}

// https://user:token@host/x → https://host/x
static str without_credentials(struct arena *arena, str url) {
    const size_t scheme = str_find(url, STR("://"));
    if (scheme == SIZE_MAX) {
        return url;
    }
    const str rest = str_from_offset(url, scheme + 3);
    const size_t slash = str_find_char(rest, '/');
    const str authority = str_slice(rest, 0, slash);
    const size_t sign = str_find_last_char(authority, '@');
    if (sign == SIZE_MAX) {
        return url;
    }
    const str parts[] = {str_slice(url, 0, scheme + 3), str_from_offset(rest, sign + 1)};
    struct str_list list = {0};
    str_list_push(arena, &list, parts[0]);
    str_list_push(arena, &list, parts[1]);
    return str_list_join(arena, &list, STR(""));
}

// The first url of the section [remote "origin"].
static str origin_url(struct arena *arena, str config) {
    struct str_splitter lines = {.rest = config};
    bool in_origin = false;
    str line;
    while (str_split_next(&lines, '\n', &line)) {
        const str trimmed = str_trim(line);
        if (str_starts_with(trimmed, STR("["))) {
            in_origin = str_equal(trimmed, STR("[remote \"origin\"]"));
        } else if (in_origin && str_starts_with(trimmed, STR("url"))) {
            const size_t equals = str_find_char(trimmed, '=');
            return without_credentials(arena, str_trim(str_from_offset(trimmed, equals + 1)));
        }
    }
    return (str){0};
}

void git_info_read(struct arena *arena, str project, struct git_info *git) {
    *git = (struct git_info){0};
    const str folder = git_folder(arena, project);
    if (folder.size == 0) {
        return;
    }
    // A worktree keeps its HEAD here and everything else in the common folder.
    const str common = str_trim(read_or_empty(arena, folder, STR("commondir")));
    const str shared = common.size == 0 ? folder : path_join(arena, folder, common);
    const str head = str_trim(read_or_empty(arena, folder, STR("HEAD")));
    if (str_starts_with(head, STR("ref: "))) {
        const str reference = str_from_offset(head, STR("ref: ").size);
        const str branch_prefix = STR("refs/heads/");
        if (str_starts_with(reference, branch_prefix)) {
            git->branch = str_from_offset(reference, branch_prefix.size);
        }
        git->commit = str_trim(read_or_empty(arena, shared, reference));
        if (git->commit.size == 0) {
            git->commit = packed_reference(arena, shared, reference);
        }
    } else {
        git->commit = head;
    }
    git->repository_url = origin_url(arena, read_or_empty(arena, shared, STR("config")));
}
