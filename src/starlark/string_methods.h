#ifndef STARLARK_STRING_METHODS_H
#define STARLARK_STRING_METHODS_H

// The methods of strings by family; string_methods.c puts them into the one table.

#include "starlark/heap.h"

// string_find.c: where is it?
star_value string_method_count(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_endswith(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_find(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_index(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_rfind(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_rindex(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_startswith(struct star_thread *thread, const struct star_call_info *call);

// string_split.c: parts of it
star_value string_method_lstrip(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_partition(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_removeprefix(struct star_thread *thread,
                                      const struct star_call_info *call);
star_value string_method_removesuffix(struct star_thread *thread,
                                      const struct star_call_info *call);
star_value string_method_rpartition(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_rsplit(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_rstrip(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_split(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_splitlines(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_strip(struct star_thread *thread, const struct star_call_info *call);

// string_build.c: new text from it
star_value string_method_join(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_replace(struct star_thread *thread, const struct star_call_info *call);

// string_case.c: case and classes
star_value string_method_capitalize(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_isalnum(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_isalpha(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_isdigit(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_islower(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_isspace(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_istitle(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_isupper(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_lower(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_title(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_upper(struct star_thread *thread, const struct star_call_info *call);

// string_views.c: what can be indexed or iterated
star_value string_method_elems(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_elem_ords(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_codepoints(struct star_thread *thread, const struct star_call_info *call);
star_value string_method_codepoint_ords(struct star_thread *thread,
                                        const struct star_call_info *call);
star_value bytes_method_elems(struct star_thread *thread, const struct star_call_info *call);
// Length of an elems or elem_ords view; -1 for any other value.
int64_t string_view_length(star_value value);

// format.c
star_value string_method_format(struct star_thread *thread, const struct star_call_info *call);

#endif
