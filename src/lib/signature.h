#ifndef LIB_SIGNATURE_H
#define LIB_SIGNATURE_H

// Whether a lib file's functions can be called the way its API dict says (libs.md §3.4), from the
// tree alone.  Internal to lib/.

#include "lib/lib.h"

struct star_syntax;

// Copies the top-level functions into lib->functions.
void lib_functions_read(struct arena *arena, const struct star_syntax *syntax, struct lib *lib);
// Missing functions and parameters that do not fit; positions are the functions'.
void lib_signatures_check(const struct lib *lib, str text, struct error_list *errors);

#endif
