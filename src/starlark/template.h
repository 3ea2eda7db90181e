#ifndef STARLARK_TEMPLATE_H
#define STARLARK_TEMPLATE_H

// Templates that are constants, `"id=%d" % x` and `"{}-{name}".format(x, name = y)`, split by the
// compiler, so that filling one in neither parses it nor makes a tuple of arguments.
//
// A split template is a tuple: the template itself, then text, place, text, …, text.  A place is an
// int: the number of its argument, shifted by 8 bits, and the conversion's letter below.
// What would fail, or needs a dict, is not split: format.c does it, with its errors.

#include "starlark/compiler.h"

bool star_conversion_is_known(char c);
// STAR_UNSET: not to be split.  The number of conversions must be `argument_count`, at least 1.
star_value star_template_percent(struct star_build *build, str template, size_t argument_count);
star_value star_template_format(struct star_build *build, str template,
                                const struct ast_call *call);

// format.c: the text of a split template.
star_value star_template_fill(struct star_thread *thread, const struct star_tuple *template,
                              const star_value *arguments);

#endif
