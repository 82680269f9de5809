#!/usr/bin/env bash
# Starting a halted machine against the same QEMU arguments started bare, and the monitor's memory.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
bin=$1
work=$(mktemp -d)
export INGOT_HOME="$work/home"
finish() {
  "$bin/ingot" destroy --all --yes >/dev/null 2>&1 || true
  rm -rf "$work" "$BENCH_ERRORS"
}
trap finish EXIT

truncate -s 1M "$work/empty.raw"
cat > "$work/vm.yaml" <<YAML
apiVersion: ingot/v1
kind: VirtualMachine
metadata: {name: bench}
spec:
  runStrategy: Manual
  memory: {guest: 64Mi}
  firmware: {boot: bios}
  disks: [{name: root, size: 16Mi}]
  interfaces: [{name: lan, network: default}]
  terminationGracePeriod: 1s
YAML
"$bin/ingot" apply -f "$work/vm.yaml" --yes --no-wait >/dev/null 2>&1
"$bin/ingot" start bench >/dev/null 2>&1
process=$(pgrep -f "$work/home.*qemu|qemu-system-x86_64.*$work/home" | head -n 1 || true)
mapfile -d '' -t arguments < "/proc/$process/cmdline"
monitor=$(pgrep -f "ingot-monitor.*$work/home" | head -n 1)
memory=$(awk '/^Private_(Clean|Dirty)/ { sum += $2 } END { printf "%.1f", sum / 1024 }' "/proc/$monitor/smaps")
row "monitor's private memory, MiB" "$memory" "-" "-" "ours <= 6"
"$bin/ingot" stop bench --grace 0s >/dev/null 2>&1

# The bare start: the same arguments with sockets QEMU binds itself, until QMP answers that the
# guest runs.
cat > "$work/bare.py" <<'PYTHON'
import json, os, socket, subprocess, sys, time
arguments, folder = json.loads(sys.argv[1]), sys.argv[2]
plain = []
for argument in arguments:
    if argument.startswith("socket,") and "fd=" in argument:
        parts = [p for p in argument.split(",") if not p.startswith("fd=")]
        name = [p for p in parts if p.startswith("id=")][0][3:]
        path = os.path.join(folder, "bare-" + name)
        argument = ",".join(parts + ["path=" + path])
    plain.append(argument)
qmp = os.path.join(folder, "bare-qmp")
if "-S" not in plain:
    plain.append("-S")
begin = time.monotonic()
listener = socket.socket(socket.AF_UNIX)
listener.bind(qmp); listener.listen(1); os.set_inheritable(listener.fileno(), True)
plain += ["-chardev", "socket,id=bench0,server=on,wait=off,fd=%d" % listener.fileno(), "-mon", "chardev=bench0,mode=control"]
process = subprocess.Popen(plain, pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
client = socket.socket(socket.AF_UNIX); client.connect(qmp); stream = client.makefile("rwb")
def receive():
    line = stream.readline()
    if not line:
        sys.exit("bare QEMU ended: " + process.stderr.read().decode())
    return json.loads(line)
def call(name):
    stream.write(json.dumps({"execute": name}).encode() + b"\n"); stream.flush()
    while True:
        answer = receive()
        if "return" in answer:
            return answer
receive(); call("qmp_capabilities"); call("cont")
while not call("query-status")["return"]["running"]:
    pass
print("%.4f" % (time.monotonic() - begin))
process.kill(); process.wait()
PYTHON
# Sockets that the arguments name by path would collide with each other's leftovers.
bare() { rm -f "$work"/bare-*; python3 "$work/bare.py" "$json" "$work"; }
json=$(python3 -c 'import json,sys; print(json.dumps(sys.argv[1:]))' "${arguments[@]}")
starts="" looks="" bares=""
for ((i = 0; i < 11; i++)); do
  looks+="$(seconds "$bin/ingot" get vm bench)"$'\n'
  starts+="$(seconds "$bin/ingot" start bench)"$'\n'
  "$bin/ingot" stop bench --grace 0s >/dev/null 2>&1
  bares+="$(bare)"$'\n'
done
start=$(printf '%s' "$starts" | median)
look=$(printf '%s' "$looks" | median)
peer=$(printf '%s' "$bares" | median)
call=$(awk -v a="$start" -v b="$look" 'BEGIN { printf "%.3f", a - b }')
row "ingot start, whole command (peer: bare QEMU)" "$start" "$peer" "$(ratio "$start" "$peer")" \
  "<= 1.25 x peer + 0.060"
row "the same less ingot get vm, $look: the engine's call" "$call" "$peer" \
  "$(ratio "$call" "$peer")" "ratio <= 1.25"
