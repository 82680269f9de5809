#!/usr/bin/env bash
# How long the smallest command takes.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
bin=$1
ours() { "$bin/ingot" version; }
peer() { qemu-img --version; }
contest "ingot version (peer: qemu-img --version)" "ours <= 0.050" 15 ours peer
