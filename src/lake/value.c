// Parameters of statements.

#include "lake/lake.h"

struct lake_value lake_value_null(void) {
    return (struct lake_value){.kind = LAKE_VALUE_NULL};
}

struct lake_value lake_value_bool(bool value) {
    return (struct lake_value){.kind = LAKE_VALUE_BOOL, .boolean = value};
}

struct lake_value lake_value_int64(int64_t value) {
    return (struct lake_value){.kind = LAKE_VALUE_INT64, .integer = value};
}

struct lake_value lake_value_double(double value) {
    return (struct lake_value){.kind = LAKE_VALUE_DOUBLE, .number = value};
}

struct lake_value lake_value_text(str value) {
    return (struct lake_value){.kind = LAKE_VALUE_TEXT, .text = value};
}

struct lake_value lake_value_blob(str value) {
    return (struct lake_value){.kind = LAKE_VALUE_BLOB, .text = value};
}

struct lake_value lake_value_timestamp(int64_t wall_us) {
    return (struct lake_value){.kind = LAKE_VALUE_TIMESTAMP, .integer = wall_us};
}

struct lake_value lake_value_texts(const str *values, size_t count) {
    return (struct lake_value){.kind = LAKE_VALUE_TEXT_LIST, .texts = values, .count = count};
}

struct lake_value lake_value_int64s(const int64_t *values, size_t count) {
    return (struct lake_value){.kind = LAKE_VALUE_INT64_LIST, .integers = values, .count = count};
}
