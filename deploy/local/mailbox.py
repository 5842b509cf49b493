#!/usr/bin/python3
"""
mailbox.py HOST PORT FOLDER - the development mailbox: takes every mail over SMTP and keeps it.

A mail becomes FOLDER/<number>.eml, complete or not at all, with the envelope in two fields at its
top: X-Envelope-From and X-Envelope-To. It is acknowledged once it is on disk. The oldest go when
there are too many. The gateway shows the folder under /dev/mailbox. Not a mail server: it delivers
nothing, believes every sender, and listens on this machine alone unless told otherwise.
"""
import asyncio
import os
import pathlib
import signal
import sys

from aiosmtpd.controller import Controller

MESSAGES_LIMIT = 1000
READY_SECONDS = 60
SIZE_LIMIT = 10 * 1024 * 1024


def _one_line(address):
    return "".join(" " if character in "\r\n\0" else character for character in address)


class Mailbox:
    """aiosmtpd's handler."""

    def __init__(self, folder):
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        numbers = self._numbers()
        self._next = numbers[-1] + 1 if numbers else 1

    def _numbers(self):
        return sorted(int(path.stem) for path in self._folder.glob("*.eml") if path.stem.isdigit())

    async def handle_DATA(self, _server, _session, envelope):
        try:
            self._keep(envelope)
        except OSError as error:
            print(f"mailbox: cannot keep a mail: {error}", flush=True)
            return "452 4.3.1 The mailbox is full or broken"
        return "250 2.0.0 Kept"

    def _keep(self, envelope):
        number = self._next
        self._next += 1
        head = f"X-Envelope-From: {_one_line(envelope.mail_from or '')}\r\n"
        head += f"X-Envelope-To: {', '.join(_one_line(to) for to in envelope.rcpt_tos)}\r\n"
        unfinished = self._folder / f".{number}.unfinished"
        with open(unfinished, "wb") as file:
            file.write(head.encode("utf-8", "surrogateescape") + envelope.original_content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self._folder / f"{number}.eml")
        self._forget_oldest()
        print(f"mailbox: {number}.eml to {_one_line(' '.join(envelope.rcpt_tos))}", flush=True)

    def _forget_oldest(self):
        for number in self._numbers()[:-MESSAGES_LIMIT]:
            (self._folder / f"{number}.eml").unlink(missing_ok=True)


async def serve(host, port, folder):
    controller = Controller(Mailbox(folder), hostname=host, port=port, data_size_limit=SIZE_LIMIT,
                            decode_data=False, enable_SMTPUTF8=True, ident="Causerie development mailbox", ready_timeout=READY_SECONDS)
    controller.start()
    print(f"mailbox: takes mail on {host}:{port} into {folder}", flush=True)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    controller.stop()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])))
