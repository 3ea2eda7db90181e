#!/bin/sh
# The interpreter as others get it: installed somewhere, found by pkg-config, linked with the example.
# usage: install.sh BUILD_FOLDER EMBED_C
set -eu
build=$1
example=$2
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT

"${CMAKE:-cmake}" --install "$build" --component starlark --prefix "$prefix" >/dev/null
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name coypu-starlark.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046,SC2086
"${CC:-cc}" -std=c17 -Wall -Wextra -Werror ${CFLAGS:-} "$example" -o "$prefix/embed" \
    $(pkg-config --cflags --libs coypu-starlark)
got=$("$prefix/embed")
[ "$got" = "point(0, 10)" ] || { echo "expected point(0, 10), got: $got"; exit 1; }
[ "$(wc -l <"$example")" -lt 80 ] || { echo "$example is meant to be short"; exit 1; }

# Nothing but the interface is visible; names that begin with __ are the compiler's (sanitizers).
stray=$(nm -g --defined-only "$prefix"/lib*/libcoypu_starlark.a "$prefix"/lib/*/libcoypu_starlark.a 2>/dev/null |
    awk 'NF == 3 && $3 !~ /^(star_|__)/ { print $3 }' | head -5)
[ -z "$stray" ] || { echo "symbols that are not star_*: $stray"; exit 1; }
