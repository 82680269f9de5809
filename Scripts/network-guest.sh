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
packages+=" isc-dhcp-client"
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

# The modules of QEMU's devices, and what they need.
"$busybox" depmod -b "$debian" "$kernel"
modules=$tree.partial/lib/modules/$kernel
mkdir -p "$modules"
cp "$debian/lib/modules/$kernel"/modules.builtin "$modules/"
names="virtio_pci virtio_blk virtio_net virtio_console virtio-rng"
for name in $names; do
  line=$(grep "/$name\.ko:" "$debian/lib/modules/$kernel/modules.dep")
  for file in ${line/:/ }; do
    install -D -m 644 "$debian/lib/modules/$kernel/$file" "$modules/$file"
  done
done
"$busybox" depmod -b "$tree.partial" "$kernel"
cp "$debian/boot/vmlinuz-$kernel" "$tree.partial/boot/"

# The initramfs loads the modules and mounts the root.
ramdisk=$work/ramdisk
mkdir -p "$ramdisk"/{bin,dev,lib,proc,root,sys}
cp "$busybox" "$ramdisk/bin/"
ln -s busybox "$ramdisk/bin/sh"
cp -r "$tree.partial/lib/modules" "$ramdisk/lib/"
cat > "$ramdisk/init" <<INIT
#!/bin/sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
for name in $names; do /bin/busybox modprobe \$name; done
for word in \$(/bin/busybox cat /proc/cmdline); do
  case \$word in root=*) root=\${word#root=} ;; esac
done
until device=\$(/bin/busybox findfs "\$root" 2>/dev/null); do /bin/busybox usleep 50000; done
/bin/busybox mount -t ext4 "\$device" /root
for directory in dev proc sys; do /bin/busybox mount -o move /\$directory /root/\$directory; done
exec /bin/busybox switch_root /root /sbin/init
INIT
chmod 755 "$ramdisk/init"
(cd "$ramdisk" && find . | "$busybox" cpio -o -H newc 2>/dev/null | gzip -1n) \
  > "$tree.partial/boot/initrd.img-$kernel"

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
::respawn:/etc/interfaces
::respawn:/bin/httpd -f -p [::]:80 -h /srv
::respawn:/usr/bin/socat UDP6-RECVFROM:7,fork,reuseaddr EXEC:/bin/cat
::respawn:/usr/sbin/dropbear -F -R -s -p 22
::respawn:/usr/bin/iperf3 -s --logfile /dev/null
ttyS0::respawn:/bin/sh
INIT
text etc/rc 755 <<'RC'
#!/bin/sh
# An ordinary user's tree is that user's.
chown -R 0:0 /root && chmod 700 /root /root/.ssh
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs tmp /tmp
mkdir -p /dev/pts && mount -t devpts pts /dev/pts
ip link set lo up
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
until ip -6 addr show dev "$1" scope link | grep -q inet6; do sleep 1; done
until ip -6 route show dev "$1" | grep -q -v -e ^fe80 -e ^multicast -e ^ff00; do
  [ -e "/sys/class/net/$1" ] || exit
  sleep 1
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
