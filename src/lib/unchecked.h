#ifndef LIB_UNCHECKED_H
#define LIB_UNCHECKED_H

// Finds functions of the fetch family that send requests and never ask how they went (libs.md
// §3.5). Internal to lib/.

#include "base/str.h"

struct lib;
struct star_syntax;

// Whether the function sends requests without a look at `.ok` or `.status_code`, without fail() or
// abort(), in itself or in what it calls.  What a loaded helper does is taken for a check, as is a
// comment `# coypucheck:allow-unchecked-status REASON` anywhere in the file.
bool lib_status_is_unchecked(const struct lib *lib, const struct star_syntax *syntax, str text,
                             const char *function);

#endif
