#!/usr/bin/env bash
# How long the smallest command takes.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
bin=$1
ours() { "$bin/ingot" version; }
peer() { qemu-img --version; }
read -r a b ratio <<<"$(versus 15 ours peer)"
row "ingot version (peer: qemu-img --version)" "$a" "$b" "$ratio" "ours <= 0.050"
