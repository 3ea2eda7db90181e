// What functions and operators are called, and how strongly they change their arguments.
#include "sql/lineage_build.h"

struct word {
    str type;
    str name;
};

// What the tree calls by its own words, as SQL writes it.
static const struct word WORDS[] = {
    {STR_INIT("COMPARE_EQUAL"), STR_INIT("=")},
    {STR_INIT("COMPARE_NOTEQUAL"), STR_INIT("<>")},
    {STR_INIT("COMPARE_LESSTHAN"), STR_INIT("<")},
    {STR_INIT("COMPARE_GREATERTHAN"), STR_INIT(">")},
    {STR_INIT("COMPARE_LESSTHANOREQUALTO"), STR_INIT("<=")},
    {STR_INIT("COMPARE_GREATERTHANOREQUALTO"), STR_INIT(">=")},
    {STR_INIT("COMPARE_DISTINCT_FROM"), STR_INIT("is distinct from")},
    {STR_INIT("COMPARE_NOT_DISTINCT_FROM"), STR_INIT("is not distinct from")},
    {STR_INIT("COMPARE_BETWEEN"), STR_INIT("between")},
    {STR_INIT("COMPARE_IN"), STR_INIT("in")},
    {STR_INIT("COMPARE_NOT_IN"), STR_INIT("not in")},
    {STR_INIT("CONJUNCTION_AND"), STR_INIT("and")},
    {STR_INIT("CONJUNCTION_OR"), STR_INIT("or")},
    {STR_INIT("OPERATOR_NOT"), STR_INIT("not")},
    {STR_INIT("OPERATOR_IS_NULL"), STR_INIT("is null")},
    {STR_INIT("OPERATOR_IS_NOT_NULL"), STR_INIT("is not null")},
    {STR_INIT("OPERATOR_TRY"), STR_INIT("try")},
    {STR_INIT("GROUPING_FUNCTION"), STR_INIT("grouping")},
    {STR_INIT("ARRAY_CONSTRUCTOR"), STR_INIT("list_value")},
    {STR_INIT("~~"), STR_INIT("like")},
    {STR_INIT("!~~"), STR_INIT("not like")},
    {STR_INIT("~~*"), STR_INIT("ilike")},
    {STR_INIT("!~~*"), STR_INIT("not ilike")},
    {STR_INIT("~~~"), STR_INIT("glob")},
    {STR_INIT("count_star"), STR_INIT("count")},
};

str lineage_word(struct lineage_build *build, str type) {
    for (size_t i = 0; i < ARRAY_COUNT(WORDS); i++) {
        if (str_equal(WORDS[i].type, type)) {
            return WORDS[i].name;
        }
    }
    return str_to_lower(build->arena, type);
}

static bool is_among(const str *names, size_t count, str name) {
    for (size_t i = 0; i < count; i++) {
        if (str_equal_nocase(names[i], name)) {
            return true;
        }
    }
    return false;
}

// DuckDB's aggregates, and its built-in macros that hold one; a test compares them with
// duckdb_functions().
static const str AGGREGATES[] = {
    STR_INIT("any_value"),
    STR_INIT("approx_count_distinct"),
    STR_INIT("approx_quantile"),
    STR_INIT("approx_top_k"),
    STR_INIT("arbitrary"),
    STR_INIT("arg_max"),
    STR_INIT("arg_max_null"),
    STR_INIT("arg_max_nulls_last"),
    STR_INIT("arg_min"),
    STR_INIT("arg_min_null"),
    STR_INIT("arg_min_nulls_last"),
    STR_INIT("argmax"),
    STR_INIT("argmin"),
    STR_INIT("array_agg"),
    STR_INIT("avg"),
    STR_INIT("bit_and"),
    STR_INIT("bit_or"),
    STR_INIT("bit_xor"),
    STR_INIT("bitstring_agg"),
    STR_INIT("bool_and"),
    STR_INIT("bool_or"),
    STR_INIT("corr"),
    STR_INIT("count"),
    STR_INIT("count_if"),
    STR_INIT("count_star"),
    STR_INIT("countif"),
    STR_INIT("covar_pop"),
    STR_INIT("covar_samp"),
    STR_INIT("entropy"),
    STR_INIT("favg"),
    STR_INIT("first"),
    STR_INIT("fsum"),
    STR_INIT("geomean"),
    STR_INIT("geometric_mean"),
    STR_INIT("group_concat"),
    STR_INIT("histogram"),
    STR_INIT("histogram_exact"),
    STR_INIT("json_group_array"),
    STR_INIT("json_group_object"),
    STR_INIT("json_group_structure"),
    STR_INIT("kahan_sum"),
    STR_INIT("kurtosis"),
    STR_INIT("kurtosis_pop"),
    STR_INIT("last"),
    STR_INIT("list"),
    STR_INIT("listagg"),
    STR_INIT("mad"),
    STR_INIT("max"),
    STR_INIT("max_by"),
    STR_INIT("mean"),
    STR_INIT("median"),
    STR_INIT("min"),
    STR_INIT("min_by"),
    STR_INIT("mode"),
    STR_INIT("product"),
    STR_INIT("quantile"),
    STR_INIT("quantile_cont"),
    STR_INIT("quantile_disc"),
    STR_INIT("regr_avgx"),
    STR_INIT("regr_avgy"),
    STR_INIT("regr_count"),
    STR_INIT("regr_intercept"),
    STR_INIT("regr_r2"),
    STR_INIT("regr_slope"),
    STR_INIT("regr_sxx"),
    STR_INIT("regr_sxy"),
    STR_INIT("regr_syy"),
    STR_INIT("reservoir_quantile"),
    STR_INIT("sem"),
    STR_INIT("skewness"),
    STR_INIT("stddev"),
    STR_INIT("stddev_pop"),
    STR_INIT("stddev_samp"),
    STR_INIT("string_agg"),
    STR_INIT("sum"),
    STR_INIT("sum_no_overflow"),
    STR_INIT("sumkahan"),
    STR_INIT("var_pop"),
    STR_INIT("var_samp"),
    STR_INIT("variance"),
    STR_INIT("wavg"),
    STR_INIT("weighted_avg"),
};

bool lineage_is_aggregate(str function) {
    return is_among(AGGREGATES, ARRAY_COUNT(AGGREGATES), function);
}

static const str ARITHMETIC[] = {STR_INIT("+"), STR_INIT("-"),  STR_INIT("*"), STR_INIT("/"),
                                 STR_INIT("%"), STR_INIT("//"), STR_INIT("^"), STR_INIT("**")};

static const str CONDITIONAL[] = {STR_INIT("nullif"), STR_INIT("coalesce"), STR_INIT("ifnull"),
                                  STR_INIT("if"),     STR_INIT("iif"),      STR_INIT("nvl")};

static const str LAMBDA_TAKERS[] = {
    STR_INIT("list_transform"), STR_INIT("array_transform"), STR_INIT("list_apply"),
    STR_INIT("array_apply"),    STR_INIT("apply"),           STR_INIT("list_filter"),
    STR_INIT("array_filter"),   STR_INIT("filter"),          STR_INIT("list_reduce"),
    STR_INIT("array_reduce"),   STR_INIT("reduce"),
};

bool lineage_takes_lambda(str function) {
    return is_among(LAMBDA_TAKERS, ARRAY_COUNT(LAMBDA_TAKERS), function);
}

enum lineage_transformation lineage_function(struct lineage_build *build, yyjson_val *node,
                                             str function, str *shown) {
    *shown = (str){0};
    if (is_among(CONDITIONAL, ARRAY_COUNT(CONDITIONAL), function)) {
        return LINEAGE_CONDITIONAL;
    }
    if (ast_bool(node, "is_operator") && is_among(ARITHMETIC, ARRAY_COUNT(ARITHMETIC), function)) {
        return LINEAGE_ARITHMETIC;
    }
    *shown = lineage_word(build, function);
    return lineage_is_aggregate(function) ? LINEAGE_AGGREGATION : LINEAGE_FUNCTION;
}
