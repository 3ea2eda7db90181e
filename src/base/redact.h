#ifndef BASE_REDACT_H
#define BASE_REDACT_H

// Keeps secrets out of everything that leaves the process: prints, errors, logs, JSON (libs.md
// §11.3).
//
// A secret value is any text of 6 or more bytes that was given to redact_secret.  redact_text also
// hides `Bearer …`-like credentials and key=value pairs with telling names.
// Ownership: the redactor copies the secrets.
// Threads: any; a lock guards the list.

#include "base/str.h"

struct arena;
struct redactor;

enum { REDACT_SECRET_SIZE_MIN = 6 };

struct redactor *redactor_new(void);
void redactor_free(struct redactor *redactor);
void redact_secret(struct redactor *redactor, str value);
// The text with every secret replaced by [REDACTED]; the same str when there is none.
// A NULL redactor still applies the patterns.
str redact_text(struct redactor *redactor, struct arena *arena, str text);

#endif
