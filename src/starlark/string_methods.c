// The method tables of string and bytes, sorted by name.

#include "starlark/string_methods.h"

#include "starlark/builtins.h"

enum {
    TEXT = STAR_TAKES(STAR_KIND_STRING),
    NUMBER = STAR_TAKES(STAR_KIND_INT),
    TEXT_OR_TUPLE = STAR_TAKES(STAR_KIND_STRING) | STAR_TAKES(STAR_KIND_TUPLE),
    BOUND = STAR_OPTIONAL | STAR_POSITIONAL_ONLY | STAR_OR_NONE,
};

static const struct star_parameter search_parameters[] = {
    {"sub", STAR_POSITIONAL_ONLY, TEXT},
    {"start", BOUND, NUMBER},
    {"end", BOUND, NUMBER},
};
static const struct star_parameter prefix_parameters[] = {
    {"prefix", STAR_POSITIONAL_ONLY, TEXT_OR_TUPLE},
    {"start", BOUND, NUMBER},
    {"end", BOUND, NUMBER},
};
static const struct star_parameter suffix_parameters[] = {
    {"suffix", STAR_POSITIONAL_ONLY, TEXT_OR_TUPLE},
    {"start", BOUND, NUMBER},
    {"end", BOUND, NUMBER},
};
static const struct star_parameter strip_parameters[] = {
    {"cutset", STAR_OPTIONAL | STAR_POSITIONAL_ONLY | STAR_OR_NONE, TEXT},
};
static const struct star_parameter separator_parameters[] = {
    {"sep", STAR_POSITIONAL_ONLY, TEXT},
};
static const struct star_parameter prefix_only_parameters[] = {
    {"prefix", STAR_POSITIONAL_ONLY, TEXT},
};
static const struct star_parameter suffix_only_parameters[] = {
    {"suffix", STAR_POSITIONAL_ONLY, TEXT},
};
static const struct star_parameter split_parameters[] = {
    {"sep", STAR_OPTIONAL | STAR_OR_NONE, TEXT},
    {"max", STAR_OPTIONAL, NUMBER},
};
static const struct star_parameter splitlines_parameters[] = {
    {"keepends", STAR_OPTIONAL, 0},
};
static const struct star_parameter join_parameters[] = {
    {"iterable", STAR_POSITIONAL_ONLY, 0},
};
static const struct star_parameter replace_parameters[] = {
    {"old", STAR_REQUIRED, TEXT},
    {"new", STAR_REQUIRED, TEXT},
    {"count", STAR_OPTIONAL, NUMBER},
};
static const struct star_parameter no_parameters[] = {{"", STAR_REQUIRED, 0}};

#define METHOD_WITHOUT(name_, function_) {name_, function_, no_parameters, 0}

static const struct star_builtin string_items[] = {
    METHOD_WITHOUT("capitalize", string_method_capitalize),
    METHOD_WITHOUT("codepoint_ords", string_method_codepoint_ords),
    METHOD_WITHOUT("codepoints", string_method_codepoints),
    STAR_BUILTIN("count", string_method_count, search_parameters),
    METHOD_WITHOUT("elem_ords", string_method_elem_ords),
    METHOD_WITHOUT("elems", string_method_elems),
    STAR_BUILTIN("endswith", string_method_endswith, suffix_parameters),
    STAR_BUILTIN("find", string_method_find, search_parameters),
    STAR_BUILTIN_RAW("format", string_method_format),
    STAR_BUILTIN("index", string_method_index, search_parameters),
    METHOD_WITHOUT("isalnum", string_method_isalnum),
    METHOD_WITHOUT("isalpha", string_method_isalpha),
    METHOD_WITHOUT("isdigit", string_method_isdigit),
    METHOD_WITHOUT("islower", string_method_islower),
    METHOD_WITHOUT("isspace", string_method_isspace),
    METHOD_WITHOUT("istitle", string_method_istitle),
    METHOD_WITHOUT("isupper", string_method_isupper),
    STAR_BUILTIN("join", string_method_join, join_parameters),
    METHOD_WITHOUT("lower", string_method_lower),
    STAR_BUILTIN("lstrip", string_method_lstrip, strip_parameters),
    STAR_BUILTIN("partition", string_method_partition, separator_parameters),
    STAR_BUILTIN("removeprefix", string_method_removeprefix, prefix_only_parameters),
    STAR_BUILTIN("removesuffix", string_method_removesuffix, suffix_only_parameters),
    STAR_BUILTIN("replace", string_method_replace, replace_parameters),
    STAR_BUILTIN("rfind", string_method_rfind, search_parameters),
    STAR_BUILTIN("rindex", string_method_rindex, search_parameters),
    STAR_BUILTIN("rpartition", string_method_rpartition, separator_parameters),
    STAR_BUILTIN("rsplit", string_method_rsplit, split_parameters),
    STAR_BUILTIN("rstrip", string_method_rstrip, strip_parameters),
    STAR_BUILTIN("split", string_method_split, split_parameters),
    STAR_BUILTIN("splitlines", string_method_splitlines, splitlines_parameters),
    STAR_BUILTIN("startswith", string_method_startswith, prefix_parameters),
    STAR_BUILTIN("strip", string_method_strip, strip_parameters),
    METHOD_WITHOUT("title", string_method_title),
    METHOD_WITHOUT("upper", string_method_upper),
};

const struct star_builtin_table star_string_methods = {string_items, ARRAY_COUNT(string_items)};

static const struct star_builtin bytes_items[] = {
    METHOD_WITHOUT("elems", bytes_method_elems),
};

const struct star_builtin_table star_bytes_methods = {bytes_items, ARRAY_COUNT(bytes_items)};
