"""
A mail server that keeps what it takes, to be asked afterwards; real SMTP by aiosmtpd.

Every dialogue leaves a line in `attempts`; what came is in `offered`, what was accepted in
`messages`. A test may make it misbehave: `answer` is called with the address and the number of the
attempt at DATA's end and returns an SMTP reply, or "cut-before" or "cut-after" (the connection ends
before or after the message counts as taken, without a reply); `greet` is called with the address at
RCPT. Both may be coroutines, so that one dialogue waits while others go on. `turn_away` has the
reply to everybody at "greeting", "EHLO", "AUTH" or "MAIL", and `turned_away` counts whom it met.
`hesitate` says how many seconds go by between taking a message and saying so.

    with MailServer() as mail:
        message = mail.wait_for("ana@example.org", subject="adresse")
        token = mail.links(message)[0]
"""
import asyncio
import email
import email.policy
import inspect
import re
import threading
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from harness.patience import PATIENCE
from harness.ports import free_port


class Message:
    """One accepted message: its envelope, its bytes and what a mail reader makes of them."""

    def __init__(self, sender, recipients, raw):
        self.sender = sender
        self.recipients = recipients
        self.recipient = recipients[0]
        self.raw = raw
        self.parsed = email.message_from_bytes(raw, policy=email.policy.default)
        self.at = time.time()
        self.is_settled = False  # the client said QUIT afterwards, so it knew that this was taken

    @property
    def subject(self):
        return self.parsed["Subject"]

    @property
    def message_id(self):
        return self.parsed["Message-ID"]

    def body(self, kind="plain"):
        part = self.parsed.get_body(preferencelist=(kind,))
        return part.get_content()

    def links(self):
        return re.findall(r"https?://[^\s<>\"]+", self.body())


class _Dialogue(SMTP):
    """aiosmtpd's, and a door that may be closed."""

    def data_received(self, data):
        message = getattr(self.session, "message", None)
        if message is not None and data == b"QUIT\r\n":  # here, as who hangs up at once is heard no further
            message.is_settled = True
        super().data_received(data)

    async def _refused(self, stage):
        reply = self.event_handler.turn_away.get(stage)
        if reply:
            self.event_handler.turned_away += 1
            await super().push(reply)
        return reply

    async def push(self, status):
        greets = isinstance(status, str) and status.startswith("220 ")
        if not greets or not await self._refused("greeting"):
            await super().push(status)

    async def smtp_EHLO(self, hostname):
        await self._refused("EHLO") or await super().smtp_EHLO(hostname)

    async def smtp_HELO(self, hostname):
        await self._refused("EHLO") or await super().smtp_HELO(hostname)

    async def smtp_AUTH(self, arg):
        await self._refused("AUTH") or await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg):
        await self._refused("MAIL") or await super().smtp_MAIL(arg)


async def _said(reply):
    return await reply if inspect.isawaitable(reply) else reply


class MailServer:
    def __init__(self):
        self.messages = []
        self.offered = []
        self.attempts = []
        self.answer = None
        self.greet = None
        self.hesitate = None
        self.turn_away = {}
        self.turned_away = 0
        self._lock = threading.Lock()
        self.port = free_port()
        self.url = f"smtp://127.0.0.1:{self.port}"
        self._controller = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=PATIENCE)
        self._controller.factory = lambda: _Dialogue(
            self, enable_SMTPUTF8=False, auth_require_tls=False,
            authenticator=lambda *_: AuthResult(success=True))
        self._controller.start()

    def stop(self):
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    async def handle_RCPT(self, server, session, envelope, address, options):
        reply = await _said(self.greet(address)) if self.greet else "250 known"
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server, session, envelope):
        recipient = envelope.rcpt_tos[0]
        message = Message(envelope.mail_from, list(envelope.rcpt_tos), envelope.original_content)
        session.message = message
        with self._lock:
            self.attempts.append(recipient)
            self.offered.append(message)
            number = self.attempts.count(recipient)
        reply = await _said(self.answer(recipient, number)) if self.answer else "250 taken"
        if reply == "cut-before":
            server.transport.abort()
            return "421 gone"
        if reply.startswith("2") or reply == "cut-after":
            with self._lock:
                self.messages.append(message)
        if self.hesitate:
            await asyncio.sleep(self.hesitate())
        if reply == "cut-after":
            server.transport.abort()
            return "421 gone"
        return reply

    def to(self, recipient):
        with self._lock:
            return [m for m in self.messages if m.recipient.lower() == recipient.lower()]

    def wait_for(self, recipient, subject="", after=0, seconds=PATIENCE):
        """The first message to that address whose subject has the word in it, beyond `after` of them."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [m for m in self.to(recipient) if subject in m.subject]
            if len(found) > after:
                return found[after]
            time.sleep(0.05)
        raise AssertionError(f"no mail to {recipient} with {subject!r}; there are "
                             f"{[(m.recipient, m.subject) for m in self.messages]}")
