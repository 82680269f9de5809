#!/usr/bin/env bash
# Installs the Debian packages that ingot needs and this machine lacks; says which.
#   dependencies.sh build|run|test|bench ...
set -euo pipefail

build="libarchive-dev libsqlite3-dev libxml2-dev libyaml-dev libzstd-dev zlib1g-dev pkg-config make"
run="qemu-system-x86 qemu-utils mmdebstrap debian-archive-keyring openssh-client ovmf"
run+=" dnsmasq-base iproute2 nftables slirp4netns"
test="acl attr bind9-dnsutils bzip2 libcap2-bin e2fsprogs fdisk genisoimage graphviz libvirt-clients libxml2-utils"
test+=" iputils-ping python3 python3-jsonschema python3-yaml tar util-linux xz-utils zstd"
bench="e2fsprogs libvirt-clients libvirt-daemon libvirt-daemon-driver-qemu libyaml-dev python3 time zstd"

wanted=""
for group in "$@"; do
  case "$group" in
    build) wanted+=" $build" ;;
    run) wanted+=" $run" ;;
    test) wanted+=" $test" ;;
    bench) wanted+=" $bench" ;;
    *) echo "dependencies.sh: unknown group '$group': build, run, test or bench" >&2; exit 64 ;;
  esac
done
# An ordinary user's distribution trees are unpacked in a user namespace.
if [ "$(id -u)" != 0 ] && [[ " $* " == *" run "* ]]; then wanted+=" uidmap"; fi

if ! command -v dpkg-query >/dev/null; then
  echo "This is no Debian: install the counterparts of these packages yourself:$wanted" >&2
  exit 0
fi
missing=""
for package in $wanted; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=" $package"
done
if [ -n "$missing" ]; then
  echo "Installing with apt:$missing" >&2
  sudo=""
  if [ "$(id -u)" != 0 ]; then
    sudo=$(command -v sudo) || {
      echo "Installing needs root and there is no sudo. As root, run: apt-get install$missing" >&2
      exit 1
    }
  fi
  $sudo apt-get update -q >&2
  # shellcheck disable=SC2086 # a list of words
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q --no-install-recommends $missing >&2
fi

if [[ " $* " == *" build "* ]] && ! command -v swift >/dev/null; then
  echo "Swift 6.3 is missing: see 'Install Swift' on swift.org, then run this again." >&2
  exit 1
fi
