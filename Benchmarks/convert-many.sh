#!/usr/bin/env bash
# Trees of very many files, beside mke2fs -d and qemu-img convert; and the memory of a million.
# $1: the folder of the release build. The trees are made once under .cache/ (6 GB of disk), or
# taken from the folder that INGOT_BENCH_TREES names. INGOT_BENCH_RUNS: how often each runs.
# INGOT_BENCH_FULL=1 lets mke2fs have all of the 100,000 empty files, which takes ten minutes.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
bin=$1
trees=${INGOT_BENCH_TREES:-$(cd "$(dirname "$0")/.." && pwd)/.cache}
runs=${INGOT_BENCH_RUNS:-5}
work=$(mktemp -d)
trap 'rm -rf "$work" "$BENCH_ERRORS"' EXIT

# make_tree NAME PROGRAM: runs a Python program once to fill a folder, given as its argument.
make_tree() {
  [[ -d $trees/$1 ]] && return
  echo "making $trees/$1, once" >&2
  rm -rf "$trees/$1.partial"
  mkdir -p "$trees/$1.partial"
  python3 - "$trees/$1.partial" <<<"$2"
  mv "$trees/$1.partial" "$trees/$1"
}
# 0.2 to 7 KB of words of a made-up language, 100 files a directory.
make_tree many-small '
import os, random, sys
source = random.Random(7)
def word(): return "".join(source.choices("etaoinshrdlucmfw", range(16, 0, -1), k=source.randrange(2, 10)))
words = [word() for _ in range(5000)]
for directory in range(1000):
  path = f"{sys.argv[1]}/dir-{directory:03}"
  os.mkdir(path)
  for number in range(100):
    size = source.randrange(200, 7000)
    text = " ".join(source.choices(words, k=size // 3))[:size]
    with open(f"{path}/file-{number:02}.txt", "w") as file: file.write(text)'
empty='
import os, sys
os.mkdir(f"{sys.argv[1]}/d")
for number in range(COUNT): open(f"{sys.argv[1]}/d/file-{number}.txt", "w").close()'
make_tree many-empty-40k "${empty/COUNT/40000}"
make_tree many-empty-100k "${empty/COUNT/100000}"
make_tree million '
import os, sys
for directory in range(1000):
  path = f"{sys.argv[1]}/d{directory:03}"
  os.mkdir(path)
  for number in range(1000):
    with open(f"{path}/f{number:03}", "w") as file: file.write(f"{directory}.{number}\n")'

ours() { "$bin/ingot" convert "$trees/$tree" -o "$work/ours.qcow2"; }
# mke2fs gives small files too few inodes unless told.
mke2fs_raw() {
  rm -f "$work/peer.raw"
  mke2fs -q -F -t ext4 -N 110000 -d "$trees/$tree" "$work/peer.raw" 800M
  sync "$work/peer.raw"
}
mke2fs_qcow2() {
  mke2fs_raw
  qemu-img convert -c -o compression_type=zstd -f raw -O qcow2 "$work/peer.raw" "$work/peer.qcow2"
  sync "$work/peer.qcow2"
}

tree=many-small
contest "100,000 files of 0.2-7 KB to qcow2 zstd (peer: the pair)" "ratio <= 0.35" "$runs" \
  ours mke2fs_qcow2

# The peer's time goes with the square of the number, so it runs once.
empty_directory() {
  local a b
  tree=$1
  a=$(for ((i = 0; i < runs; i++)); do seconds ours; done | median)
  b=$(seconds mke2fs_raw)
  row "$2 empty files in one directory (peer: mke2fs -d)" "$a" "$b" "$(ratio "$a" "$b")" \
    "ratio <= 0.02"
}
empty_directory many-empty-40k 40,000
if [[ ${INGOT_BENCH_FULL:-} == 1 ]]; then
  empty_directory many-empty-100k 100,000
else
  tree=many-empty-100k
  row "100,000 empty files in one directory" \
    "$(for ((i = 0; i < runs; i++)); do seconds ours; done | median)" - - "0.02 of mke2fs -d"
fi

tree=million
command time -f %M -o "$work/memory" "$bin/ingot" convert "$trees/$tree" -o "$work/ours.qcow2" \
  >/dev/null 2>&1
row "1,000,000 files to qcow2 zstd: peak memory, MB" \
  "$(awk '{ printf "%.0f", $1 * 1024 / 1e6 }' "$work/memory")" - - "ours <= 600"
