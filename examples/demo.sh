#!/bin/sh
# `./dev demo`: a real pipeline both ways, in a temporary project that stays for you to play with.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
coypu=${COYPU:-$root/build/release/coypu}
rate=60
flights=0
data=${COYPU_DEPS_DIR:-$root/build/deps}/data
[ "${1:-}" != "--small" ] || flights=20000
project=$(mktemp -d "${TMPDIR:-/tmp}/coypu-demo.XXXXXX")
cp -R "$root/examples/flights/." "$project/"
mkdir -p "$project/models"

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n== %s\n' "$*"; }

python3 "$root/examples/api.py" --data "$data" --rate "$rate" --limit "$flights" \
    --port-file "$project/.port" >"$project/.api.log" 2>&1 &
api=$!
trap 'kill $api 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM
tries=0
while [ ! -s "$project/.port" ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ] || ! kill -0 "$api" 2>/dev/null; then
        echo "the demo's API server did not start:" >&2
        cat "$project/.api.log" >&2
        exit 1
    fi
    sleep 0.1
done
url=http://127.0.0.1:$(cat "$project/.port")
printf 'FLIGHTS_URL=%s\nFLIGHTS_KEY=demo-key-2013\n' "$url" >"$project/.env"
cd "$project"

ask() { python3 - "$1" "${2:-GET}" <<'PY'
import sys, urllib.request
print(urllib.request.urlopen(urllib.request.Request(sys.argv[1], method=sys.argv[2])).read().decode())
PY
}

say "coypu validate"
"$coypu" validate

say "first run: the API is read, SQL transforms it, every route goes out"
"$coypu" run
ask "$url/admin/counts"

say "25 flights change at the source; the second run sends only the routes they touch"
ask "$url/admin/change?rows=25" POST
"$coypu" run
ask "$url/admin/counts"

say "third run: nothing changed, so nothing is done"
"$coypu" run
ask "$url/admin/counts"

say "coypu sql"
"$coypu" sql "select airline, sum(flights) as flights, round(avg(average_delay), 1) as average_delay from mart.route_delays group by airline order by flights desc limit 5"

cat <<NEXT

The project stays in $project.  Try next:
  cd $project
  $coypu sql "select * from lake.snapshots()"        what each run wrote
  $coypu query mart.route_delays --limit 5           a table, also with --format csv
  $coypu validate --json                             every check, for programs
  edit models/mart/route_delays.sql, then $coypu run  only what depends on it runs again
To fetch and push again, start the API first (the demo's ended):
  python3 $root/examples/api.py --data $data --port ${url##*:}
NEXT
