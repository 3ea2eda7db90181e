#include "http/auth.h"

#include "base/arena.h"
#include "base/environment.h"
#include "base/redact.h"

static str trim_newlines(str value) {
    while (value.size > 0 &&
           (value.data[value.size - 1] == '\n' || value.data[value.size - 1] == '\r')) {
        value.size--;
    }
    return value;
}

static enum error_code resolve_value(const struct http_auth_value *value,
                                     struct environment *environment, struct redactor *redactor,
                                     str file, struct arena *arena, str *out, struct error *err) {
    if (!value->is_variable) {
        *out = value->text;
        return ERROR_NONE;
    }
    str found = {0};
    if (!environment_get(environment, value->text, &found) || str_is_empty(str_trim(found))) {
        error_rule(err, ERROR_INVALID, "lib.auth_variable",
                   "auth: " STR_FORMAT " is not set (" STR_FORMAT ")", STR_ARGS(value->text),
                   STR_ARGS(file));
        error_hint(err, "set " STR_FORMAT " in .env or in the environment", STR_ARGS(value->text));
        return ERROR_INVALID;
    }
    *out = str_copy(arena, trim_newlines(found));
    redact_secret(redactor, *out);
    return ERROR_NONE;
}

static enum error_code not_supported(const char *pattern, str file, struct error *err) {
    return error_rule(err, ERROR_INVALID, "lib.auth_unsupported",
                      "auth: %s is not supported yet (" STR_FORMAT ")", pattern, STR_ARGS(file));
}

enum error_code http_auth_resolve(const struct http_auth_spec *spec,
                                  struct environment *environment, struct redactor *redactor,
                                  str file, struct arena *arena, struct http_auth *auth,
                                  struct error *err) {
    *auth = (struct http_auth){0};
    switch (spec->pattern) {
    case HTTP_AUTH_PATTERN_NONE:
        return ERROR_NONE;
    case HTTP_AUTH_PATTERN_ENV:
        auth->kind = HTTP_AUTH_BEARER;
        if (!str_is_empty(spec->header)) {
            auth->kind = HTTP_AUTH_HEADER;
            auth->name = spec->header;
            auth->prefix = spec->prefix;
        } else if (!str_is_empty(spec->param)) {
            auth->kind = HTTP_AUTH_PARAM;
            auth->name = spec->param;
        }
        return resolve_value(&spec->key, environment, redactor, file, arena, &auth->secret, err);
    case HTTP_AUTH_PATTERN_USER:
        auth->kind = HTTP_AUTH_BASIC;
        TRY(resolve_value(&spec->user, environment, redactor, file, arena, &auth->user, err));
        return resolve_value(&spec->pass, environment, redactor, file, arena, &auth->secret, err);
    case HTTP_AUTH_PATTERN_SERVICE_ACCOUNT:
        return not_supported("service_account", file, err);
    case HTTP_AUTH_PATTERN_PROVIDER:
        return not_supported("provider", file, err);
    case HTTP_AUTH_PATTERN_CLIENT_CREDENTIALS:
        return not_supported("token_url", file, err);
    }
    return ERROR_NONE;
}
