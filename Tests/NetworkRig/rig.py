"""A network of namespaces: a bridge in the one this runs in, guests on it, and a world outside.

Reads one command a line and answers one line to each that asks something: yes or no.
"""

import ctypes
import fcntl
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
# What started this may have blocked signals, and a daemon would not hear them.
signal.pthread_sigmask(signal.SIG_SETMASK, [])


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


def space(name):
    """A namespace with nothing in it."""
    guests[name] = new_namespace()
    ip_in(name, "link", "set", "lo", "up")


def batch(name, path):
    """Gives a file to `ip`; @NAME in it is a process in that namespace."""
    with open(path) as file:
        text = file.read()
    for other, (pid, _) in guests.items():
        text = text.replace("@" + other, str(pid))

    def body():
        run("ip", "-batch", "-", data=text)
        return True

    if not inside(name, body):
        raise RuntimeError(f"ip -batch in {name}")


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


def echo(name, expected, address, port, size, least, most):
    """Whether so many bytes take so many seconds there and back."""
    def body():
        start = time.monotonic()
        with socket.create_connection((address, int(port)), 5) as connection:
            connection.settimeout(20)
            if os.fork() == 0:
                connection.sendall(bytes(int(size)))
                os._exit(0)
            left = int(size)
            while left > 0:
                left -= len(connection.recv(1 << 16))
        seconds = time.monotonic() - start
        if not float(least) <= seconds <= float(most):
            print(f"{size} bytes took {seconds:.2f} s", flush=True)
        return float(least) <= seconds <= float(most)

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


def dhcp_packet(source, target, client):
    """A release, by its client's hardware address."""
    message = (struct.pack("!BBBBIHH", 1, 1, 6, 0, 7, 0, 0) + bytes(16) + mac_bytes(client)
               + bytes(10 + 192) + b"\x63\x82\x53\x63\x35\1\7\xff")
    return internet(source, target, 17, struct.pack("!HHHH", 68, 67, 8 + len(message), 0) + message, 6)


def tagged(packet):
    return b"\x81\x00\x00\x05" + packet


def frame(name, expected, receiver, target_mac, source_mac, kind, *arguments):
    """Whether a frame that a guest sends arrives at another, or `-`: at the gateway."""
    makers = {
        "arp": arp_packet, "udp": udp_packet, "nd": nd_packet, "dhcp": dhcp_packet,
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


daemons = []


def daemon(*arguments):
    """A program beside the bridge, which is given a moment to begin."""
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=sys.stdout,
                               stderr=sys.stdout, preexec_fn=lambda: libc.prctl(1, signal.SIGKILL))
    daemons.append(process)
    time.sleep(0.5)
    if process.poll() is not None:
        raise RuntimeError("it ended at once")


def reread():
    for process in daemons:
        process.send_signal(signal.SIGHUP)
    time.sleep(0.5)


def says(name, wanted, *arguments):
    """What a program must say in a guest; _ stands for a blank."""
    def body():
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=30)
        if wanted.replace("_", " ") in done.stdout:
            return True
        print(f"{' '.join(arguments)} in {name}: {done.stdout}{done.stderr}", flush=True)
        return False

    if not inside(name, body):
        raise RuntimeError(f"it does not say {wanted}")


# How a guest that knows nothing gets its addresses. Each answers in words that are compared.

def link_address():
    # SIOCGIFHWADDR, for /sys shows the devices of another namespace.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        return fcntl.ioctl(asked, 0x8927, struct.pack("40s", b"eth0"))[18:24]


def tell(name, body, wanted):
    def compare():
        answer = body()
        if answer != " ".join(wanted):
            print(f"in {name}: {answer}", flush=True)
        return answer == " ".join(wanted)

    return inside(name, compare)


def dhcp4(name, expected, *wanted):
    """`ADDRESS mtu N router R|none`"""
    def ask(sender, kind, *options):
        mac = link_address()
        message = (struct.pack("!BBBBIHH", 1, 1, 6, 0, 0x696E676F, 0, 0x8000) + bytes(16) + mac
                   + bytes(10 + 192) + b"\x63\x82\x53\x63" + bytes([53, 1, kind, 55, 3, 3, 26, 6]))
        for option, value in options:
            message += bytes([option, len(value)]) + value
        sender.sendto(message + b"\xff", ("255.255.255.255", 67))
        answer = sender.recv(2048)
        found, place = {}, 240
        while answer[place] != 255:
            length = answer[place + 1]
            found[answer[place]] = answer[place + 2:place + 2 + length]
            place += 2 + length
        return answer[16:20], found

    def body():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        sender.bind(("0.0.0.0", 68))
        sender.settimeout(wait_time(expected))
        address, offer = ask(sender, 1)
        address, answer = ask(sender, 3, (50, address), (54, offer[54]))
        router = socket.inet_ntoa(answer[3]) if 3 in answer else "none"
        return (f"{socket.inet_ntoa(address)} mtu {int.from_bytes(answer[26], 'big')} "
                f"router {router}")

    return tell(name, body, wanted)


def dhcp6(name, expected, *wanted):
    """`ADDRESS`"""
    def option(code, data):
        return struct.pack("!HH", code, len(data)) + data

    def options(data):
        found = {}
        while data:
            code, length = struct.unpack("!HH", data[:4])
            found[code] = data[4:4 + length]
            data = data[4 + length:]
        return found

    def body():
        sender = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        sender.bind(("::", 546))
        sender.settimeout(wait_time(expected))
        scope = socket.if_nametoindex("eth0")
        us = option(1, b"\0\3\0\1" + link_address())
        # Wants an address; the association has a number and no times.
        message = us + option(3, struct.pack("!III", 1, 0, 0))
        sender.sendto(b"\1\0\0\1" + message, ("ff02::1:2", 547, 0, scope))
        offer = options(sender.recv(2048)[4:])
        message = us + option(2, offer[2]) + option(3, offer[3])
        sender.sendto(b"\3\0\0\2" + message, ("ff02::1:2", 547, 0, scope))
        answer = options(sender.recv(2048)[4:])
        address = options(answer[3][12:])[5][:16]
        return socket.inet_ntop(socket.AF_INET6, address)

    return tell(name, body, wanted)


def router(name, expected, *wanted):
    """`lifetime SECONDS mtu N prefix P`"""
    def body():
        sender = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        sender.settimeout(wait_time(expected))
        scope = socket.if_nametoindex("eth0")
        sender.sendto(b"\x85" + bytes(7), ("ff02::2", 0, 0, scope))
        answer = b""
        while answer[:1] != b"\x86":
            answer = sender.recv(2048)
        lifetime, place, mtu, prefix = int.from_bytes(answer[6:8], "big"), 16, 0, ""
        while place < len(answer):
            if answer[place] == 5:
                mtu = int.from_bytes(answer[place + 4:place + 8], "big")
            if answer[place] == 3:
                prefix = socket.inet_ntop(socket.AF_INET6, answer[place + 16:place + 32])
            place += answer[place + 1] * 8
        return f"lifetime {lifetime} mtu {mtu} prefix {prefix}"

    return tell(name, body, wanted)


questions = {"dhcp4": dhcp4, "dhcp6": dhcp6, "router": router, "tcp": tcp, "udp": udp, "ping": ping, "echo": echo, "frame": frame, "hold": hold, "held": held}
orders = {"guest": guest, "space": space, "batch": batch, "serve": serve, "load": load, "run": run, "in": ip_in,
          "daemon": daemon, "reread": reread, "says": says,
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
for process in daemons:
    process.kill()
for pid in children:
    os.kill(pid, signal.SIGKILL)
sys.exit(1 if failures else 0)
