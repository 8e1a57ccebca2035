"""A TCP proxy before a real PostgreSQL that loses the answer to, or the whole of, a COMMIT."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

CHUNK = 1 << 16


class CommitCutter:
    """Cuts the connection at the COMMIT of a transaction that sent ``marker``.

    Args:
        port: Port of the server on loopback.
        marker: Bytes by which the transaction is known.
        strikes: For each cut in turn, ``answer lost`` (the server gets the COMMIT) or ``never arrived``; more pass.
    """

    def __init__(self, port: int, marker: bytes, strikes: Sequence[Literal["answer lost", "never arrived"]]) -> None:
        self.cuts = 0
        self._server = ("127.0.0.1", port)
        self._marker = marker
        self._strikes = list(strikes)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more; connections that are open stay."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
            threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        is_marked = False
        while data := _received(client):
            is_marked = is_marked or self._marker in data
            if is_marked and b"COMMIT" in data and self._strikes:
                self.cuts += 1
                is_delivered = self._strikes.pop(0) == "answer lost"
                _end(client)
                if is_delivered:
                    server.sendall(data)
                    threading.Event().wait(0.3)  # the server is done before it learns that nobody listens
                break
            server.sendall(data)
        _end(client)
        _end(server)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        while data := _received(server):
            try:
                client.sendall(data)
            except OSError:
                break
        _end(client)


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(CHUNK)
    except OSError:
        return b""


def _end(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        end.close()
