#!/usr/bin/env bash
# The plan that changes nothing, of 1,000 and of 10,000 machines with a volume and an interface each,
# and of 100,000 where INGOT_BENCH_FULL is 1, for applying so many takes long.
# $1: the folder of the release build.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
bin=$1
work=$(mktemp -d)
trap 'rm -rf "$work" "$BENCH_ERRORS"' EXIT

# engine COUNT VERB OPTIONS...: on the engine and the manifest of so many machines.
engine() { INGOT_HOME="$work/home-$1" "$bin/ingot" "$2" -f "$work/$1.yaml" "${@:3}"; }
# applied COUNT: an engine that holds so many machines.
applied() {
  machines "$1" > "$work/$1.yaml"
  engine "$1" apply --yes --no-wait >/dev/null 2>"$BENCH_ERRORS" ||
    { cat "$BENCH_ERRORS" >&2; return 1; }
}

applied 1000
applied 10000
small() { engine 1000 plan --detailed-exitcode; }
large() { engine 10000 plan --detailed-exitcode; }
contest "no-change plan, 10,000 (peer: ours with 1,000)" \
  "ratio <= 11, ours <= 1.0" 7 large small
if [[ ${INGOT_BENCH_FULL:-} == 1 ]]; then
  applied 100000
  huge() { engine 100000 plan --detailed-exitcode; }
  contest "no-change plan, 100,000 (peer: ours with 10,000)" "ratio <= 11" 3 huge large
fi
