#!/usr/bin/env bash
# A Debian tree to qcow2 zstd, beside mke2fs -d and qemu-img convert, which together do the same,
# and beside tar and zstd, which do no more than read and compress. Then to raw, and from its tar.
# $1: the folder of the release build. The tree is made once by mmdebstrap under .cache/; another
# is taken from INGOT_BENCH_TREE. INGOT_BENCH_RUNS: how often each runs.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
bin=$1
cache=$(cd "$(dirname "$0")/.." && pwd)/.cache
tree=${INGOT_BENCH_TREE:-$cache/debian-12}
work=$(mktemp -d)
trap 'rm -rf "$work" "$BENCH_ERRORS"' EXIT

make_tree() {
  local packages=linux-image-cloud-amd64,systemd-sysv,udev,dbus,openssh-server,cloud-init
  packages+=,cloud-guest-utils,qemu-guest-agent,fdisk,iproute2,ifupdown,isc-dhcp-client
  echo "making $tree with mmdebstrap, once" >&2
  rm -rf "$tree.partial"
  mkdir -p "$tree.partial"
  mmdebstrap --quiet --variant=minbase --include="$packages" bookworm - |
    tar -xp --xattrs --xattrs-include='*' --numeric-owner -C "$tree.partial"
  mv "$tree.partial" "$tree"
}
[[ -d $tree ]] || make_tree

runs=${INGOT_BENCH_RUNS:-7}
size=$(du -sm "$tree" | cut -f1)
names=$(find "$tree" | wc -l)
tar -cf "$work/tree.tar" --xattrs --sort=name -C "$tree" .

ours() { "$bin/ingot" convert "$tree" -o "$work/ours.qcow2"; }
ours_raw() { "$bin/ingot" convert "$tree" -o "$work/ours.raw" --format raw; }
ours_tar() { "$bin/ingot" convert - -o "$work/tar.qcow2" <"$work/tree.tar"; }
# What the peers wrote is made durable, as ours is when it is done.
mke2fs_raw() {
  rm -f "$work/peer.raw"
  mke2fs -q -F -t ext4 -d "$tree" "$work/peer.raw" "$((size * 13 / 10 + 64))M"
  sync "$work/peer.raw"
}
mke2fs_qcow2() {
  rm -f "$work/peer.raw"
  mke2fs -q -F -t ext4 -d "$tree" "$work/peer.raw" "$((size * 13 / 10 + 64))M"
  qemu-img convert -c -o compression_type=zstd -f raw -O qcow2 "$work/peer.raw" "$work/peer.qcow2"
  sync "$work/peer.qcow2"
}
tar_zstd() {
  tar -cf - -C "$tree" . | zstd -1 -T0 -q -f -o "$work/peer.tar.zst"
  sync "$work/peer.tar.zst"
}

echo "a tree of $size MiB, $names names"
contest "to qcow2 zstd (peer: mke2fs -d, qemu-img convert -c)" "ratio <= 0.30" "$runs" \
  ours mke2fs_qcow2
contest "to qcow2 zstd (peer: tar | zstd -1 -T0)" "ratio <= 1.30" "$runs" ours tar_zstd
contest "to raw (peer: mke2fs -d)" "ratio <= 0.50" "$runs" ours_raw mke2fs_raw
contest "its tar to qcow2 zstd (peer: ours from the tree)" "ratio <= 1.20" "$runs" ours_tar ours
