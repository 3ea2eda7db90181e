#!/bin/sh
# limited.sh COMMAND…: with 4 GB of memory, several times what any test needs.  One that wants more fails
# under its own name, instead of the machine under all of them.
ulimit -S -d 4194304
exec "$@"
