#ifndef BASE_ERROR_RENDER_H
#define BASE_ERROR_RENDER_H

// The two faces of an error: text for people, JSON for programs (models.md §12).  Both show the
// same object; neither redacts (pass the result through redact_text before it leaves the process).

#include "base/error.h"

struct text;

// FILE:LINE:COL: error: MESSAGE, then the source line with a caret, then the trace, then "  hint:
// …". `severity` is the word before the message: "error", "warning".
void error_render_text(struct text *out, const struct error *err, const char *severity);
// The source line and a caret under the place, each line after `indent`; nothing without the line.
void error_render_excerpt(struct text *out, const struct error *err, const char *indent);
// {"code":…,"message":…,"file":…,"line":…,"column":…,"hint":…}; absent parts are left out.
void error_render_json(struct text *out, const struct error *err);

#endif
