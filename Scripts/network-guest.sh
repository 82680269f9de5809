#!/usr/bin/env bash
# Makes the tree of a small guest for tests and benchmarks of networks: Debian's kernel, busybox, the
# guest agent, an HTTP and an ssh server, a UDP echo and iperf3. It is up in seconds under TCG.
#   network-guest.sh TREE    makes the directory TREE, unless it is there
# It needs mmdebstrap and no root. Each interface asks for an address by DHCP and takes what routers
# advertise; where there is a router, it asks by DHCPv6 too.
set -euo pipefail

tree=$1
[[ ! -e $tree ]] || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work" "$tree.partial"' EXIT
packages="linux-image-cloud-amd64 busybox-static qemu-guest-agent dropbear-bin iperf3 socat"
packages+=" isc-dhcp-client lz4"
debian=$work/debian
mkdir "$debian"
# Packages are unpacked and not configured, so nothing of them is run.
mmdebstrap --quiet --variant=extract --include="$packages" bookworm - |
  tar -x --no-same-owner -C "$debian"
kernel=$(ls "$debian/lib/modules")
busybox=$debian/bin/busybox
loader=$debian/lib64/ld-linux-x86-64.so.2
libraries=$debian/lib/x86_64-linux-gnu:$debian/usr/lib/x86_64-linux-gnu

# program PATH: takes a program along with the libraries it is linked with.
program() {
  local library
  install -D -m 755 "$debian/$1" "$tree.partial/$1"
  while read -r library; do
    install -D -m 644 "$library" "$tree.partial/lib/x86_64-linux-gnu/${library##*/}"
  done < <("$loader" --library-path "$libraries" --list "$debian/$1" |
    sed -n "s|.* => \($debian/[^ ]*\) .*|\1|p")
}

# text PATH MODE: a file of the tree with what is on standard input.
text() { install -D -m "$2" /dev/stdin "$tree.partial/$1"; }

rm -rf "$tree.partial"
mkdir -p "$tree.partial"/{bin,boot,dev,etc/dropbear,lib64,proc,root/.ssh,run,srv/cgi-bin,sys,tmp,usr/lib,var/lib/dhcp}
chmod 1777 "$tree.partial/tmp"
ln -s usr/sbin "$tree.partial/sbin"
install -m 755 "$loader" "$tree.partial/lib64/"
for path in usr/sbin/{qemu-ga,dropbear} usr/bin/{iperf3,socat} sbin/dhclient; do program "$path"; done
install -m 755 "$busybox" "$tree.partial/bin/busybox"
for applet in $("$busybox" --list); do
  [[ $applet == busybox ]] || ln -s busybox "$tree.partial/bin/$applet"
done
ln -s ../../bin/busybox "$tree.partial/usr/sbin/init"

# number OFFSET BYTES: a number in the kernel's header (Documentation/arch/x86/boot.rst).
number() { od -An -v -t "u$2" -j "$1" -N "$2" "$debian/boot/vmlinuz-$kernel" | tr -d ' '; }

# The kernel is unpacked here, once, and not by each boot, which takes a third of a second under TCG.
start=$((($(number 0x1f1 1) + 1) * 512 + $(number 0x248 4)))
# The last four bytes are its unpacked size.
length=$(($(number 0x24c 4) - 4))
head -c $((start + length)) "$debian/boot/vmlinuz-$kernel" | tail -c $length |
  "$loader" --library-path "$libraries" "$debian/usr/bin/lz4" -dc \
    > "$tree.partial/boot/vmlinux-$kernel"

# The modules of QEMU's devices, and what they need.
"$busybox" depmod -b "$debian" "$kernel"
mkdir -p "$tree.partial/lib/modules/$kernel"
cp "$debian/lib/modules/$kernel"/modules.builtin "$tree.partial/lib/modules/$kernel/"

# modules TREE NAME...: takes modules along to a tree, with those they need.
modules() {
  local tree=$1 name file
  for name in "${@:2}"; do
    for file in $(grep "/$name\.ko:" "$debian/lib/modules/$kernel/modules.dep" | tr -d :); do
      install -D -m 644 "$debian/lib/modules/$kernel/$file" "$tree/lib/modules/$kernel/$file"
    done
  done
  "$busybox" depmod -b "$tree" "$kernel"
}
modules "$tree.partial" virtio_pci virtio_blk virtio_net virtio_console virtio-rng

# The initramfs loads what the disk needs and mounts the root. Each process takes 10 ms under TCG.
ramdisk=$work/ramdisk
mkdir -p "$ramdisk"/{bin,dev,lib,proc,root}
cp "$busybox" "$ramdisk/bin/"
modules "$ramdisk" virtio_pci virtio_net virtio_blk
cat > "$ramdisk/init" <<INIT
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
# A network card that is found early has its link early: the kernel looks at links once a second.
/bin/busybox modprobe -a virtio_pci virtio_net virtio_blk
read -r words < /proc/cmdline
for word in \$words; do
  case \$word in root=*) root=\${word#root=} ;; esac
done
until device=\$(/bin/busybox findfs "\$root" 2>/dev/null); do /bin/busybox usleep 20000; done
/bin/busybox mount -t ext4 "\$device" /root
/bin/busybox mount -o move /dev /root/dev
/bin/busybox mount -o move /proc /root/proc
exec /bin/busybox switch_root /root /sbin/init
INIT
chmod 755 "$ramdisk/init"
(cd "$ramdisk" && find . | "$busybox" cpio -o -H newc 2>/dev/null | gzip -1n) \
  > "$tree.partial/boot/initrd.img-$kernel"

# The kernel does not test its ciphers, which takes a third of a second under TCG.
text etc/kernel/cmdline 644 <<< 'cryptomgr.notests'
text etc/passwd 644 <<< 'root:x:0:0:root:/root:/bin/sh'
text etc/group 644 <<< 'root:x:0:'
text etc/shells 644 <<< '/bin/sh'
text etc/nsswitch.conf 644 <<< 'hosts: files dns'
text etc/hosts 644 <<< $'127.0.0.1 localhost\n::1 localhost'
text srv/index.html 644 <<< 'a small guest'
text srv/cgi-bin/name 755 <<< $'#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n"; hostname'
text srv/cgi-bin/peer 755 <<< $'#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n%s\\n" "$REMOTE_ADDR"'

text etc/inittab 644 <<'INIT'
::sysinit:/etc/rc
::respawn:/etc/agent
::respawn:/usr/bin/socat UDP6-RECVFROM:7,fork,reuseaddr EXEC:/bin/cat
::respawn:/usr/sbin/dropbear -F -R -s -p 22
::respawn:/usr/bin/iperf3 -s --logfile /dev/null
ttyS0::respawn:/bin/sh
INIT
# One processor does all: what the network needs comes first, and the rest waits for a lease, but not
# for long, as there may be nobody who gives one.
text etc/rc 755 <<'RC'
#!/bin/sh
mount -t sysfs sys /sys
mount -t tmpfs -o mode=755 run /run
# No two guests have the same address here, so none is tried out for a second before it is used, and
# routers are asked at once.
for interface in all default eth0; do
  [ -e /proc/sys/net/ipv6/conf/$interface ] || continue
  echo 0 > /proc/sys/net/ipv6/conf/$interface/dad_transmits
  echo 0 > /proc/sys/net/ipv6/conf/$interface/router_solicitation_delay
done
[ ! -e /sys/class/net/eth0 ] || ip link set eth0 up
setsid /etc/interfaces &
ip link set lo up
httpd -p [::]:80 -h /srv
tries=0
while [ -e /sys/class/net/eth0 ] && [ ! -e /run/resolv-eth0 ] && [ $tries -lt 40 ]; do
  usleep 50000
  tries=$((tries + 1))
done
modprobe -a virtio_console virtio-rng
mount -t tmpfs tmp /tmp
mkdir -p /dev/pts && mount -t devpts pts /dev/pts
# An ordinary user's tree is that user's.
chown -R 0:0 /root && chmod 700 /root /root/.ssh
echo "the guest is up"
RC
text etc/agent 755 <<'AGENT'
#!/bin/sh
for port in /sys/class/virtio-ports/*; do
  read -r name < "$port/name"
  [ "$name" = org.qemu.guest_agent.0 ] || continue
  exec /usr/sbin/qemu-ga -m virtio-serial -p "/dev/${port##*/}" -t /run -f /run/qemu-ga.pid
done
sleep 1
AGENT
# An interface that is plugged in later is found within a second.
text etc/interfaces 755 <<'INTERFACES'
#!/bin/sh
while :; do
  for interface in /sys/class/net/eth*; do
    name=${interface##*/}
    [ -e "$interface" ] && [ ! -e "/run/dhcp-$name" ] || continue
    : > "/run/dhcp-$name"
    ip link set "$name" up
    udhcpc -b -t 100 -T 1 -A 1 -i "$name" -p "/run/udhcpc-$name.pid" -s /etc/dhcp4 \
      -O mtu -O search > /dev/null 2>&1 &
    /etc/dhcp6 "$name" &
  done
  for lease in /run/dhcp-eth*; do
    name=${lease##*-}
    [ -e "$lease" ] && [ ! -e "/sys/class/net/$name" ] || continue
    kill "$(cat "/run/udhcpc-$name.pid")"
    rm "$lease"
  done
  sleep 1
done
INTERFACES
text etc/dhcp4 755 <<'DHCP'
#!/bin/sh
case $1 in
  deconfig) ip -4 addr flush dev "$interface" ;;
  bound | renew)
    # How long it took from the kernel's start to the first address.
    [ -e /run/up ] || { read -r up idle < /proc/uptime && echo "$up" > /run/up; }
    ip -4 addr flush dev "$interface"
    [ -z "$mtu" ] || ip link set "$interface" mtu "$mtu"
    ip addr add "$ip/$mask" dev "$interface"
    for address in $router; do ip route add default via "$address" dev "$interface"; done
    [ -z "$hostname" ] || hostname "$hostname"
    {
      [ -z "${search:-$domain}" ] || echo "search ${search:-$domain}"
      for address in $dns; do echo "nameserver $address"; done
    } > "/run/resolv-$interface"
    # The first interface's servers are asked first, and its domain is the one that counts.
    {
      cat /run/resolv-eth* | grep nameserver
      cat /run/resolv-eth* | grep -m 1 search
      echo "options timeout:1 attempts:2"
    } > /etc/resolv.conf
    ;;
esac
DHCP
# Nobody is asked before a router has advertised itself.
text etc/dhcp6 755 <<'DHCP'
#!/bin/sh
wait=50000
until ip -6 route show dev "$1" | grep -q -v -e ^fe80 -e ^multicast -e ^ff00; do
  [ -e "/sys/class/net/$1" ] || exit
  usleep $wait
  [ $wait -ge 1000000 ] || wait=$((wait * 2))
done
exec dhclient -6 -d -q -cf /dev/null -lf "/run/dhclient6-$1.leases" -pf "/run/dhclient6-$1.pid" \
  -sf /etc/dhclient-script "$1" > /dev/null 2>&1
DHCP
text etc/dhclient-script 755 <<'DHCP'
#!/bin/sh
case $reason in
  BOUND6 | RENEW6 | REBIND6) ip -6 addr replace "$new_ip6_address/128" dev "$interface" ;;
  EXPIRE6 | RELEASE6 | STOP6) ip -6 addr del "$old_ip6_address/128" dev "$interface" ;;
esac
DHCP
mv "$tree.partial" "$tree"
