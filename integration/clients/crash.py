# SPDX-License-Identifier: MIT
"""Nothing acknowledged is lost: kill -9 in the middle of deliveries, a full disk, a disk that fails to sync.

Every message whose 250 (or APPEND's OK) the client saw must be there exactly once with its content, after a restart on the same data. UIDs stay.
"""
import contextlib
import errno
import hashlib
import os
import random
import re
import shutil
import signal
import smtplib
import subprocess
import threading
import time

from harness import Failure, Skip, check, equal

own_server = True
SENDERS = 8
ACCOUNTS = ["mox", "crash1", "crash2", "crash3"]


class Load:
    """Threads that deliver until the server is gone, and remember what was acknowledged."""

    def __init__(self, s, seed):
        self.s, self.seed, self.lock = s, seed, threading.Lock()
        self.acked, self.sent = {}, set()     # {account: {id: digest}}, ids tried
        self.refused = []
        self.threads = [threading.Thread(target=self.work, args=(i,)) for i in range(SENDERS)]
        for t in self.threads:
            t.start()

    def text(self, rng, name):
        body = rng.randbytes(rng.choice((100, 3000, 20000, 200000))).hex()
        body = "\r\n".join(body[i:i + 76] for i in range(0, len(body), 76)) + "\r\n"
        return ("From: a@localhost\r\nSubject: %s\r\n\r\n%s" % (name, body)).encode(), hashlib.sha256(body.encode()).hexdigest()

    def ack(self, account, name, digest):
        with self.lock:
            self.acked.setdefault(account, {})[name] = digest

    def work(self, i):
        rng = random.Random(self.seed * 100 + i)
        try:
            if i % 4 == 3:
                self.append(rng, i)
            else:
                self.smtp(rng, i)
        except Exception:   # the server is gone
            pass

    def smtp(self, rng, i):
        with smtplib.SMTP(self.s.ip, self.s.port("smtp"), timeout=30, local_hostname="localhost") as c:
            for n in range(100000):
                account = rng.choice(ACCOUNTS)
                name = "c%d-%d-%dx" % (self.seed, i, n)
                text, digest = self.text(rng, name)
                self.sent.add(name)
                try:
                    c.sendmail("a@localhost", ["%s@localhost" % account], text)
                except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused, smtplib.SMTPRecipientsRefused) as x:
                    self.refused.append(str(x))
                    if len(self.refused) > 200:
                        return
                    continue
                self.ack(account, name, digest)

    def append(self, rng, i):
        m = self.s.imap()
        for n in range(100000):
            name = "c%d-%d-%dx" % (self.seed, i, n)
            text, digest = self.text(rng, name)
            self.sent.add(name)
            typ, data = m.append("INBOX", None, None, text)
            if typ == "OK":
                self.ack("mox", name, digest)
            else:
                self.refused.append(str(data))
                if len(self.refused) > 200:
                    return

    def join(self):
        for t in self.threads:
            t.join()


def contents(s, account):
    """(uidvalidity, uidnext, {uid: (name, digest)}) of an account's INBOX."""
    m = s.imap(user=account + "@localhost")
    typ, data = m.select("INBOX")
    equal(typ, "OK", data)
    validity = int(m.response("UIDVALIDITY")[1][0])
    uidnext = int(m.response("UIDNEXT")[1][0])
    out = {}
    if int(data[0]):
        typ, data = m.uid("FETCH", "1:*", "(BODY.PEEK[])")
        equal(typ, "OK", data)
        for item in data:
            if isinstance(item, tuple):
                uid = int(re.search(rb"UID (\d+)", item[0]).group(1))
                head, _, body = item[1].partition(b"\r\n\r\n")
                name = re.search(rb"^Subject: (\S+)", head, re.M).group(1).decode()
                out[uid] = name, hashlib.sha256(body).hexdigest()
    m.logout()
    return validity, uidnext, out


class Ledger:
    """What was acknowledged over all rounds, and what was seen after the last one."""

    def __init__(self):
        self.acked, self.seen = {}, {}

    def add(self, load):
        for account, names in load.acked.items():
            self.acked.setdefault(account, {}).update(names)

    def verify(self, s):
        for account in ACCOUNTS:
            validity, uidnext, now = contents(s, account)
            names = [name for name, _ in now.values()]
            equal(len(names), len(set(names)), "%s: messages stored twice" % account)
            have = {name: digest for name, digest in now.values()}
            for name, digest in self.acked.get(account, {}).items():
                check(name in have, "%s: %s was acknowledged and is lost", account, name)
                check(have[name] == digest, "%s: %s is damaged", account, name)
            if account in self.seen:
                validity0, uidnext0, before = self.seen[account]
                equal(validity, validity0, "%s: UIDVALIDITY" % account)
                check(uidnext >= uidnext0, "%s: UIDNEXT went back from %d to %d", account, uidnext0, uidnext)
                for uid, what in before.items():
                    equal(now.get(uid), what, "%s: UID %d" % (account, uid))
            self.seen[account] = validity, uidnext, now


def prepared(make):
    s = make()
    s.init()
    s.add_accounts(ACCOUNTS[1:])
    s.start()
    s.set_passwords(ACCOUNTS[1:], s.password)
    return s


def finish(s):
    try:
        s.stop()
    finally:
        s.cleanup()


def test_kill_9(make):
    s = prepared(make)
    try:
        ledger, rng = Ledger(), random.Random(os.getpid())
        for round_ in range(6):
            load = Load(s, round_)
            time.sleep(0.2 + 1.3 * rng.random())    # the moment of the crash is the experiment
            s.kill()
            load.join()
            check(load.acked, "nothing was delivered before the crash")
            ledger.add(load)
            s.start()
            ledger.verify(s)
        finish_clean(s, ledger)
    finally:
        finish(s)


def finish_clean(s, ledger):
    """A clean stop and start changes nothing either."""
    s.stop()
    s.start()
    ledger.verify(s)


@contextlib.contextmanager
def small_disk(make):
    """A started server whose data is on a file system of its own, of 24 MB."""
    if os.getuid() != 0:
        raise Skip("mounting a small file system needs root")
    s = make()
    mounted = False
    try:
        os.makedirs(s.data)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", s.data], stderr=subprocess.DEVNULL).returncode:
            raise Skip("cannot mount a small file system here")
        mounted = True
        s.data = os.path.join(s.data, "mox")
        s.cert = os.path.join(s.data, "localhost.crt")
        s.init()
        s.add_accounts(ACCOUNTS[1:])
        s.start()
        s.set_passwords(ACCOUNTS[1:], s.password)
        yield s
    finally:
        try:
            finish(s)
        finally:
            if mounted:
                subprocess.run(["umount", os.path.dirname(s.data)])
                s.cleanup()


def ballast(s):
    return os.path.join(os.path.dirname(s.data), "ballast")


def fill(s):
    """Takes all room that is left, to the last block."""
    with open(ballast(s), "ab", buffering=0) as f:
        for size in (1 << 20, 4096, 1):
            try:
                while f.write(bytes(size)):
                    pass
            except OSError as x:
                equal(x.errno, errno.ENOSPC)
    equal(os.statvfs(s.data).f_bavail, 0)


def test_disk_full(make):
    """On a file system that fills up deliveries are refused for now; what was taken stays."""
    with small_disk(make) as s:
        ledger = Ledger()
        load = Load(s, 1)
        load.join()         # ends when each sender was refused often enough
        check(load.refused, "the disk never was full")
        for text in load.refused:
            check(re.search(r"45[12]|NO|OVERQUOTA|LIMIT|space|full", text, re.I), "refused with %s", text)
        ledger.add(load)
        ledger.verify(s)
        s.kill()
        s.start()
        ledger.verify(s)


def test_disk_without_room(make):
    """A server starts on a disk without any room, after a clean stop as after a crash: mail is read, new mail refused for now, and taken again as
    soon as there is room."""
    with small_disk(make) as s:
        ledger, text = Ledger(), b"From: a@localhost\r\nSubject: %s\r\n\r\nx\r\n"

        def send(name, account):
            with smtplib.SMTP(s.ip, s.port("smtp"), timeout=30, local_hostname="localhost") as c:
                c.sendmail("a@localhost", ["%s@localhost" % account], text % name.encode())
            ledger.acked.setdefault(account, {})[name] = hashlib.sha256(b"x\r\n").hexdigest()

        def refused(account):
            with smtplib.SMTP(s.ip, s.port("smtp"), timeout=30, local_hostname="localhost") as c:
                try:
                    c.sendmail("a@localhost", ["%s@localhost" % account], text % b"refused")
                except smtplib.SMTPDataError as x:
                    check(x.smtp_code == 452 and x.smtp_error.startswith(b"4.3.1 "), "refused with %s", x)
                else:
                    raise Failure("taken without room for it")

        for end in (s.stop, s.kill):
            for account in ACCOUNTS:
                send("before-%s" % end.__name__, account)
            ledger.verify(s)
            fill(s)
            refused("mox")
            end()
            fill(s)     # also what the end of the process gave back
            s.start()
            ledger.verify(s)
            refused("crash1")
            ledger.verify(s)
            os.unlink(ballast(s))
            for account in ACCOUNTS:
                send("after-%s" % end.__name__, account)
            ledger.verify(s)
        finish_clean(s, ledger)


def test_sync_fails(make):
    """A sync that fails now and then: that message is refused, never acknowledged and lost."""
    if not shutil.which("strace"):
        raise Failure("strace is not installed; run tools/setup test")
    s = prepared(make)
    try:
        if subprocess.run(["strace", "-o", "/dev/null", "true"], stderr=subprocess.DEVNULL).returncode:
            raise Skip("no ptrace here")
        s.stop()
        s.start(wrap=["strace", "-f", "-qq", "-o", os.path.join(s.dir, "strace.out"), "-e", "trace=fsync,fdatasync",
                      "-e", "inject=fsync,fdatasync:error=EIO:when=40+9"])
        ledger = Ledger()
        load = Load(s, 1)
        time.sleep(6)       # as long as the experiment lasts
        os.killpg(s.process.pid, signal.SIGKILL)
        s.process.wait()
        s.process = None
        load.join()
        check(load.acked, "nothing was delivered")
        check(load.refused, "no sync failed for a client: %d acknowledged" % sum(map(len, load.acked.values())))
        ledger.add(load)
        s.start()
        ledger.verify(s)
    finally:
        finish(s)
