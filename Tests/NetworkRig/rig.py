"""A network of namespaces: a bridge in the one this runs in, guests on it, and a world outside.

Reads one command a line and answers one line to each that asks something: yes or no.
"""

import ctypes
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
guests = {}
children = []


def fail(message):
    raise RuntimeError(f"{message}: {os.strerror(ctypes.get_errno())}")


def run(*arguments, data=None):
    done = subprocess.run(arguments, input=data, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr}")


def child(body):
    """Starts a process that ends with this one."""
    pid = os.fork()
    if pid == 0:
        try:
            libc.prctl(1, signal.SIGKILL)
            body()
        except BaseException as error:
            print(f"rig: {error}", file=sys.stderr)
            os._exit(1)
        os._exit(0)
    children.append(pid)
    return pid


def new_namespace():
    read, write = os.pipe()

    def body():
        if libc.unshare(CLONE_NEWNET) != 0:
            fail("cannot make a namespace")
        os.write(write, b"x")
        time.sleep(1000)

    pid = child(body)
    os.read(read, 1)
    return pid, os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)


def enter(name):
    if name != "-" and libc.setns(guests[name][1], CLONE_NEWNET) != 0:
        fail(f"cannot enter {name}")


def inside(name, body):
    """Whether a body answers true in a guest's namespace; `-` is the bridge's."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        answer = b"n"
        try:
            enter(name)
            answer = b"y" if body() else b"n"
        except OSError:
            pass
        except BaseException as error:
            answer = b"!" + str(error).encode()
        os.write(write, answer)
        os._exit(0)
    os.close(write)
    answer = os.read(read, 4096)
    os.close(read)
    os.waitpid(pid, 0)
    if answer[:1] not in (b"y", b"n"):
        raise RuntimeError(f"in {name}: {answer.decode()}")
    return answer == b"y"


def ip_in(name, *arguments):
    def body():
        run("ip", *arguments)
        return True

    if not inside(name, body):
        raise RuntimeError(f"in {name}: ip {' '.join(arguments)}")


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def guest(name, tap, mac, bridge, *addresses):
    """A namespace on a port: of the bridge, or `-` for the world at the end of the uplink."""
    guests[name] = new_namespace()
    run("ip", "link", "add", tap, "type", "veth", "peer", "name", "eth0", "netns",
        str(guests[name][0]))
    if bridge != "-":
        run("ip", "link", "set", tap, "master", bridge, "addrgenmode", "none")
    run("ip", "link", "set", tap, "up")
    ip_in(name, "link", "set", "lo", "up")
    if mac != "-":
        ip_in(name, "link", "set", "eth0", "address", mac)
    ip_in(name, "link", "set", "eth0", "up")
    for address in addresses:
        if address.startswith("via="):
            ip_in(name, "route", "add", "default", "via", address[4:])
        elif ":" in address:
            ip_in(name, "address", "add", address, "dev", "eth0", "nodad")
        else:
            ip_in(name, "address", "add", address, "dev", "eth0")


def serve(name, *ports):
    """Echoes what comes to the ports, TCP and UDP, IPv4 and IPv6."""
    ready, told = os.pipe()

    def body():
        enter(name)
        listeners, datagrams = [], []
        for port in map(int, ports):
            stream = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            stream.bind(("::", port))
            stream.listen(64)
            listeners.append(stream)
            datagram = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            datagram.bind(("::", port))
            datagrams.append(datagram)
        os.write(told, b"x")
        streams = []
        while True:
            for one in select.select(listeners + datagrams + streams, [], [])[0]:
                if one in listeners:
                    streams.append(one.accept()[0])
                elif one in datagrams:
                    data, peer = one.recvfrom(2048)
                    one.sendto(data, peer)
                else:
                    try:
                        data = one.recv(1 << 16)
                    except OSError:
                        data = b""
                    if data:
                        one.sendall(data)
                    else:
                        streams.remove(one)
                        one.close()

    child(body)
    os.read(ready, 1)


def wait_time(expected):
    return 5 if expected == "yes" else 0.4


def tcp(name, expected, address, port):
    def body():
        with socket.create_connection((address, int(port)), wait_time(expected)) as connection:
            connection.sendall(b"hello")
            return connection.recv(16) == b"hello"

    return inside(name, body)


def udp(name, expected, address, port):
    def body():
        with socket.socket(family(address), socket.SOCK_DGRAM) as datagram:
            datagram.settimeout(wait_time(expected))
            datagram.sendto(b"hello", (address, int(port)))
            return datagram.recv(16) == b"hello"

    return inside(name, body)


def ping(name, expected, address):
    def body():
        wait = "5" if expected == "yes" else "0.4"
        return subprocess.run(["ping", "-c", "1", "-W", wait, address],
                              stdout=subprocess.DEVNULL).returncode == 0

    return inside(name, body)


streams = {}


def hold(name, expected, label, address, port):
    """A connection that stays."""
    ours, theirs = socket.socketpair()

    def body():
        enter(name)
        connection = socket.create_connection((address, int(port)), 5)
        connection.settimeout(2)
        theirs.send(b"y")
        while theirs.recv(1):
            try:
                connection.sendall(b"z")
                theirs.send(b"y" if connection.recv(1) == b"z" else b"n")
            except OSError:
                theirs.send(b"n")

    child(body)
    streams[label] = ours
    return ours.recv(1) == b"y"


def held(name, expected, label):
    streams[label].send(b"x")
    return streams[label].recv(1) == b"y"


# Frames as they are on the wire.

def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def sum16(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def internet(source, target, protocol, payload, place):
    """An IP packet; `place` is where the payload's checksum belongs."""
    a = socket.inet_pton(family(source), source)
    b = socket.inet_pton(family(target), target)
    pseudo = a + b + struct.pack("!II", len(payload), protocol)
    if protocol == 1:
        pseudo = b""
    payload = payload[:place] + struct.pack("!H", sum16(pseudo + payload)) + payload[place + 2:]
    if len(a) == 16:
        return b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(payload), protocol, 255) + a + b + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 7, 0, 64, protocol, 0) + a + b
    head = head[:10] + struct.pack("!H", sum16(head)) + head[12:]
    return b"\x08\x00" + head + payload


def arp_packet(mac, source, target, operation="1"):
    return (b"\x08\x06" + struct.pack("!HHBBH", 1, 0x800, 6, 4, int(operation)) + mac_bytes(mac)
            + socket.inet_aton(source) + bytes(6) + socket.inet_aton(target))


def udp_packet(source, target, sport, dport):
    payload = b"rig" * 10
    head = struct.pack("!HHHH", int(sport), int(dport), 8 + len(payload), 0)
    return internet(source, target, 17, head + payload, 6)


def nd_packet(kind, source, target, about="::"):
    payload = struct.pack("!BBHI", int(kind), 0, 0, 0) + socket.inet_pton(socket.AF_INET6, about)
    return internet(source, target, 58, payload, 2)


def tagged(packet):
    return b"\x81\x00\x00\x05" + packet


def frame(name, expected, receiver, target_mac, source_mac, kind, *arguments):
    """Whether a frame that a guest sends arrives at another, or `-`: at the gateway."""
    makers = {
        "arp": arp_packet, "udp": udp_packet, "nd": nd_packet,
        "vlan": lambda *a: tagged(udp_packet(*a)), "raw": lambda t: bytes.fromhex(t) + bytes(46),
    }
    packet = mac_bytes(target_mac) + mac_bytes(source_mac) + makers[kind](*arguments)
    # The kernel takes a tag off before the packet is seen.
    wanted = packet[18:] if kind == "vlan" else packet[14:]
    ready, told = os.pipe()
    done, tell = os.pipe()

    def listen():
        enter(receiver)
        sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        sniffer.bind(("br0" if receiver == "-" else "eth0", 0))
        os.write(told, b"x")
        end = time.monotonic() + (5 if expected == "yes" else 0.3)
        while time.monotonic() < end:
            if select.select([sniffer], [], [], 0.05)[0]:
                if sniffer.recv(4096)[14:].startswith(wanted):
                    os.write(tell, b"y")
                    return
        os.write(tell, b"n")

    child(listen)
    os.read(ready, 1)

    def send():
        sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        sender.bind(("eth0", 0))
        sender.send(packet)
        return True

    if not inside(name, send):
        raise RuntimeError("cannot send a frame")
    return os.read(done, 1) == b"y"


def load(path):
    run("nft", "-f", path)


questions = {"tcp": tcp, "udp": udp, "ping": ping, "frame": frame, "hold": hold, "held": held}
orders = {"guest": guest, "serve": serve, "load": load, "run": run, "in": ip_in,
          "sleep": lambda seconds: time.sleep(float(seconds))}

failures = 0
for line in open(sys.argv[1]):
    words = line.split()
    if not words:
        continue
    try:
        if words[0] in orders:
            orders[words[0]](*words[1:])
            continue
        # yes|no QUESTION GUEST ARGUMENTS...
        expected, question, name = words[:3]
        if questions[question](name, expected, *words[3:]) != (expected == "yes"):
            print(f"not so: {line.strip()}")
            failures += 1
    except Exception as error:
        print(f"cannot: {line.strip()}: {error}")
        failures += 1
        break
for pid in children:
    os.kill(pid, signal.SIGKILL)
sys.exit(1 if failures else 0)
