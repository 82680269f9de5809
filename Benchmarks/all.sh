#!/usr/bin/env bash
# Every published figure, each beside the peer's in the same run. $1: the folder of the release build.
# A benchmark that fails is named at its place, and the others run all the same.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$(cd "$1" && pwd)
source Benchmarks/lib.sh
echo "$(nproc) cores, $(uname -m), $(uname -r); medians in seconds; ratio is ours / peer's"
row "" ours peer ratio target
status=0
for name in version validate plan apply start network convert convert-many; do
  Benchmarks/$name.sh "$bin" || { row "$name.sh" failed - - "see above"; status=1; }
done
exit $status
