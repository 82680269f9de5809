#!/usr/bin/env bash
# Applying halted machines with a volume and an interface each to an empty engine, durably, and then
# the plan that changes nothing: of 1,000 and of 10,000 machines.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
bin=$1
work=$(mktemp -d)
trap 'rm -rf "$work" "$BENCH_ERRORS"' EXIT

manifest() {
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

# engine COUNT VERB OPTIONS...: on the engine and the manifest of so many machines.
engine() { INGOT_HOME="$work/home-$1" "$bin/ingot" "$2" -f "$work/$1.yaml" "${@:3}"; }

for count in 1000 10000; do manifest "$count" > "$work/$count.yaml"; done
times=""
for _ in 1 2 3; do
  rm -rf "$work/home-1000"
  times+="$(used engine 1000 apply --yes --no-wait)"$'\n'
done
read -r small small_cpu <<<"$(printf '%s' "$times" | medians)"
row "apply 1,000 machines and volumes to an empty engine" "$small" - - "ours <= 10"
row "  CPU time" "$small_cpu" - - ""
read -r large large_cpu <<<"$(used engine 10000 apply --yes --no-wait | medians)"
row "apply 10,000, once (peer: ours with 1,000)" "$large" "$small" "$(ratio "$large" "$small")" \
  "ratio <= 12"
row "  CPU time" "$large_cpu" "$small_cpu" "$(ratio "$large_cpu" "$small_cpu")" ""

small() { engine 1000 plan --detailed-exitcode; }
large() { engine 10000 plan --detailed-exitcode; }
contest "no-change plan, 10,000 (peer: ours with 1,000)" \
  "ratio <= 12, ours <= 1.0, peer <= 0.3" 5 large small
