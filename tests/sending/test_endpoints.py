"""Where a channel may connect to: forty addresses that it may not, and none of them hears a byte."""

import http.server
import socket
import threading

import httpcore
import httpx
import pytest
from arrears.errors import EndpointRefusedError
from arrears.sending.endpoints import Endpoint, all_public, checked_address

ALLOWED = {"sms.example:443", "api.example:8443"}
REFUSED = [
    "http://sms.example/",
    "http://169.254.169.254/latest/meta-data",
    "https://169.254.169.254/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::1]/",
    "https://[fe80::1%25eth0]/",
    "https://0x7f.1/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://017700000001/",
    "https://127.1/",
    "https://127.0.0.1/",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://192.168.1.1/",
    "https://172.16.0.1/",
    "https://100.64.0.1/",
    "https://localhost/",
    "https://sms.example@evil.example/",
    "https://user:pw@sms.example/",
    "https://evil.example/",
    "https://sms.example.evil.example/",
    "https://evil.example#sms.example",
    "https://evil.example?sms.example",
    "https://sms.example:8443/",
    "https://sms.example:99999/",
    "https://sms.example:22/",
    "https://sms.example /",
    "https://sms.example\\@evil.example/",
    "https:\\\\sms.example/",
    "https://sms%2eexample/",
    "https://ｓms.example/",  # noqa: RUF001  as an attacker writes it
    "https://sms。example/",
    "ftp://sms.example/",
    "file:///etc/passwd",
    "gopher://sms.example:443/",
    "dict://127.0.0.1:11211/",
    "//sms.example/",
    "https://",
    "javascript:alert(1)",
    "https://sms.example/?to=http://127.0.0.1",
    "https://sms.example\r\nHost: evil.example/",
]


def test_there_are_forty_of_them():
    assert len(set(REFUSED)) >= 40


@pytest.mark.parametrize("url", REFUSED)
def test_url_is_refused(url):
    with pytest.raises(EndpointRefusedError):
        Endpoint.of(url, ALLOWED)


@pytest.mark.parametrize("url", ["https://sms.example", "https://sms.example/v1/", "https://api.example:8443/x"])
def test_url_on_the_list_is_taken(url):
    assert Endpoint.of(url, ALLOWED).base == url.rstrip("/")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104  refused
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "ff02::1",
        "fec0::1",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b:1::7f00:1",
        "1::5efe:7f00:1",
        "2606::5efe:7f00:1",
        "2606::200:5efe:a00:1",
        "3fff::1",
        "5f00::1",
        "2001:0:a00:1::1",
    ],
)
def test_private_address_is_told_from_a_public_one(address):
    assert not all_public([address])
    assert not all_public(["93.184.216.34", address])


def test_public_addresses_are():
    assert all_public(["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
    assert all_public(["::ffff:93.184.216.34", "64:ff9b::5db8:d822", "2002:5db8:d822::1", "2606::5efe:5db8:d822"])


@pytest.fixture
def listener():
    """A server of this machine that counts who connects."""
    heard = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append(self.path)
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}/private")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], heard
    server.shutdown()
    server.server_close()


def test_name_that_leads_inside_is_not_connected_to(listener, monkeypatch):
    port, heard = listener
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: inside)
    endpoint = Endpoint.of(f"https://sms.example:{port}", {f"sms.example:{port}"})

    with endpoint.client(1.0) as client, pytest.raises(httpx.ConnectError):
        client.get(endpoint.base)

    assert heard == []


def test_name_that_changes_its_answer_gains_nothing(monkeypatch):
    answers = iter(["93.184.216.34", "127.0.0.1"])
    asked = []

    def rebinding(*_, **__):
        asked.append(1)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), 443))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)

    assert checked_address("sms.example", 443, frozenset()) == "93.184.216.34"
    with pytest.raises(httpcore.ConnectError):
        checked_address("sms.example", 443, frozenset())
    assert len(asked) == 2


def test_redirect_is_not_followed(listener):
    port, heard = listener
    place = f"127.0.0.1:{port}"
    endpoint = Endpoint.of(f"http://{place}", {place}, {place})

    with endpoint.client(1.0) as client:
        assert client.get(f"{endpoint.base}/first").status_code == 302

    assert heard == ["/first"]


def test_proxy_of_the_environment_is_not_used(listener, monkeypatch):
    port, heard = listener
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    place = f"127.0.0.1:{port}"

    with Endpoint.of(f"http://{place}", {place}, {place}).client(1.0) as client:
        client.get(f"http://{place}/direct")

    assert heard == ["/direct"]
