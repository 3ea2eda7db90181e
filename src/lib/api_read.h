#ifndef LIB_API_READ_H
#define LIB_API_READ_H

// From the literal behind `API =` to settings: names, types, ranges and what excludes what
// (libs.md §3.1–§3.3).
//
// Everything wrong is reported, not only the first thing; the rule of all errors is
// blueprint.invalid_api_dict.

#include "lib/api.h"
#include "lib/literal.h"

struct api_source {
    str file; // "lib/x.star"
    str text; // for the source line of an error
};

// `arena` keeps what the API points to.
void lib_api_read(struct arena *arena, const struct api_source *source,
                  const struct lib_literal *literal, struct lib_api *api,
                  struct error_list *errors);

// The kwargs that the runtime passes beside the declared args: no arg may have such a name, and
// these need no declaration.
bool lib_fetch_kwarg_is_known(str name);
bool lib_push_kwarg_is_known(str name);

#endif
