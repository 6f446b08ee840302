"""A hostile remote: an HTTP server on a free port of this machine that does to each request what it
is told, and notes what it got.

    remote = HostileRemote(lambda request: "hang" if request.path == "/slow" else "ok")

A fault's name, as `choose` gives it, or an HTTP status:
    ok              200 and a short body
    500, 404 …      that status
    hang            takes the request and never answers
    close           takes it and closes
    reset           takes it and resets the connection
    cut             closes in the middle of the body
    drip            a byte a second, for ever
    short           promises more bytes than come, and closes
    endless         a body without end
    headers         headers without end
    redirect        to itself, for ever
    flood           200 and a body without end
    bomb            a gzip bomb, said to be text
    garbage         something that is no HTTP
    etag            the right answer, but that its ETag is another one each time

With `tls` (certificate, key) it speaks TLS, and `greets` says of each connection what to do before
its first byte: ok, or tls (closes in the middle of the handshake). While `away` is set every
connection is reset as soon as it is there, or has a request.

Bytes that `choose` gives are the whole answer, as they are; file_answer() makes some.
"""

import gzip
import re
import secrets
import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field


@dataclass
class Request:
    method: str
    path: str
    headers: dict = field(default_factory=dict)  # names in lower case
    body: bytes = b""


def _answer(status, body=b"", headers=""):
    return (f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{headers}\r\n").encode() + body


def send_answer(connection, status, body=b"", headers=()):
    """One whole answer; True: the connection may go on."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in dict(headers).items())
    connection.sendall(_answer(status, body, lines))
    return True


class _OtherEtag:
    """A connection on which every ETag becomes another one."""

    def __init__(self, connection):
        self._connection = connection

    def sendall(self, data):
        other = f'ETag: W/"{secrets.token_hex(8)}"'.encode()
        self._connection.sendall(re.sub(rb'ETag: W/"[^"]*"', other, data))


def file_answer(body, etag="", length=None):
    """200 with a file; `length` is what it says of its length."""
    tag = f"ETag: {etag}\r\n" if etag else ""
    return (f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{tag}"
            f"Content-Length: {len(body) if length is None else length}\r\n\r\n").encode() + body


class HostileRemote:
    """Every connection has a thread; close() ends them all. `taken` is called for each request that
    is answered with a whole head of 2xx, before it goes out: from then on it may be counted on.
    `act(request, connection)` answers in place of "ok", and says whether the connection goes on."""

    def __init__(self, choose, taken=lambda request: None, act=None, tls=None,
                 greets=lambda: "ok", port=0):
        self.choose, self.taken, self._act, self._greets = choose, taken, act, greets
        self._tls = None
        if tls is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*tls)
        self.away = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port = self._listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._connections = {}
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._closed.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        with self._lock:
            threads = list(self._connections.items())
        for thread, connection in threads:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # its peer was faster
            thread.join()

    @property
    def connections(self):
        """How many are open."""
        with self._lock:
            return len(self._connections)

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self._connections[thread] = connection
            thread.start()

    def _serve(self, connection):
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.away.is_set():
                self._reset(connection)
                connection.close()
                return
            if self._greets() == "tls":
                connection.recv(100)
                connection.sendall(b"\x16\x03\x03\x00\x7a\x02")  # some of a ServerHello
                connection.close()
                return
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as reader:
                while request := self._read(reader):
                    if self.away.is_set():
                        self._reset(connection)
                        return
                    fault = self.choose(request)
                    if isinstance(fault, bytes):
                        connection.sendall(fault)
                    elif not self._do(str(fault), request, connection):
                        return
        except OSError:
            pass  # the peer went away, or close() did
        finally:
            with self._lock:
                self._connections.pop(threading.current_thread(), None)

    @staticmethod
    def _read(reader):
        line = reader.readline(65536).split()
        if len(line) != 3:
            return None
        request = Request(line[0].decode(), line[1].decode())
        while header := reader.readline(65536).strip():
            name, _, value = header.partition(b":")
            request.headers[name.decode().lower()] = value.strip().decode()
        length = int(request.headers.get("content-length", 0))
        request.body = reader.read(length)
        return request if len(request.body) == length else None

    def _do(self, fault, request, connection):
        """Whether the connection may go on."""
        if fault in ("ok", "etag") and self._act is not None:
            return self._act(request, connection if fault == "ok" else _OtherEtag(connection))
        if fault == "ok" or fault.startswith("2"):
            self.taken(request)
            connection.sendall(_answer(200 if fault == "ok" else fault, b"thanks\n"))
            return True
        if fault.isdigit():
            connection.sendall(_answer(fault, b"no\n"))
            return True
        if fault in ("cut", "short", "drip"):  # the head says 2xx
            self.taken(request)
        getattr(self, "_" + fault)(connection)
        return False

    def _hang(self, connection):
        while connection.recv(4096):
            pass

    def _close(self, connection):
        pass

    def _reset(self, connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _cut(self, connection):
        connection.sendall(_answer(200, b"x" * 1000)[:-500])

    def _short(self, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nshort")

    def _drip(self, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not self._closed.wait(1):
            connection.sendall(b"x")

    def _endless(self, connection):
        connection.sendall(b"HTTP/1.1 500 X\r\n\r\n")
        while not self._closed.is_set():
            connection.sendall(b"x" * 65536)

    def _flood(self, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not self._closed.is_set():
            connection.sendall(b" " * 65536)

    def _headers(self, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not self._closed.is_set():
            connection.sendall(b"X-Y: " + b"x" * 1000 + b"\r\n")

    def _redirect(self, connection):
        connection.sendall(_answer(302, b"", f"Location: {self.url}/again\r\n"))

    def _bomb(self, connection):
        bomb = gzip.compress(b"\0" * (64 << 20))
        connection.sendall(_answer(503, bomb, "Content-Encoding: gzip\r\n"))

    def _garbage(self, connection):
        connection.sendall(b"\x00\xff\x13\x37" * 64)
