#!/usr/bin/env bash
# A plan that changes nothing, of 1,000 and of 10,000 halted machines with a volume each.
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

for count in 1000 10000; do
  manifest "$count" > "$work/$count.yaml"
  INGOT_HOME="$work/home-$count" "$bin/ingot" apply -f "$work/$count.yaml" --yes --no-wait \
    >/dev/null 2>"$BENCH_ERRORS" || { cat "$BENCH_ERRORS" >&2; exit 1; }
done
small() { INGOT_HOME="$work/home-1000" "$bin/ingot" plan -f "$work/1000.yaml" --detailed-exitcode; }
large() { INGOT_HOME="$work/home-10000" "$bin/ingot" plan -f "$work/10000.yaml" --detailed-exitcode; }
read -r a b ratio <<<"$(versus 5 large small)"
row "no-change plan, 1,000 machines and volumes" "$b" "-" "-" "ours <= 0.300"
row "no-change plan, 10,000 (peer: ours with 1,000)" "$a" "$b" "$ratio" "ratio <= 12"
