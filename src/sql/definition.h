#ifndef SQL_DEFINITION_H
#define SQL_DEFINITION_H

// What makes two versions of a model "the same": hashes over its SQL, its directives and the macros
// and constants it uses (models.md §4.1).
//
// coypu_hash ignores comments, layout and keyword case (it hashes the canonical tree); text_hash is
// over the bytes and settles the question when DuckDB writes its trees differently; sql_hash is the
// one that OndatraSQL stored, so that its lakes open without a rebuild.
//
// Ownership: results live in the arena.  Threads: values.

#include "base/list.h"
#include "sql/directive.h"

// A macro or constant the model uses, directly or through others; sorted by name by the caller.
struct definition_use {
    str name;
    str text; // the canonical tree of a macro's body; a constant's value, or what sets it
    bool is_constant;
    bool varies;      // a constant whose value is another one at every run or model
    bool is_computed; // counts only because a getvariable() of a computed name may read it
};

struct definition {
    str coypu_hash; // 64 hex digits
    str text_hash;
    str sql_hash;
    str literal_hash; // coypu_hash as it was before computed names counted; lakes hold it
};

struct definition_input {
    const struct directives *directives;
    str body;      // as written
    str canonical; // sql_query.canonical
    const struct definition_use *uses;
    size_t use_count;
    str config_hash; // of OndatraSQL's config/ rule; empty when there is no config file
};

// "kind=table", "unique_key=id", …: the directives that decide the data, masks included; what
// tells which of them changed.
void directives_identity(struct arena *arena, const struct directives *directives,
                         struct str_list *parts);

void definition_hash(struct arena *arena, const struct definition_input *input,
                     struct definition *definition);

// OndatraSQL's hash over every .sql under config/: sorted relative path, NUL, bytes, NUL.
// `paths` and `contents` are parallel and sorted by path.  Empty when there are none.
str definition_config_hash(struct arena *arena, const str *paths, const str *contents,
                           size_t count);

#endif
