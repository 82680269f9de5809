#!/usr/bin/env bash
# Guests on a network of ingot's, beside the same QEMUs on a bridge made by hand; how soon a network is
# there, and what its processes hold. All of it in namespaces of its own: of root's it needs no more.
# $1: the folder of the release build. The guests' tree is made once under .cache/; INGOT_BENCH_RUNS: how
# often each runs.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$here/../.cache"
tree=$(cd "$here/../.cache" && pwd)/network-guest
if [[ -z ${INGOT_BENCH_INSIDE:-} ]]; then
  # Its packages come from outside.
  "$here/../Scripts/network-guest.sh" "$tree"
  rights=()
  [[ $(id -u) == 0 ]] || rights=(--user --map-root-user)
  INGOT_BENCH_INSIDE=1 exec unshare "${rights[@]}" --net --mount --propagation private --pid --fork \
    --mount-proc --kill-child "$0" "$@"
fi
source "$(dirname "$0")/lib.sh"
bin=$(cd "$1" && pwd)
runs=${INGOT_BENCH_RUNS:-7}
work=$(mktemp -d)
export INGOT_HOME=$work/home
finish() {
  "$bin/ingot" destroy --all --yes >/dev/null 2>&1 || true
  rm -rf "$work" "$BENCH_ERRORS"
}
trap finish EXIT
mount -t sysfs sys /sys
ip link set lo up

quiet() { "$@" >/dev/null 2>"$BENCH_ERRORS" || { cat "$BENCH_ERRORS" >&2; return 1; }; }
tool() { python3 "$here/network.py" "$@"; }

# site NAME STRATEGY COUNT: COUNT networks with two machines each.
site() {
  local i j
  for ((i = 0; i < $3; i++)); do
    cat <<YAML
---
apiVersion: ingot/v1
kind: Network
metadata: {name: $1-$i}
spec: {mode: nat}
YAML
    for j in a b; do
      cat <<YAML
---
apiVersion: ingot/v1
kind: VirtualMachine
metadata: {name: $1-$i-$j}
spec:
  runStrategy: $2
  memory: {guest: 128Mi}
  disks: [{name: root, image: small}]
  interfaces: [{name: lan, network: $1-$i}]
  readinessProbe: {guestAgent: {}, timeout: 5m, period: 1s}
  terminationGracePeriod: 0s
YAML
    done
  done
}
{
  printf 'apiVersion: ingot/v1\nkind: Image\nmetadata: {name: small}\n'
  printf 'spec: {source: {tree: {path: %s}}}\n' "$tree"
  site idle Halted 16
} > "$work/idle.yaml"
quiet "$bin/ingot" apply -f "$work/idle.yaml" --yes
networks=("$INGOT_HOME"/networks/*)
[[ ${#networks[@]} == 16 ]]
tool stop "${networks[@]}"
one="" many=""
for ((i = 0; i < runs; i++)); do
  one+="$(tool up "$bin/ingot-network" "${networks[0]}" | cut -d ' ' -f 2)"$'\n'
  many+="$(tool up "$bin/ingot-network" "${networks[@]}" | cut -d ' ' -f 1)"$'\n'
done
row "a network from nothing to its first DHCP answer" "$(printf '%s' "$one" | median)" - - "ours <= 1.0"
row "16 networks with two taps each from nothing" "$(printf '%s' "$many" | median)" - - "ours <= 5.0"
quiet "$bin/ingot" destroy --all --yes

{
  sed '/^---/,$d' "$work/idle.yaml"
  site speed Always 1
} > "$work/speed.yaml"
quiet "$bin/ingot" apply -f "$work/speed.yaml" --yes
while read -r name size; do
  [[ $name == sum ]] || { row "  $name's private memory, MiB" "$size" - - ""; continue; }
  row "private memory of a network's processes, MiB" "$size" - - "ours <= 20"
done < <(tool memory "$INGOT_HOME"/networks/*)

# The peer: the same command lines on a bridge made by hand.
ip link add bare type bridge
ip link set bare up
lines=()
for machine in a b; do
  process=$(pgrep -f "qemu-system-x86_64 .*guest=speed-0-$machine," | head -n 1)
  lines+=("$(python3 -c 'import json, sys
print(json.dumps(open(f"/proc/{sys.argv[1]}/cmdline").read().split("\0")[:-1]))' "$process")")
done
mkfifo "$work/agents"
tool bare "$work" "${lines[@]}" > "$work/agents" &
mapfile -t -n 2 agents < "$work/agents"
number=1
for agent in "${agents[@]}"; do
  until tool exec "$agent" /bin/sh -c "killall udhcpc; ip address add 10.9.0.$number/24 dev eth0" \
    >/dev/null 2>&1; do sleep 1; done
  number=$((number + 1))
done
address=$("$bin/ingot" exec speed-0-b -- ip -4 address show dev eth0 |
  sed -n 's|.* inet \([0-9.]*\)/.*|\1|p')

# In Mbit/s, as the receiver counts. A guest whose agent is asked meanwhile would have less time for it.
begin() { echo "setsid iperf3 -f m -t 4 -c $1 > /tmp/rate 2>&1 < /dev/null &"; }
result='until grep receiver /tmp/rate; do sleep 1; done'
rate() { sed -n 's|.* \([0-9.]*\) Mbits/sec .*receiver.*|\1|p'; }
ours() {
  "$bin/ingot" exec speed-0-a -- sh -c "$(begin "$address")"
  sleep 5
  "$bin/ingot" exec speed-0-a -- sh -c "$result" | rate
}
peer() {
  tool exec "${agents[0]}" /bin/sh -c "$(begin 10.9.0.2)"
  sleep 5
  tool exec "${agents[0]}" /bin/sh -c "$result" | rate
}
ours >/dev/null && peer >/dev/null
a="" b=""
for ((i = 0; i < runs; i++)); do
  a+="$(ours)"$'\n'
  b+="$(peer)"$'\n'
done
a=$(printf '%s' "$a" | median) b=$(printf '%s' "$b" | median)
row "guest to guest, Mbit/s (peer: bare QEMUs, taps, bridge)" "$a" "$b" "$(ratio "$a" "$b")" \
  "ratio >= 0.95"
