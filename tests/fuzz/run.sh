#!/bin/sh
# Runs every fuzz target for SECONDS each on a copy of its corpus; a crash is kept in build/fuzz/findings and ends with status 1.
#   tests/fuzz/run.sh SECONDS [TARGET…]
set -eu
cd "$(dirname "$0")/../.."
seconds=$1
shift
[ $# -gt 0 ] || set -- $(ls tests/fuzz/fuzz_*.c | sed 's|.*/\(.*\)\.c|\1|')
mkdir -p build/fuzz/findings
status=0
for target in "$@"; do
    work=build/fuzz/corpus/$target
    mkdir -p "$work"
    cp tests/fuzz/corpus/"${target#fuzz_}"/* "$work"/ 2>/dev/null || true
    dictionary=""
    case $target in
    fuzz_starlark_*) dictionary=-dict=tests/fuzz/starlark.dict ;;
    esac
    if [ "$target" = fuzz_starlark_run ]; then # the conformance cases are seeds, too
        awk -v into="$work" 'FNR == 1 { n++ } /^---$/ { n++; next } { print > (into "/case_" n) }' tests/starlark/cases/*.star
    fi
    echo "== $target for $seconds s"
    if ! "build/fuzz/$target" -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=20 \
        $dictionary -artifact_prefix=build/fuzz/findings/"$target"- -print_final_stats=1 "$work" >"build/fuzz/$target.log" 2>&1; then
        tail -30 "build/fuzz/$target.log"
        status=1
    fi
    grep -E "stat::number_of_executed_units|stat::average_exec_per_sec" "build/fuzz/$target.log" || true
done
exit $status
