#!/usr/bin/env bash
# Applying 1,000 halted machines, each with a volume and an interface, to an empty engine, durably,
# beside one virsh that defines as many domains in a libvirtd of its own. Then 10,000 machines.
# $1: the folder of the release build.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
bin=$1
work=$(mktemp -d)
chmod 755 "$work"
daemon=""
finish() {
  if [[ -n $daemon ]]; then kill "$daemon" && wait "$daemon" || true; fi
  rm -rf "$work" "$BENCH_ERRORS"
}
trap finish EXIT

# libvirtd is a session's where an ordinary user runs it; root takes nobody's place for it.
session=(env "HOME=$work/libvirt" "XDG_RUNTIME_DIR=$work/libvirt"
  "XDG_CONFIG_HOME=$work/libvirt/config" "XDG_CACHE_HOME=$work/libvirt/cache"
  "XDG_DATA_HOME=$work/libvirt/data")
install -d -m 700 "$work/libvirt"
if [[ $(id -u) == 0 ]]; then
  session=(setpriv --reuid 65534 --regid 65534 --clear-groups "${session[@]}")
  chown 65534:65534 "$work/libvirt"
fi
libvirtd=$(PATH=$PATH:/usr/sbin command -v libvirtd) ||
  { echo "libvirtd is missing: Scripts/dependencies.sh bench" >&2; exit 1; }
"${session[@]}" "$libvirtd" 2>"$work/libvirtd.log" &
daemon=$!
virsh() { "${session[@]}" virsh --quiet --connect qemu:///session "$@"; }
for ((i = 0; ; i++)); do
  virsh list >/dev/null 2>&1 && break
  if ((i == 100)); then cat "$work/libvirtd.log" >&2; exit 1; fi
  sleep 0.1
done

mkdir "$work/domains"
for ((i = 0; i < 1000; i++)); do
  cat > "$work/domains/$i.xml" <<XML
<domain type='qemu'>
  <name>vm-$i</name>
  <memory unit='MiB'>512</memory>
  <vcpu>2</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='$work/data-$i.qcow2'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <interface type='user'><model type='virtio'/></interface>
  </devices>
</domain>
XML
  echo "define $work/domains/$i.xml" >> "$work/define"
  echo "undefine vm-$i" >> "$work/undefine"
done
for count in 1000 10000; do machines "$count" > "$work/$count.yaml"; done

ours() { INGOT_HOME="$work/home" "$bin/ingot" apply -f "$work/$1.yaml" --yes --no-wait; }
peer() { virsh < "$work/define"; }
a="" b=""
for _ in 1 2 3; do
  rm -rf "$work/home"
  a+="$(used ours 1000)"$'\n'
  b+="$(used peer)"$'\n'
  [[ $(virsh list --all --name | grep -c .) == 1000 ]]
  virsh < "$work/undefine" >/dev/null
done
read -r small small_cpu <<<"$(printf '%s' "$a" | medians)"
define=$(printf '%s' "$b" | awk '{ print $1 }' | median)
row "apply 1,000 machines and volumes (peer: virsh define, no volumes)" "$small" "$define" \
  "$(ratio "$small" "$define")" "ours <= 15"
row "  CPU time (virsh's is libvirtd's)" "$small_cpu" - - ""
rm -rf "$work/home"
read -r large large_cpu <<<"$(used ours 10000 | medians)"
row "apply 10,000, once (peer: ours with 1,000)" "$large" "$small" "$(ratio "$large" "$small")" \
  "ratio <= 12"
row "  CPU time" "$large_cpu" "$small_cpu" "$(ratio "$large_cpu" "$small_cpu")" ""
