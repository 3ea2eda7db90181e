#include "base/number.h"

#include <limits.h>

int int_clamp(int64_t value) {
    if (value > INT_MAX) {
        return INT_MAX;
    }
    return value < INT_MIN ? INT_MIN : (int)value;
}

int int_from_size(size_t value) {
    return value > (size_t)INT_MAX ? INT_MAX : (int)value;
}
