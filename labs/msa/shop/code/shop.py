"""What the three services share: HTTP, a database (Valkey, or Redis) and the event bus (NATS).

Only Python's own library is used, so that an image of plain Python is all a service needs, and so that a reader sees
what goes over the wire: both protocols are lines of text. Real services use the clients of their databases.
"""

import json
import os
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TIMEOUT = 3  # seconds until a peer that says nothing counts as gone


def log(*words):
    sys.stdout.write(" ".join(map(str, (time.strftime("%H:%M:%S"),) + words)) + "\n")  # one write: threads share it
    sys.stdout.flush()


def address(name, default):
    """The host and port in the environment variable NAME, such as catalog-db:6379."""
    host, _, port = os.environ.get(name, default).rpartition(":")
    return host, int(port)


class Database:
    """A connection to Valkey (https://valkey.io/topics/protocol/), made anew when it is lost.

    seed, if given, is called with the database after each connect: it may find an empty one.
    """

    def __init__(self, where, seed=None):
        self.where, self.seed = where, seed
        self.lock = threading.RLock()
        self.stream = None

    def __call__(self, *command):
        """Run a command and return its answer. Raises OSError when the database cannot be reached."""
        with self.lock:
            try:
                if self.stream is None:
                    self.connect()
                return self.ask(command)
            except OSError:
                self.stream = None
                raise

    def connect(self):
        self.stream = socket.create_connection(self.where, TIMEOUT).makefile("rwb")
        if self.seed:
            self.seed(self)

    def ask(self, command):
        parts = [str(part).encode() for part in command]
        self.stream.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        self.stream.flush()
        return self.answer()

    def answer(self):
        line = self.stream.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the database has closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.stream.read(int(rest) + 2)[:-2].decode()
        if kind == b"*":
            return [self.answer() for _ in range(int(rest))]
        return rest.decode()


class Bus:
    """The event bus: NATS (https://docs.nats.io/reference/reference-protocols/nats-protocol).

    handlers maps a subject to a function of the event. Instances of the same service share a queue group: each event
    reaches one of them. NATS keeps nothing: what is published while nobody listens is gone.
    """

    def __init__(self, where, service, handlers):
        self.where, self.service, self.handlers = where, service, handlers
        self.stream = None
        self.lock = threading.Lock()
        threading.Thread(target=self.listen, daemon=True).start()

    def publish(self, subject, event):
        """Send an event. Returns whether the bus could be reached."""
        body = json.dumps(event).encode()
        try:
            self.send(b"PUB %s %d\r\n%s\r\n" % (subject.encode(), len(body), body))
            return True
        except OSError as error:
            log("bus:", error)
            return False

    def send(self, data):
        with self.lock:
            if self.stream is None:
                raise ConnectionError("not connected")
            self.stream.write(data)
            self.stream.flush()

    def listen(self):
        while True:
            try:
                self.subscribe()
                while True:
                    self.receive()
            except (OSError, ValueError) as error:
                log("bus:", error)
            with self.lock:
                self.stream = None
            time.sleep(1)

    def subscribe(self):
        connection = socket.create_connection(self.where, TIMEOUT)
        connection.settimeout(300)  # the server asks PING every two minutes
        stream = connection.makefile("rwb")
        stream.readline()  # INFO
        stream.write(b'CONNECT {"verbose":false,"name":"%s"}\r\n' % self.service.encode())
        for number, subject in enumerate(self.handlers):
            stream.write(b"SUB %s %s %d\r\n" % (subject.encode(), self.service.encode(), number + 1))
        stream.flush()
        with self.lock:
            self.stream = stream
        log("bus: connected")

    def receive(self):
        line = self.stream.readline()
        if not line:
            raise ConnectionError("the bus has closed the connection")
        word, *rest = line.decode().split()
        if word == "PING":
            self.send(b"PONG\r\n")
        elif word == "MSG":
            subject, size = rest[0], int(rest[-1])
            body = self.stream.read(size + 2)[:size]
            self.handle(subject, json.loads(body))

    def handle(self, subject, event):
        log(subject, event)
        try:
            self.handlers[subject](event)
        except (OSError, RuntimeError) as error:
            log(subject, "failed:", error)


class NotFound(Exception):
    """Becomes the answer 404."""


class BadRequest(Exception):
    """Becomes the answer 400."""


def serve(routes, port=8080):
    """Answer HTTP for ever. routes maps ("GET", "products") to a function of the path's rest and the body."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def run(self):
            name, _, rest = self.path.strip("/").partition("/")
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if name == "healthz":
                return self.reply(200, {"ok": True})
            route = routes.get((self.command, name))
            if route is None:
                return self.reply(404, {"error": "nothing is at " + self.path})
            try:
                created = self.command == "POST"
                self.reply(201 if created else 200, route(rest, json.loads(body) if body else {}))
            except NotFound as error:
                self.reply(404, {"error": str(error)})
            except (BadRequest, json.JSONDecodeError) as error:
                self.reply(400, {"error": str(error)})
            except (OSError, RuntimeError) as error:
                log(self.command, self.path, error)
                self.reply(503, {"error": "%s: a service behind this one does not answer" % error})

        do_GET = do_POST = run

        def reply(self, status, value):
            text = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.send_header("X-Served-By", socket.gethostname())
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format, *args):
            if not self.path.startswith("/healthz"):
                log(self.command, self.path, args[1])

    log("listening on port", port)
    try:
        ThreadingHTTPServer(("", port), Handler).serve_forever()
    except KeyboardInterrupt:
        sys.exit(130)
