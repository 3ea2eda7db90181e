#ifndef LIB_API_AUTH_H
#define LIB_API_AUTH_H

// The `auth` entry of an API dict: exactly one of the patterns of libs.md §9.

#include "lib/api_value.h"

void api_auth_read(struct api_reader *reader, str path, const struct lib_literal *literal,
                   struct http_auth_spec *auth);

#endif
