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

# used COMMAND...: as seconds, and after it the CPU time it took, in user mode and in the kernel.
used() {
  local TIMEFORMAT='%R %U %S'
  { time "$@" >/dev/null 2>"$BENCH_ERRORS"; } 2>&1 ||
    { echo "failed: $*" >&2; cat "$BENCH_ERRORS" >&2; return 1; }
}

# medians: of each of the three columns on standard input, the last two as their sum.
medians() {
  local lines
  lines=$(cat)
  echo "$(awk '{ print $1 }' <<<"$lines" | median) $(awk '{ print $2 + $3 }' <<<"$lines" | median)"
}

# contest NAME TARGET RUNS OURS PEER: two functions in turn, after one run of each that isn't
# counted. Prints a row of the medians, and one of the CPU time, which other work on the machine
# hardly changes.
contest() {
  local name=$1 target=$2 runs=$3 ours=$4 peer=$5 i a="" b="" wall_a cpu_a wall_b cpu_b
  used "$ours" >/dev/null
  used "$peer" >/dev/null
  for ((i = 0; i < runs; i++)); do
    a+="$(used "$ours")"$'\n'
    b+="$(used "$peer")"$'\n'
  done
  read -r wall_a cpu_a <<<"$(printf '%s' "$a" | medians)"
  read -r wall_b cpu_b <<<"$(printf '%s' "$b" | medians)"
  row "$name" "$wall_a" "$wall_b" "$(ratio "$wall_a" "$wall_b")" "$target"
  row "  CPU time" "$cpu_a" "$cpu_b" "$(ratio "$cpu_a" "$cpu_b")"
}

# ratio OURS PEER
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

# row NAME OURS PEER RATIO TARGET: a line of the table.
row() { printf '%-58s %10s %10s %8s   %s\n' "$@"; }

# machines COUNT: manifests of so many halted machines, each with a volume and an interface.
machines() {
  awk -v n="$1" 'BEGIN {
    for (i = 0; i < n; i++) {
      printf "apiVersion: ingot/v1\nkind: Volume\nmetadata: {name: data-%d}\nspec: {size: 1Gi}\n---\n", i
      printf "apiVersion: ingot/v1\nkind: VirtualMachine\nmetadata:\n  name: vm-%d\n  labels: {app: web}\n", i
      printf "spec:\n  runStrategy: Halted\n  cpu: {count: 2}\n  memory: {guest: 512Mi}\n"
      printf "  firmware: {boot: bios}\n  disks:\n    - {name: data, volume: data-%d}\n", i
      printf "  interfaces:\n    - {name: lan, network: default}\n---\n"
    }
  }'
}

BENCH_ERRORS=$(mktemp)
trap 'rm -f "$BENCH_ERRORS"' EXIT
