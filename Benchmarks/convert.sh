#!/usr/bin/env bash
# A Debian tree to qcow2 zstd, beside mke2fs -d and qemu-img convert, which together do the same.
# $1: the folder of the release build. The tree is made once by mmdebstrap under .cache/; another
# is taken from INGOT_BENCH_TREE.
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

size=$(du -sm "$tree" | cut -f1)
names=$(find "$tree" | wc -l)

ours() { "$bin/ingot" convert "$tree" -o "$work/ours.qcow2"; }
peer() {
  rm -f "$work/peer.raw"
  mke2fs -q -F -t ext4 -d "$tree" "$work/peer.raw" "$((size * 13 / 10 + 64))M"
  qemu-img convert -c -o compression_type=zstd -f raw -O qcow2 "$work/peer.raw" "$work/peer.qcow2"
  # Ours is durable when it is done.
  sync "$work/peer.qcow2"
}
read -r a b ratio <<<"$(versus 7 ours peer)"
row "convert a tree of $size MiB, $names names, to qcow2 zstd" "$a" "$b" "$ratio" "ratio <= 0.50"
