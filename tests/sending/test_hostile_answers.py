"""Servers that answer with too much, too slowly, or with nonsense: each is unknown in time, and memory stays small."""

import socket
import threading
import time
import tracemalloc
from contextlib import contextmanager, suppress

import pytest
from arrears.sending.channels.gateway import Gateway
from arrears.sending.channels.smtp import STEPS, Smtp
from arrears.sending.endpoints import EXCHANGE, Endpoint
from arrears.sending.values import Content, Found, Message, Private, Reply, Settles

TIMEOUT = 0.15
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ID = b'{"id": "g-1"}'


@contextmanager
def server(answer):
    """A server whose every connection is answered by the function, once its request is in."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    is_over = threading.Event()

    def serve():
        while not is_over.is_set():
            with suppress(TimeoutError):
                connection, _ = listener.accept()
                threading.Thread(target=converse, args=(connection,), daemon=True).start()

    def converse(connection):
        with connection, suppress(OSError):
            answer(connection, is_over)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    is_over.set()
    thread.join()
    listener.close()


def message(channel="sms", to="+1 555 0100"):
    return Message("step-1", 1, channel, Private(to), Content("t@1/en", Private("s"), Private("text")))


def drip(connection, is_over, *parts, forever=b"x"):
    for part in parts:
        connection.sendall(part)
    while not is_over.is_set():
        connection.sendall(forever)
        time.sleep(TIMEOUT / 3)


def flood(connection, is_over, *parts, forever=b"x" * 65536):
    for part in parts:
        connection.sendall(part)
    while not is_over.is_set():
        connection.sendall(forever)


ANSWERS = {
    "status line that drips": drip,
    "headers that drip": lambda *c: drip(*c, OK, forever=b"X-More: x\r\n"),
    "body that drips": lambda *c: drip(*c, OK, b"Content-Length: 100000\r\n\r\n"),
    "chunks that drip": lambda *c: drip(*c, OK, b"Transfer-Encoding: chunked\r\n\r\n", forever=b"1\r\nx\r\n"),
    "silence": lambda _connection, is_over: is_over.wait(),
    "status line without end": flood,
    "headers without end": lambda *c: flood(*c, OK, forever=b"X-More: x\r\n" * 5000),
    "one endless header": lambda *c: flood(*c, OK, b"X-More: "),
    "body without end": lambda *c: flood(*c, OK, b"\r\n"),
    "body of a gigabyte": lambda *c: flood(*c, OK, b"Content-Length: 1073741824\r\n\r\n"),
    "chunks without end": lambda *c: flood(
        *c, OK, b"Transfer-Encoding: chunked\r\n\r\n", forever=b"10000\r\n" + b"x" * 65536 + b"\r\n"
    ),
    "100 Continue without end": lambda *c: flood(*c, forever=b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "a body a byte too long": lambda c, _: c.sendall(OK + b"Content-Length: 65537\r\n\r\n" + b" " * 65537),
    "gzip that says it is JSON": lambda c, _: c.sendall(
        OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b"
    ),
    "deep JSON": lambda c, _: c.sendall(OK + b"Content-Length: 60000\r\n\r\n" + b"[" * 60000),
    "an identifier a mile long": lambda c, _: c.sendall(
        OK + b"Content-Length: 1010\r\n\r\n" + b'{"id": "' + b"x" * 1000 + b'"}'
    ),
    "nonsense": lambda c, _: c.sendall(b"\x00\xff" * 2000),
}


def after_request(answer):
    def converse(connection, is_over):
        connection.recv(65536)
        answer(connection, is_over)

    return converse


@pytest.mark.parametrize("name", ANSWERS)
def test_gateway_that_answers_so_is_unknown_in_time_and_in_little_memory(name):
    with server(after_request(ANSWERS[name])) as port:
        place = f"127.0.0.1:{port}"
        endpoint = Endpoint.of(f"http://{place}", {place}, {place})
        channel = Gateway("sms", "test", endpoint, b"s" * 16, Settles.BY_LOOK_UP, timeout=TIMEOUT)
        tracemalloc.start()
        began = time.monotonic()

        outcome, found = channel.deliver(message(), lambda: None), channel.look_up("r")

        seconds = time.monotonic() - began
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        channel.close()
    assert outcome.reply is Reply.UNKNOWN
    assert found.found in (Found.NO_ANSWER, Found.ACCEPTED)
    assert found.provider_reference is None
    assert seconds < 2 * (EXCHANGE + 2) * TIMEOUT
    assert peak < 8 * 1024**2


GREETING = b"220 mail.example\r\n"


def smtp_dialogue(hostile, at):
    """A server that is polite until the step, and then hostile."""
    polite = {b"EHLO": b"250 hello\r\n", b"MAIL": b"250 ok\r\n", b"RCPT": b"250 ok\r\n", b"DATA": b"354 go on\r\n"}

    def converse(connection, is_over):
        if at == "GREETING":
            hostile(connection, is_over)
            return
        connection.sendall(GREETING)
        with connection.makefile("rb") as lines:
            is_text = False
            for line in lines:
                word = b"TEXT" if is_text and line == b".\r\n" else line[:4].upper()
                if is_text and word != b"TEXT":
                    continue
                if word == at.encode():
                    hostile(connection, is_over)
                    return
                connection.sendall(polite.get(word, b"250 ok\r\n"))
                is_text = word == b"DATA"

    return converse


SMTP_ANSWERS = {
    "drips": lambda *c: drip(*c, forever=b"2"),
    "drips lines": lambda *c: drip(*c, forever=b"250-x\r\n"),
    "has no end": lambda *c: flood(*c, forever=b"250-" + b"x" * 500 + b"\r\n"),
    "is one endless line": lambda *c: flood(*c, forever=b"2" * 65536),
    "is silence": lambda _connection, is_over: is_over.wait(),
    "is no number": lambda c, _: c.sendall(b"OK whatever\r\n"),
    "is a number nobody knows": lambda c, _: c.sendall(b"999 well\r\n"),
}


@pytest.mark.parametrize("name", SMTP_ANSWERS)
@pytest.mark.parametrize(
    ("at", "reply"), [("GREETING", Reply.NOT_NOW), ("RCPT", Reply.NOT_NOW), ("TEXT", Reply.UNKNOWN)]
)
def test_mail_server_that_answers_so_is_left_in_time_and_in_little_memory(name, at, reply):
    if at == "RCPT" and name == "is a number nobody knows":
        reply = Reply.NEVER  # 999 to a recipient is a no, and the text was not written
    with server(smtp_dialogue(SMTP_ANSWERS[name], at)) as port:
        unsubscribe = "https://b.example/{reference}"
        private = frozenset({f"127.0.0.1:{port}"})
        channel = Smtp(
            "127.0.0.1", port, "a@b.example", "b.example", unsubscribe, 0.1, is_encrypted=False, private=private
        )
        tracemalloc.start()
        began = time.monotonic()

        outcome = channel.deliver(message("email", "a@c.example"), lambda: None)

        seconds = time.monotonic() - began
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert outcome.reply is reply
    assert seconds < (STEPS + 5) * 0.1
    assert peak < 8 * 1024**2
