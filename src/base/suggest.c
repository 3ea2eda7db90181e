#include "base/suggest.h"

#include "base/number.h"

#include <string.h>

enum { SUGGEST_SIZE_MAX = 64 }; // longer names get no suggestion

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static int minimum(int a, int b) {
    return a < b ? a : b;
}

int edit_distance(str a, str b, int limit) {
    if (a.size > SUGGEST_SIZE_MAX || b.size > SUGGEST_SIZE_MAX) {
        return limit + 1;
    }
    const int gap = (int)a.size - (int)b.size;
    if ((gap < 0 ? -gap : gap) > limit) {
        return limit + 1;
    }
    // Three rows of the optimal string alignment table: two before, one before, this one.
    int rows[3][SUGGEST_SIZE_MAX + 1] = {{0}};
    for (size_t j = 0; j <= b.size; j++) {
        rows[0][j] = (int)j;
    }
    for (size_t i = 1; i <= a.size; i++) {
        int *row = rows[i % 3];
        const int *above = rows[(i - 1) % 3];
        const int *above2 = rows[(i + 1) % 3];
        row[0] = (int)i;
        for (size_t j = 1; j <= b.size; j++) {
            const char x = lower(a.data[i - 1]);
            const char y = lower(b.data[j - 1]);
            row[j] = minimum(above[j - 1] + (x != y), minimum(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && x == lower(b.data[j - 2]) && lower(a.data[i - 2]) == y) {
                row[j] = minimum(row[j], above2[j - 2] + 1);
            }
        }
    }
    return rows[a.size % 3][b.size];
}

str suggest(str name, const struct str_list *names) {
    if (name.size < 2) {
        return (str){NULL, 0}; // every other letter would be near
    }
    const int limit = name.size < 6 ? 1 + (name.size > 3) : int_from_size(name.size / 3);
    int best = limit + 1;
    str found = {NULL, 0};
    for (size_t i = 0; i < names->count; i++) {
        const int distance = edit_distance(name, names->items[i], limit);
        if (distance < best) {
            best = distance;
            found = names->items[i];
        }
    }
    return found;
}
