#include "lib/api_auth.h"

enum {
    KEY_ENV,
    KEY_HEADER,
    KEY_PREFIX,
    KEY_PARAM,
    KEY_USER,
    KEY_PASS,
    KEY_SERVICE_ACCOUNT,
    KEY_SCOPE,
    KEY_SUBJECT,
    KEY_PROVIDER,
    KEY_TOKEN_URL,
    KEY_CLIENT_ID,
    KEY_CLIENT_SECRET,
    KEY_HOSTS,
    KEY_COUNT,
};

static const str auth_keys[KEY_COUNT] = {
    STR_INIT("env"),
    STR_INIT("header"),
    STR_INIT("prefix"),
    STR_INIT("param"),
    STR_INIT("user"),
    STR_INIT("pass"),
    STR_INIT("service_account"),
    STR_INIT("scope"),
    STR_INIT("subject"),
    STR_INIT("provider"),
    STR_INIT("token_url"),
    STR_INIT("client_id"),
    STR_INIT("client_secret"),
    STR_INIT("hosts"),
};

// Each pattern by the key that names it, what must and what may stand beside it.
struct auth_pattern {
    enum http_auth_pattern pattern;
    size_t key;
    unsigned needs; // bits 1 << KEY_x
    unsigned takes;
};
#define BIT(key) (1u << (key))
static const struct auth_pattern patterns[] = {
    {HTTP_AUTH_PATTERN_ENV, KEY_ENV, 0, BIT(KEY_HEADER) | BIT(KEY_PREFIX) | BIT(KEY_PARAM)},
    {HTTP_AUTH_PATTERN_USER, KEY_USER, BIT(KEY_PASS), 0},
    {HTTP_AUTH_PATTERN_SERVICE_ACCOUNT, KEY_SERVICE_ACCOUNT, BIT(KEY_SCOPE), BIT(KEY_SUBJECT)},
    {HTTP_AUTH_PATTERN_PROVIDER, KEY_PROVIDER, 0, 0},
    {HTTP_AUTH_PATTERN_CLIENT_CREDENTIALS, KEY_TOKEN_URL,
     BIT(KEY_CLIENT_ID) | BIT(KEY_CLIENT_SECRET), BIT(KEY_SCOPE)},
};

// {"env": NAME}
static bool read_variable(const struct api_section *section, size_t key,
                          const struct lib_literal *value, struct http_auth_value *out) {
    static const str keys[] = {STR_INIT("env")};
    struct api_section inner;
    str path = api_key_path(section, key);
    if (!api_section_read(section->reader, path, value, keys, 1, &inner)) {
        return false;
    }
    if (inner.found[0] == NULL) {
        api_report(section->reader, value, STR_FORMAT " needs \"env\"", STR_ARGS(path));
        return false;
    }
    out->is_variable = true;
    return api_string(&inner, 0, &out->text);
}

// {"env": NAME} or, where `allow_text`, a literal string.
static void read_value(const struct api_section *section, size_t key, bool allow_text,
                       struct http_auth_value *out) {
    const struct lib_literal *value = section->found[key];
    if (value == NULL) {
        return;
    }
    if (value->kind == LITERAL_DICT) {
        (void)read_variable(section, key, value, out);
    } else if (value->kind == LITERAL_STRING && allow_text) {
        out->text = value->text;
    } else {
        api_report(section->reader, value, STR_FORMAT " must be %s, got %s",
                   STR_ARGS(api_key_path(section, key)),
                   allow_text ? "a string or {\"env\": \"NAME\"}" : "{\"env\": \"NAME\"}",
                   api_kind_name(value));
    }
}

// A string or a list of them.
static void read_scope(const struct api_section *section, struct str_list *out) {
    const struct lib_literal *value = section->found[KEY_SCOPE];
    if (value != NULL && value->kind == LITERAL_STRING) {
        str_list_push(section->reader->arena, out, value->text);
    } else {
        (void)api_strings(section, KEY_SCOPE, out);
    }
}

static const struct auth_pattern *find_pattern(const struct api_section *section,
                                               const struct lib_literal *literal) {
    const struct auth_pattern *found = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(patterns); i++) {
        const struct lib_literal *value = section->found[patterns[i].key];
        if (value == NULL) {
            continue;
        }
        if (found != NULL) {
            api_report(section->reader, value,
                       STR_FORMAT ": \"" STR_FORMAT "\" and \"" STR_FORMAT
                                  "\" are two patterns, only one can be used",
                       STR_ARGS(section->path), STR_ARGS(auth_keys[found->key]),
                       STR_ARGS(auth_keys[patterns[i].key]));
            return NULL;
        }
        found = &patterns[i];
    }
    if (found == NULL) {
        api_report(section->reader, literal,
                   STR_FORMAT " needs one of env, user, service_account, provider, token_url",
                   STR_ARGS(section->path));
    }
    return found;
}

static void check_companions(const struct api_section *section, const struct lib_literal *literal,
                             const struct auth_pattern *pattern) {
    for (size_t key = 0; key < KEY_HOSTS; key++) {
        const struct lib_literal *value = section->found[key];
        if (value == NULL && (pattern->needs & BIT(key)) != 0) {
            api_report(section->reader, literal,
                       STR_FORMAT ": \"" STR_FORMAT "\" needs \"" STR_FORMAT "\"",
                       STR_ARGS(section->path), STR_ARGS(auth_keys[pattern->key]),
                       STR_ARGS(auth_keys[key]));
        }
        unsigned allowed = BIT(pattern->key) | pattern->needs | pattern->takes;
        if (value != NULL && (allowed & BIT(key)) == 0) {
            api_report(section->reader, value, STR_FORMAT " does not go with \"" STR_FORMAT "\"",
                       STR_ARGS(api_key_path(section, key)), STR_ARGS(auth_keys[pattern->key]));
        }
    }
}

// `header` and `param` say where the key goes: one of them at the most.
static void check_env(const struct api_section *section) {
    if (section->found[KEY_HEADER] != NULL && section->found[KEY_PARAM] != NULL) {
        api_report(section->reader, section->found[KEY_PARAM],
                   STR_FORMAT ": \"header\" and \"param\" exclude each other",
                   STR_ARGS(section->path));
    }
    if (section->found[KEY_PREFIX] != NULL && section->found[KEY_HEADER] == NULL) {
        api_report(section->reader, section->found[KEY_PREFIX], STR_FORMAT " needs \"header\"",
                   STR_ARGS(api_key_path(section, KEY_PREFIX)));
    }
}

void api_auth_read(struct api_reader *reader, str path, const struct lib_literal *literal,
                   struct http_auth_spec *auth) {
    struct api_section section;
    if (!api_section_read(reader, path, literal, auth_keys, KEY_COUNT, &section)) {
        return;
    }
    const struct auth_pattern *pattern = find_pattern(&section, literal);
    if (pattern == NULL) {
        return;
    }
    check_companions(&section, literal, pattern);
    check_env(&section);
    auth->pattern = pattern->pattern;
    if (api_string(&section, KEY_ENV, &auth->key.text)) {
        auth->key.is_variable = true;
    }
    (void)api_string(&section, KEY_HEADER, &auth->header);
    (void)api_string(&section, KEY_PREFIX, &auth->prefix);
    (void)api_string(&section, KEY_PARAM, &auth->param);
    read_value(&section, KEY_USER, true, &auth->user);
    read_value(&section, KEY_PASS, true, &auth->pass);
    read_value(&section, KEY_SERVICE_ACCOUNT, false, &auth->key);
    read_scope(&section, &auth->scope);
    (void)api_string(&section, KEY_SUBJECT, &auth->subject);
    (void)api_string(&section, KEY_PROVIDER, &auth->provider);
    (void)api_string(&section, KEY_TOKEN_URL, &auth->token_url);
    read_value(&section, KEY_CLIENT_ID, true, &auth->client_id);
    read_value(&section, KEY_CLIENT_SECRET, false, &auth->client_secret);
    (void)api_strings(&section, KEY_HOSTS, &auth->hosts);
}
