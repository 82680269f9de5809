"""What Benchmarks/network.sh measures with: a client of ingot-network, and of bare QEMUs.

  up EXECUTABLE DIRECTORY...   launches the networks of the directories at once, opens every port's tap;
                               prints the seconds until the last tap, and until the first answer to a
                               DHCP request of the last port
  stop DIRECTORY...            ends the networks that run there
  memory DIRECTORY             prints name and private MiB of each process of a network, and the sum
  bare DIRECTORY JSON...       runs a QEMU for each command line, on taps of the bridge `bare`; prints
                               the path of each one's guest agent, and waits
  exec SOCKET WORDS...         runs a command in a guest by its agent's socket, prints what it printed
"""
import array, base64, json, os, random, socket, struct, subprocess, sys, time


class Network:
    """A network's supervisor, asked by its socket."""

    def __init__(self, directory):
        self.directory = directory
        self.socket = None
        with open(directory + "/network.json") as file:
            self.ports = json.load(file)["ports"]

    def launch(self, executable):
        self.process = subprocess.Popen([executable, "serve", self.directory])

    def connect(self):
        deadline = time.monotonic() + 20
        while True:
            client = socket.socket(socket.AF_UNIX)
            try:
                client.connect(self.directory + "/socket")
                self.socket = client
                return
            except OSError:
                if time.monotonic() > deadline: raise
                time.sleep(0.002)

    def call(self, method, **params):
        request = {"id": 1, "method": method, "params": params}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        text, descriptors = b"", array.array("i")
        while not text.endswith(b"\n"):
            more, ancillary, _, _ = self.socket.recvmsg(1 << 16, socket.CMSG_SPACE(4))
            if not more: sys.exit(f"{self.directory}: the supervisor ended")
            text += more
            for _, _, data in ancillary: descriptors.frombytes(data)
        answer = json.loads(text)
        if "error" in answer: sys.exit(f"{self.directory}: {method}: {answer['error']['message']}")
        return answer["result"], list(descriptors)

    def tap(self, port):
        return self.call("tap", port=port["id"])[1][0]


def discover(mac, transaction):
    """An Ethernet frame with a DHCPDISCOVER, behind an empty virtio-net header."""
    hardware = bytes.fromhex(mac.replace(":", ""))
    dhcp = struct.pack("!BBBBIHHIIII", 1, 1, 6, 0, transaction, 0, 0x8000, 0, 0, 0, 0)
    dhcp += hardware + bytes(10 + 64 + 128) + b"\x63\x82\x53\x63" + b"\x35\x01\x01\xff"
    udp = struct.pack("!HHHH", 68, 67, 8 + len(dhcp), 0) + dhcp
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xffff) + (total >> 16)
    head = head[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + head[12:]
    return bytes(10) + b"\xff" * 6 + hardware + b"\x08\x00" + head + udp


def wait_for_offer(tap, mac):
    """Asks on a tap, again every 20 ms, until an answer comes."""
    os.set_blocking(tap, False)
    transaction = random.getrandbits(32)
    deadline = time.monotonic() + 20
    asked = 0
    while time.monotonic() < deadline:
        if time.monotonic() - asked > 0.02:
            os.write(tap, discover(mac, transaction))
            asked = time.monotonic()
        try:
            frame = os.read(tap, 1 << 16)[10:]
        except BlockingIOError:
            time.sleep(0.001)
            continue
        udp = frame[34:]
        if frame[12:14] == b"\x08\x00" and frame[23] == 17 and udp[:4] == b"\x00\x43\x00\x44":
            if udp[12:16] == struct.pack("!I", transaction): return
    sys.exit("nothing answers a DHCP request")


def up(executable, directories):
    networks = [Network(directory) for directory in directories]
    begin = time.monotonic()
    for network in networks: network.launch(executable)
    taps = []
    for network in networks:
        network.connect()
        for port in network.ports: taps.append((network.tap(port), port))
    plugged = time.monotonic() - begin
    wait_for_offer(taps[-1][0], taps[-1][1]["mac"])
    answered = time.monotonic() - begin
    for network in networks:
        network.call("stop")
        network.process.wait()
    print(f"{plugged:.4f} {answered:.4f}")


def stop(directories):
    for directory in directories:
        network = Network(directory)
        network.connect()
        network.call("stop")


def private(process):
    with open(f"/proc/{process}/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_")) / 1024


def memory(directory):
    network = Network(directory)
    network.connect()
    own = struct.unpack("3i", network.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    found = {"supervisor": private(own)}
    for process in network.call("status")[0]["processes"]:
        if process["pid"] and process["pid"] != own: found[process["name"]] = private(process["pid"])
    for name, size in found.items(): print(f"{name} {size:.1f}")
    print(f"sum {sum(found.values()):.1f}")


def bare(directory, lines):
    """Runs QEMU as ingot would, but for its taps, its disks and the sockets that it makes itself."""
    agents, processes = [], []
    for number, line in enumerate(lines):
        words, sockets = [], {}
        for word in json.loads(line):
            if word.startswith("socket,") and "fd=" in word:
                parts = [part for part in word.split(",") if not part.startswith("fd=")]
                name = next(part[3:] for part in parts if part.startswith("id="))
                sockets[name] = f"{directory}/bare-{number}-{name}"
                word = ",".join(parts + ["path=" + sockets[name]])
            elif word.startswith("tap,"):
                parts = [part for part in word.split(",") if not part.startswith("fd=")]
                tap = f"bare{number}"
                subprocess.check_call(["ip", "tuntap", "add", tap, "mode", "tap", "vnet_hdr"])
                subprocess.check_call(["ip", "link", "set", tap, "master", "bare", "up"])
                word = ",".join(parts + [f"ifname={tap}", "script=no", "downscript=no"])
            elif word.startswith("{") and "/pools/" in word:
                node = json.loads(word)
                if not os.path.exists(copy := f"{directory}/bare-{number}.qcow2"):
                    subprocess.check_call(["cp", node["filename"], copy])
                node["filename"] = copy
                word = json.dumps(node)
            words.append(word)
        processes.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL))
        agents.append(sockets["agent"])
        client = connect(sockets["qmp"])
        stream = client.makefile("rwb")
        stream.readline()
        for command in ["qmp_capabilities", "cont"]:
            stream.write(json.dumps({"execute": command}).encode() + b"\n")
            stream.flush()
            stream.readline()
    print(*agents, sep="\n", flush=True)
    for process in processes: process.wait()


def connect(path):
    deadline = time.monotonic() + 20
    while True:
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(path)
            return client
        except OSError:
            if time.monotonic() > deadline: raise
            time.sleep(0.01)


def execute(path, words):
    client = connect(path)
    client.settimeout(120)
    stream = client.makefile("rwb")

    def call(name, **arguments):
        stream.write(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
        stream.flush()
        answer = json.loads(stream.readline().lstrip(b"\xff"))
        if "error" in answer: sys.exit(f"{path}: {name}: {answer['error']}")
        return answer["return"]

    call("guest-sync", id=random.getrandbits(30))
    process = call(
        "guest-exec", **{"path": words[0], "arg": words[1:], "capture-output": True})["pid"]
    while not (status := call("guest-exec-status", pid=process))["exited"]: time.sleep(0.1)
    sys.stdout.write(base64.b64decode(status.get("out-data", "")).decode())
    sys.stderr.write(base64.b64decode(status.get("err-data", "")).decode())
    sys.exit(status.get("exitcode", 1))


verb, rest = sys.argv[1], sys.argv[2:]
if verb == "up": up(rest[0], rest[1:])
elif verb == "stop": stop(rest)
elif verb == "memory": memory(rest[0])
elif verb == "bare": bare(rest[0], rest[1:])
elif verb == "exec": execute(rest[0], rest[1:])
