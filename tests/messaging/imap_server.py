"""A small IMAP4rev1 server on loopback with one folder, as strict as its clients need."""

from __future__ import annotations

import re
import socketserver
import sys
import threading
from dataclasses import dataclass, field
from typing import Any

LOGIN, PASSWORD = "support@company.com", 'pass "word'


@dataclass
class Kept:
    """A mail in the folder."""

    uid: int
    raw: bytes
    flags: set[str] = field(default_factory=set)


class ImapServer(socketserver.ThreadingTCPServer):
    """Serves `INBOX`; what clients have sent stands in `commands`."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mails: list[Kept] = []
        self.uid_validity = 1
        self.next_uid = 1
        self.can_idle = True
        self.commands: list[str] = []
        self.sizes: dict[int, int] = {}
        self.idling: set[_Session] = set()
        self.lock = threading.RLock()
        self.someone_idles = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def deliver(self, raw: bytes | str) -> Kept:
        """A mail comes in; those who wait are told."""
        with self.lock:
            kept = Kept(self.next_uid, raw.encode() if isinstance(raw, str) else raw)
            self.next_uid += 1
            self.mails.append(kept)
            for session in self.idling:
                session.say(f"* {len(self.mails)} EXISTS")
        return kept

    def renumber(self) -> None:
        """What happens to a folder that is restored: all mails get new numbers."""
        with self.lock:
            self.uid_validity += 1
            for number, kept in enumerate(self.mails, 1):
                kept.uid = number
            self.next_uid = len(self.mails) + 1


class _Session(socketserver.StreamRequestHandler):
    server: ImapServer
    disable_nagle_algorithm = True

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        self.writable = False
        self.say("* OK here")
        while line := self.rfile.readline():
            text = line.decode(errors="replace").rstrip("\r\n")
            tag, _, command = text.partition(" ")
            self.server.commands.append(re.sub(r"^LOGIN .*", "LOGIN", command))
            name = command.split(" ")[0].upper()
            if name == "UID":
                name = "UID_" + command.split(" ")[1].upper()
            with self.server.lock if name != "IDLE" else threading.Lock():
                result = getattr(self, f"do_{name.lower()}", self.unknown)(command)
            self.say(f"{tag} {result}")
            if name == "LOGOUT":
                return

    def finish(self) -> None:
        self.server.idling.discard(self)
        super().finish()

    def unknown(self, command: str) -> str:
        return f"BAD {command}"

    def do_capability(self, _: str) -> str:
        self.say("* CAPABILITY IMAP4rev1" + (" IDLE" if self.server.can_idle else ""))
        return "OK done"

    def do_login(self, command: str) -> str:
        escaped = PASSWORD.replace('"', '\\"')
        return "OK in" if command == f'LOGIN "{LOGIN}" "{escaped}"' else "NO wrong"

    def do_noop(self, _: str) -> str:
        return "OK done"

    def do_logout(self, _: str) -> str:
        self.say("* BYE")
        return "OK bye"

    def do_status(self, command: str) -> str:
        server = self.server
        values = {
            "UIDVALIDITY": server.uid_validity,
            "UIDNEXT": server.next_uid,
            "MESSAGES": len(server.mails),
        }
        asked = command[command.index("(") + 1 : -1].split()
        self.say('* STATUS "INBOX" (' + " ".join(f"{name} {values[name]}" for name in asked) + ")")
        return "OK done"

    def do_select(self, _: str) -> str:
        self.writable = True
        self.say(f"* {len(self.server.mails)} EXISTS")
        self.say(f"* OK [UIDVALIDITY {self.server.uid_validity}]")
        return "OK [READ-WRITE] done"

    def do_examine(self, command: str) -> str:
        self.do_select(command)
        self.writable = False
        return "OK [READ-ONLY] done"

    def do_uid_search(self, command: str) -> str:
        uids = [kept.uid for kept in self.server.mails]
        if found := re.search(r"UID (\d+):\*", command.split(" ", 2)[2]):
            # As the standard has it: the last mail belongs to n:* whatever n is.
            first = int(found[1])
            uids = [uid for uid in uids if uid >= min(first, max(uids))]
        self.say("* SEARCH " + " ".join(map(str, uids)))
        return "OK done"

    def do_uid_fetch(self, command: str) -> str:
        _, _, wanted, what = command.split(" ", 3)
        uids = {int(one) for one in wanted.split(",")}
        for number, kept in enumerate(self.server.mails, 1):
            if kept.uid not in uids:
                continue
            size = self.server.sizes.get(kept.uid, len(kept.raw))
            if "BODY" not in what:
                self.say(f"* {number} FETCH (UID {kept.uid} RFC822.SIZE {size})")
                continue
            head = kept.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            body = head if "HEADER" in what else kept.raw
            if "PEEK" not in what:
                kept.flags.add("\\Seen")
            self.say(f"* {number} FETCH (UID {kept.uid} BODY[] {{{len(body)}}}")
            self.wfile.write(body + b")\r\n")
        return "OK done"

    def do_uid_store(self, command: str) -> str:
        if not self.writable:
            return "NO read-only"
        _, _, wanted, rest = command.split(" ", 3)
        for kept in self.server.mails:
            if str(kept.uid) in wanted.split(","):
                kept.flags |= set(re.findall(r"\\\w+", rest))
        return "OK done"

    def do_expunge(self, _: str) -> str:
        self.server.mails = [kept for kept in self.server.mails if "\\Deleted" not in kept.flags]
        return "OK done"

    def do_idle(self, _: str) -> str:
        with self.server.lock:
            self.say("+ idling")
            self.server.idling.add(self)
            self.server.someone_idles.set()
        line: Any = self.rfile.readline()
        with self.server.lock:
            self.server.idling.discard(self)
        return "OK done" if line.strip() == b"DONE" else "BAD"
