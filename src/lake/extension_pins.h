#ifndef LAKE_EXTENSION_PINS_H
#define LAKE_EXTENSION_PINS_H

// The DuckDB extensions that this program trusts, by content: deps.lock as a table, made when the
// build is configured (cmake/extension_pins.cmake).

#include "base/str.h"

struct extension_pin {
    str name;   // as in LOAD; the file is NAME.duckdb_extension
    str sha256; // of the unpacked file, 64 hex digits
};

extern const struct extension_pin extension_pins[];
extern const size_t extension_pin_count;

#endif
