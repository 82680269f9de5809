#!/usr/bin/env bash
# Validating 10,000 documents, 5,000 volumes and the machines that use them, beside libyaml's own
# event loop over the same bytes, which checks nothing and keeps nothing.
# $1: the folder of the release build.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
bin=$1
work=$(mktemp -d)
trap 'rm -rf "$work" "$BENCH_ERRORS"' EXIT

awk 'BEGIN {
  for (i = 0; i < 5000; i++) {
    printf "apiVersion: ingot/v1\nkind: Volume\nmetadata: {name: data-%d}\nspec: {size: 1Gi}\n---\n", i
    printf "apiVersion: ingot/v1\nkind: VirtualMachine\nmetadata:\n  name: vm-%d\n  labels: {app: web}\n", i
    printf "spec:\n  runStrategy: Halted\n  cpu: {count: 2}\n  memory: {guest: 512Mi}\n"
    printf "  firmware: {boot: bios}\n  disks:\n    - {name: data, volume: data-%d}\n", i
    printf "  interfaces:\n    - {name: lan, network: default}\n"
    printf "  cloudInit:\n    userData:\n      hostname: vm-%d\n      packages: [curl, git]\n---\n", i
  }
}' > "$work/manifest.yaml"
# Swift's toolchain brings a compiler along.
compiler=$(command -v cc || command -v clang)
"$compiler" -O2 -o "$work/events" "$(dirname "$0")/events.c" -lyaml

ours() { "$bin/ingot" validate --offline -f "$work/manifest.yaml"; }
peer() { "$work/events" "$work/manifest.yaml"; }
contest "validate 10,000 documents (peer: libyaml's event loop)" "ratio <= 3" 11 ours peer
