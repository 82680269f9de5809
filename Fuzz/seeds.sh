#!/usr/bin/env bash
# Makes the fuzzer's seeds anew: Fuzz/seeds.sh FUZZER INGOT
# FUZZER is what Fuzz/run.sh builds, INGOT a release build. Needs e2fsprogs, tar, zstd, xz, bzip2, qemu-img.
set -euo pipefail
fuzzer=$(realpath "$1")
ingot=$(realpath "$2")
cd "$(dirname "$0")/Corpus"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir -p "$tree/d/e" "$tree/many"
seq 300 > "$tree/d/one"
ln "$tree/d/one" "$tree/d/hard"
ln -s one "$tree/d/short"
ln -s "$(printf 'x%.0s' {1..90})" "$tree/d/long"
mkfifo "$tree/d/e/fifo"
truncate -s 300K "$tree/sparse"
for number in 3 7 20 90 200; do
  printf x | dd of="$tree/sparse" bs=1024 seek="$number" conv=notrunc status=none
done
for number in {1..90}; do : > "$tree/many/a name of some length $number"; done

keep() { gzip -9 -n > "$1"; }
small() { # NAME MKE2FS-OPTION...
  local image=$work/$1.img
  mke2fs -q -d "$tree" "${@:2}" "$image" 400K
  debugfs -w -R "ea_set d/one user.note something" "$image" 2> "$work/log"
  debugfs -w -R "mknod d/device c 240 1000" "$image" 2>> "$work/log"
  e2fsck -fyD "$image" > "$work/log" || true
  "$fuzzer" pack "$image" | keep "ext4/$1.gz"
}
small ext2 -t ext2 -b 1024 -N 200
small ext4 -t ext4 -b 1024 -N 200 -O ^metadata_csum,^has_journal,^resize_inode
small meta_bg -t ext4 -b 1024 -g 256 -N 200 -O ^metadata_csum,^has_journal,^resize_inode,meta_bg
small checksums -t ext4 -b 1024 -N 200 -O ^has_journal,^resize_inode
INGOT_HOME=$work/home "$ingot" convert "$tree" --format raw -o "$work/ours.raw" > "$work/log"
dd if="$work/ours.raw" of="$work/ours.img" bs=1M skip=1 count=16 status=none
"$fuzzer" pack "$work/ours.img" | keep ext4/ours.gz

rm -rf "$tree/many"
for format in ustar gnu pax; do
  sparse=--sparse
  [ "$format" = ustar ] && sparse=--no-acls
  tar -C "$tree" --format="$format" "$sparse" -cf "$work/$format.tar" . 2> "$work/log"
  keep "archive/$format.tar.gz" < "$work/$format.tar"
done
setfattr -n user.note -v something "$tree/d/one"
setfacl -m u:7:rw "$tree/d/one"
tar -C "$tree" --format=pax --xattrs --acls -cf "$work/xattrs.tar" d
keep archive/xattrs.tar.gz < "$work/xattrs.tar"
for tool in gzip bzip2 xz zstd; do "$tool" -c "$work/ustar.tar" | keep "archive/$tool.gz"; done
head -c 3000 /dev/zero | tr '\0' 'a' > "$work/disk"
truncate -s 200K "$work/disk"
head -c 5000 "$work/ustar.tar" | dd of="$work/disk" bs=1024 seek=100 conv=notrunc status=none
image() { # NAME BYTE PACKED QEMU-IMG-OPTION...
  qemu-img convert -f raw "${@:4}" "$work/disk" "$work/image"
  if [ "$3" = yes ]; then
    { printf "$2"; "$fuzzer" pack "$work/image"; } | keep "disk/$1.gz"
  else
    { printf "$2"; cat "$work/image"; } | keep "disk/$1.gz"
  fi
}
image qcow2 '\000' no -O qcow2 -o cluster_size=512
image qcow2-zlib '\000' no -O qcow2 -c -o cluster_size=4096
image qcow2-zstd '\000' no -O qcow2 -c -o cluster_size=4096,compression_type=zstd
image qcow2-extended '\000' no -O qcow2 -o cluster_size=16384,extended_l2=on
image vmdk '\201' yes -O vmdk
image vmdk-stream '\001' no -O vmdk -o subformat=streamOptimized
image vhd '\202' yes -O vpc
image vhd-fixed '\203' yes -O vpc -o subformat=fixed
image vhdx '\204' yes -O vhdx -o block_size=1M
for manifest in ../../Manifests/*.yaml ../../Manifests/invalid/*.yaml; do
  keep "manifest/$(basename "$manifest").gz" < "$manifest"
done
