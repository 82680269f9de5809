#!/usr/bin/env bash
# Every published figure, each beside the peer's in the same run. $1: the folder of the release build.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$(cd "$1" && pwd)
source Benchmarks/lib.sh
echo "$(nproc) cores, $(uname -m), $(uname -r); medians in seconds; ratio is ours / peer's"
row "" ours peer ratio target
Benchmarks/version.sh "$bin"
Benchmarks/plan.sh "$bin"
Benchmarks/start.sh "$bin"
Benchmarks/convert.sh "$bin"
Benchmarks/convert-many.sh "$bin"
