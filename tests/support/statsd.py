"""A StatsD server on loopback: what the metrics tests listen with."""

import re
import socket
import threading


class StatsdListener(threading.Thread):
    """A StatsD server: keeps every datagram that comes in."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.lines = []

    @property
    def port(self):
        return self.socket.getsockname()[1]

    def run(self):
        while datagram := self.socket.recv(65535):
            self.lines.extend(datagram.decode().splitlines())

    def end(self):
        self.socket.sendto(b"", self.socket.getsockname())
        self.join(timeout=5)
        self.socket.close()

    def values(self, name):
        """Metric values by their tags, of one of our names."""
        found = (re.fullmatch(rf"airflow\.{re.escape(name)}((?:,[^:]+)?):([^|]+)\|.*", line) for line in self.lines)
        return {frozenset(match[1].strip(",").split(",")): float(match[2]) for match in found if match}
