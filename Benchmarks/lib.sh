# Shared by the benchmarks: times commands in turn and prints medians and their ratio.
# Sourced, not run.

# now: seconds since the epoch with microseconds.
now() { printf '%s' "${EPOCHREALTIME/,/.}"; }

# seconds COMMAND...: runs a command silently and prints the wall-clock seconds it took.
seconds() {
  local begin end
  begin=$(now)
  "$@" >/dev/null 2>"$BENCH_ERRORS" || { echo "failed: $*" >&2; cat "$BENCH_ERRORS" >&2; return 1; }
  end=$(now)
  awk -v a="$begin" -v b="$end" 'BEGIN { printf "%.4f\n", b - a }'
}

# median: of the numbers on standard input.
median() { sort -n | awk '{ v[NR] = $1 } END { printf "%.3f", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# versus RUNS OURS PEER: two functions in turn, after one run of each that isn't counted.
# Prints: median of ours, median of the peer, ratio.
versus() {
  local runs=$1 ours=$2 peer=$3 i a="" b=""
  seconds "$ours" >/dev/null
  seconds "$peer" >/dev/null
  for ((i = 0; i < runs; i++)); do
    a+="$(seconds "$ours")"$'\n'
    b+="$(seconds "$peer")"$'\n'
  done
  local ma mb
  ma=$(printf '%s' "$a" | median)
  mb=$(printf '%s' "$b" | median)
  awk -v a="$ma" -v b="$mb" 'BEGIN { printf "%s %s %.2f\n", a, b, a / b }'
}

# row NAME OURS PEER RATIO TARGET
row() { printf '%-58s %10s %10s %8s   %s\n' "$@"; }

BENCH_ERRORS=$(mktemp)
trap 'rm -f "$BENCH_ERRORS"' EXIT
