#ifndef CLI_RUN_EXPLAIN_H
#define CLI_RUN_EXPLAIN_H

// `run --explain` for people and for programs.

#include "base/json.h"
#include "base/text.h"
#include "run/explain.h"

// Lines below the model's own, each with a newline in front.
void explain_text(struct text *text, const struct run_explanation *explanation);
// The member "explain".
void explain_json(struct json *json, const struct run_explanation *explanation);

#endif
