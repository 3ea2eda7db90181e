#ifndef CLI_GRAPHVIZ_H
#define CLI_GRAPHVIZ_H

// SVG from DOT, by Graphviz's library when the machine has it: it is loaded here and nowhere else.

#include "base/error.h"

struct text;

// ERROR_NOT_FOUND when Graphviz is not installed, with what to install.
MUST_USE enum error_code graphviz_svg(const char *dot, struct text *out, struct error *err);

#endif
