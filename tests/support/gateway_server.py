"""A message gateway in a process of its own, which fails on purpose: ``python -m support.gateway_server PORT_FILE``.

It keeps what it accepted under our reference, shows it by look-up after a lag, and, asked to, takes a key twice and
delivers once within a window. ``GET /_log`` says everything it ever delivered, ``POST /_mode`` changes how it fails.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import socket
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SECRET = b"gateway secret of the tests"
MODE = {
    "refuse": 0.0,  # 503: surely not accepted
    "final": 0.0,  # 422: surely not accepted, ever
    "invalid": 0.0,  # 422, and says that there is no such number
    "hang": 0.0,  # accepts, then answers after everybody has gone
    "reset": 0.0,  # accepts, then resets the connection
    "fail": 0.0,  # accepts, then says 500
    "fail_before": 0.0,  # says 500 and has not accepted
    "hang_seconds": 2.0,
    "lag_seconds": 0.0,
    "window_seconds": 0.0,  # 0: does not de-duplicate
    "acted": 0.0,  # says 409 to whoever wants a contact taken back
    "seed": 7,
}
LOCK = threading.Lock()
KEYS: dict[str, dict] = {}
DELIVERED: list[dict] = []
REQUESTS: list[float] = []
TAKEN_BACK: list[str] = []
DICE = random.Random(7)  # noqa: S311  the same failures every time


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        if self.path == "/_log":
            with LOCK:
                self._answer(200, {"delivered": DELIVERED, "requests": REQUESTS, "taken_back": TAKEN_BACK})
            return
        if not self._is_signed(b""):
            return
        reference = self.path.rpartition("/")[2]
        with LOCK:
            found = KEYS.get(reference)
            is_seen = found and time.monotonic() - found["at"] >= MODE["lag_seconds"]
        self._answer(*((200, {"id": found["id"]}) if is_seen else (404, {})))

    def do_DELETE(self):
        """Forget a contact that nobody has acted on."""
        if not self._is_signed(b""):
            return
        reference = self.path.rpartition("/")[2]
        with LOCK:
            if DICE.random() < MODE["acted"]:
                self._answer(409, {})
            elif reference in KEYS:
                TAKEN_BACK.append(reference)
                self._answer(204, {})
            else:
                self._answer(404, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/_mode":
            MODE.update(json.loads(body))
            DICE.seed(MODE["seed"])
            self._answer(200, MODE)
            return
        if self._is_signed(body):
            self._message(json.loads(body), hashlib.sha256(body).hexdigest())

    def _is_signed(self, body):
        """Whether the signature is that of this very request; else it is refused."""
        said = f"{self.headers['X-Arrears-Timestamp']}.{self.command}.{self.path}.".encode() + body
        is_ours = hmac.compare_digest(
            hmac.new(SECRET, said, hashlib.sha256).hexdigest(), self.headers["X-Arrears-Signature"] or ""
        )
        if not is_ours:
            self._answer(401, {})
        return is_ours

    def _message(self, message, digest):
        with LOCK:
            now = time.monotonic()
            REQUESTS.append(time.time())
            dice = DICE.random()
            for name, status in (("refuse", 503), ("final", 422), ("invalid", 422), ("fail_before", 500)):
                if dice < MODE[name]:
                    self._answer(status, {"status": "invalid"} if name == "invalid" else {})
                    return
                dice -= MODE[name]
            known = KEYS.get(message["reference"])
            if known and MODE["window_seconds"] and now - known["at"] < MODE["window_seconds"]:
                self._answer(*((200, {"id": known["id"]}) if known["digest"] == digest else (409, {})))
                return
            identifier = f"g-{len(DELIVERED)}"
            KEYS[message["reference"]] = {"id": identifier, "at": now, "digest": digest}
            DELIVERED.append({**message, "id": identifier, "at": time.time()})
        if dice < MODE["hang"]:
            time.sleep(MODE["hang_seconds"])
        dice -= MODE["hang"]
        if 0 <= dice < MODE["reset"]:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.connection.close()
            self.close_connection = True
            return
        dice -= MODE["reset"]
        self._answer(*((500, {}) if 0 <= dice < MODE["fail"] else (200, {"id": identifier})))

    def _answer(self, status, content):
        body = json.dumps(content).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def finish(self):
        with suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    """Quiet about clients that were killed."""

    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, *_):
        pass


def main():
    server = Server(("127.0.0.1", 0), Handler)
    Path(sys.argv[1]).write_text(str(server.server_address[1]), encoding="utf-8")
    server.serve_forever()


if __name__ == "__main__":
    main()
