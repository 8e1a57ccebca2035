"""E-mail over SMTP. The protocol can tell nothing afterwards: an unknown outcome waits for a person.

A refusal before the text was handed over is definite, whatever its code. From the text's first byte to the server's
last word everything is unknown, except that word itself. A server that takes a message and then says no is believed:
that is SMTP's own hole (RFC 1047), named in docs/how-to/sending.md.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING

import httpcore

from arrears.errors import ClaimTooOldError
from arrears.sending.endpoints import checked_address
from arrears.sending.values import ADDRESS_DEAD, Capabilities, Found, LookUp, Outcome, Reply, Settles

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

    from arrears.sending.values import Message

STEPS = 12  # connect, greeting, EHLO, STARTTLS, EHLO, two of a login, MAIL, RCPT, DATA, the text, the answer
ANSWER_BYTES = 64 * 1024
ENCODED = "=?"  # of RFC 2047; the library decodes it in what it is given, line breaks included
TEMPORARY, PERMANENT, UNHEARD_OF = 400, 500, 600
START_MAIL, COMPLETED = 354, 250
NO_SUCH_ADDRESS = (b"5.1.1 ", b"5.1.2 ", b"5.1.3 ", b"5.1.6 ", b"5.1.10 ")


@dataclass(frozen=True)
class Smtp:
    """One mail server.

    Attributes:
        host: Server.
        port: Its port.
        sender: Our address, by which bounces come back.
        domain: Right side of every Message-ID.
        unsubscribe: URL for one-click unsubscription, with ``{reference}``.
        timeout: Seconds for each step.
        is_encrypted: Whether STARTTLS is required.
        user: Login; empty for none.
        private: Servers inside the network that may be connected to, as ``host:port``.
    """

    host: str
    port: int
    sender: str
    domain: str
    unsubscribe: str
    timeout: float = 5.0
    is_encrypted: bool = True
    user: str = ""
    password: str = ""
    code: str = "email"
    provider: str = "smtp"
    is_sandbox: bool = False
    private: frozenset[str] = frozenset()

    @property
    def capabilities(self) -> Capabilities:
        """Nothing can be looked up."""
        return Capabilities(Settles.BY_PERSON, seconds=STEPS * self.timeout, is_sandbox=self.is_sandbox)

    def deliver(self, message: Message, before_write: Callable[[], None]) -> Outcome:
        """Hand over one mail; see ``values.Channel``."""
        try:
            mail = self.mail(message)
        except ValueError:
            return Outcome(Reply.NEVER, "address_not_usable")
        try:
            server = _Server(self.private, self.host, self.port, self.domain, self.timeout)
        except (OSError, smtplib.SMTPException, httpcore.ConnectError):
            return Outcome(Reply.NOT_NOW, "smtp_unreachable", is_outage=True)
        try:
            return self._transact(server, message.address.reveal(), mail, before_write)
        finally:
            server.end.cancel()
            with suppress(OSError, smtplib.SMTPException):
                server.close()

    def _transact(self, server: smtplib.SMTP, address: str, mail: bytes, before_write: Callable[[], None]) -> Outcome:
        try:
            refusal = self._ready(server, address)
        except (OSError, smtplib.SMTPException):
            return Outcome(Reply.NOT_NOW, "smtp_before_text", is_outage=True)
        if refusal is not None:
            return refusal
        try:
            before_write()
        except ClaimTooOldError:
            return Outcome(Reply.GIVEN_UP, "claim_too_old")
        try:
            server.send(mail)
            code, _ = server.getreply()
        except (OSError, smtplib.SMTPException):
            return Outcome(Reply.UNKNOWN, "smtp_no_answer_to_text", is_outage=True)
        if code != COMPLETED:
            return _refused(code, "smtp_text")
        with suppress(OSError, smtplib.SMTPException):
            server.quit()
        return Outcome(Reply.SENT, "smtp_accepted", message_id(message_reference(mail), self.domain))

    def _ready(self, server: smtplib.SMTP, address: str) -> Outcome | None:
        """Everything before the text; the refusal where there is one."""
        server.ehlo_or_helo_if_needed()
        if self.is_encrypted:
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        if self.user:
            server.login(self.user, self.password)
        for step, say, what in (
            ("smtp_sender", server.mail, self.sender),
            ("smtp_recipient", server.rcpt, address),
            ("smtp_data", server.docmd, "DATA"),
        ):
            code, words = say(what)
            if code not in (COMPLETED, 251, START_MAIL):
                return _refused(code, step, words)
        return None

    def mail(self, message: Message) -> bytes:
        """The whole mail, dots doubled and the last one added.

        Raises:
            ValueError: A header would hold a line break, or be another one when it is decoded; or the address is none.
        """
        address, subject = message.address.reveal(), message.content.subject.reveal()
        if parseaddr(address)[1] != address or "@" not in address or not address.isascii():
            raise ValueError("no mail address")
        if ENCODED in address or ENCODED in subject:
            raise ValueError("an encoded word, which the library would decode")
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self.sender
        mail["To"] = address
        mail["Subject"] = subject
        mail["Message-ID"] = message_id(message.reference, self.domain)
        mail["X-Arrears-Reference"] = message.reference
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Auto-Submitted"] = "auto-generated"
        mail["List-Unsubscribe"] = f"<{self.unsubscribe.format(reference=message.reference)}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        mail.set_content(message.content.body.reveal())
        text = mail.as_bytes()
        head = text.partition(b"\r\n\r\n")[0].split(b"\r\n")
        if [line.split(b":")[0].decode() for line in head if not line.startswith((b" ", b"\t"))] != mail.keys():
            raise ValueError("a header that is not ours")
        quoted = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in text.split(b"\r\n"))
        return quoted.removesuffix(b"\r\n") + b"\r\n.\r\n"

    def look_up(self, reference: str) -> LookUp:
        """SMTP cannot tell."""
        del reference
        return LookUp(Found.NO_ANSWER)

    def close(self) -> None:
        """Nothing is kept open."""


class _Server(smtplib.SMTP):
    """Connects to the address that was checked, never to the name again; reads so much and so long, and no more."""

    def __init__(self, private: frozenset[str], host: str, port: int, domain: str, timeout: float) -> None:
        self._private = private
        # Each read has its timeout; a server that sends a byte now and then would outlast them all.
        self.end = threading.Timer(STEPS * timeout, self._hang_up)
        self.end.daemon = True
        self.end.start()
        try:
            super().__init__(host, port, local_hostname=domain, timeout=timeout)
        except BaseException:
            self.end.cancel()
            raise

    def _hang_up(self) -> None:
        with suppress(OSError):
            if self.sock is not None:
                self.sock.shutdown(socket.SHUT_RDWR)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        # Set before the greeting is read, so that it can be hung up on.
        self.sock = socket.create_connection((checked_address(host, port, self._private), port), timeout)
        return self.sock

    def getreply(self) -> tuple[int, bytes]:
        """As the base class does, of an answer that has an end."""
        if self.file is None and self.sock is not None:
            self.file = _Bounded(self.sock.makefile("rb"))
        return super().getreply()


class _Bounded:
    """What a server says, as far as an honest one would."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self._left = ANSWER_BYTES

    def readline(self, size: int) -> bytes:
        """A line, unless the answers together have become too long."""
        line = self._file.readline(size)
        self._left -= len(line)
        if self._left < 0:
            raise OSError("answers too long")
        return line

    def close(self) -> None:
        """Close it."""
        self._file.close()


def message_id(reference: str, domain: str) -> str:
    """The same for the same attempt: a mail server that has it twice can tell."""
    return f"<{reference}@{domain}>"


def message_reference(mail: bytes) -> str:
    """The reference a mail carries."""
    [line] = [line for line in mail.split(b"\r\n\r\n")[0].split(b"\r\n") if line.startswith(b"X-Arrears-Reference: ")]
    return line.partition(b": ")[2].decode()


def _refused(code: int, step: str, words: bytes = b"") -> Outcome:
    """A definite no; to the text only what is one by its number: anything else says nothing about where the text is.

    Of a recipient, 5.1.x (RFC 3463) says that there is no such address; any other 5xx may be about us, or a policy.
    """
    if step == "smtp_recipient" and code >= PERMANENT and words.startswith(NO_SUCH_ADDRESS):
        return Outcome(Reply.NEVER, ADDRESS_DEAD)
    if step == "smtp_text" and not TEMPORARY <= code < UNHEARD_OF:
        return Outcome(Reply.UNKNOWN, "smtp_answer_unreadable", is_outage=True)
    reply = Reply.NEVER if code >= PERMANENT and step == "smtp_recipient" else Reply.NOT_NOW
    return Outcome(reply, f"{step}_{code}", is_outage=step != "smtp_recipient")
