/// What a test's host reaches by its default routes: a network namespace with some servers.
enum World {
  /// Its addresses, by which it is reached through the cable.
  static let address = "198.51.100.7"
  static let address6 = "2001:db8:7::7"
  /// A name that its name server knows, of both addresses.
  static let name = "world.test"

  /// Its servers, and clients for the host.
  ///
  /// `serve NAME ADDRESS ADDRESS6`: HTTP at port 80, UDP at port 7 and DNS at port 53. The answer of
  /// the first two begins with the address that was seen asking.
  ///
  /// `get URL`, `udp ADDRESS PORT TEXT`: asks, and prints what is answered within three seconds.
  ///
  /// `meter URL`: asks without end, and writes to `answers` how often it was answered and the longest
  /// time between two answers in milliseconds; begins anew when there is a file `reset`.
  static let program = #"""
    import http.client, http.server, ipaddress, os, socket, socketserver, sys, threading, time, urllib.request

    def plain(address): return address[0].removeprefix("::ffff:")

    class HTTP(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = (plain(self.client_address) + "\n").encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        def log_message(self, *_): pass

    class HTTPServer(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6

    class UDPServer(socketserver.UDPServer):
        """Of one address, that answers come from the one that was asked."""
        def __init__(self, address, port, handler):
            self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
            super().__init__((address, port), handler)

    class Echo(socketserver.BaseRequestHandler):
        def handle(self):
            text = plain(self.client_address) + " " + self.request[0].decode()
            self.request[1].sendto(text.encode(), self.client_address)

    class DNS(socketserver.BaseRequestHandler):
        """Answers A and AAAA of one name; there is no other."""
        def handle(self):
            query, server = self.request
            end = 12
            labels = []
            while query[end]:
                labels.append(query[end + 1:end + 1 + query[end]].decode().lower())
                end += 1 + query[end]
            kind = int.from_bytes(query[end + 1:end + 3], "big")
            known = ".".join(labels) == sys.argv[2]
            data = {1: sys.argv[3], 28: sys.argv[4]}.get(kind) if known else None
            answer = b""
            if data:
                data = ipaddress.ip_address(data).packed
                answer = b"\xc0\x0c" + query[end + 1:end + 5] + b"\0\0\0\x3c" \
                    + len(data).to_bytes(2, "big") + data
            flags = b"\x81\x80" if known else b"\x81\x83"
            head = query[:2] + flags + b"\0\1" + (b"\0\1" if answer else b"\0\0") + b"\0\0\0\0"
            server.sendto(head + query[12:end + 5] + answer, self.client_address)

    if sys.argv[1] == "serve":
        servers = [HTTPServer(("::", 80), HTTP)]
        for address in sys.argv[3:]: servers += [UDPServer(address, 7, Echo), UDPServer(address, 53, DNS)]
        for server in servers: threading.Thread(target=server.serve_forever).start()
    elif sys.argv[1] == "get":
        print(urllib.request.urlopen(sys.argv[2], timeout=3).read().decode(), end="")
    elif sys.argv[1] == "meter":
        last = None
        while True:
            if last is None or os.path.exists("reset"):
                count, longest, last = 0, 0, time.monotonic()
                if os.path.exists("reset"): os.remove("reset")
            try:
                urllib.request.urlopen(sys.argv[2], timeout=0.4).read()
                longest, last = max(longest, time.monotonic() - last), time.monotonic()
                count += 1
                with open("answers.new", "w") as file: file.write(f"{count} {longest * 1000:.0f}")
                os.rename("answers.new", "answers")
            except (OSError, http.client.HTTPException): pass
            time.sleep(0.1)
    elif sys.argv[1] == "udp":
        family = socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as client:
            client.settimeout(3)
            client.connect((sys.argv[2], int(sys.argv[3])))
            client.send(sys.argv[4].encode())
            print(client.recv(2000).decode())
    """#
}
