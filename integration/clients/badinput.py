# SPDX-License-Identifier: MIT
"""Peers that break rules: every limit passed, garbage, slow senders, clients that never read, thousands of connections.

What must hold each time: a clear reply, bounded memory, and others who do not notice.
"""
import os
import random
import re
import resource
import select
import socket
import threading
import time

from harness import Failure, check, equal

own_server = True
LOGIN = b'LOGIN "%s" "%s"'


class Watch:
    """While its block runs, another client keeps asking SMTP and IMAP, and memory is sampled. At the end: nobody waited long, memory
    did not grow by more than mib."""

    def __init__(self, s, mib, wait_s=3.0):
        self.s, self.mib, self.wait_s = s, mib, wait_s
        self.longest, self.error, self.stop = 0.0, None, threading.Event()
        self.start_kib = self.most_kib = s.rss()

    def __enter__(self):
        self.imap = self.s.line("imap")
        self.imap.line()
        self.imap.imap(LOGIN % (self.s.user.encode(), self.s.password.encode()))
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        try:
            while not self.stop.is_set():
                began = time.monotonic()
                smtp = self.s.line("smtp")
                equal(smtp.reply()[0], 220)
                equal(smtp.smtp(b"NOOP")[0], 250)
                smtp.close()
                equal(self.imap.imap(b"NOOP")[1], b"OK")
                self.longest = max(self.longest, time.monotonic() - began)
                self.most_kib = max(self.most_kib, self.s.rss())
                self.stop.wait(0.05)
        except Exception as x:  # shown by __exit__
            self.error = x

    def __exit__(self, kind, *_):
        self.stop.set()
        self.thread.join()
        self.imap.close()
        if kind is not None:
            return
        check(self.error is None, "another client failed meanwhile: %r", self.error)
        check(self.longest < self.wait_s, "another client waited %.1f s", self.longest)
        grown = (self.most_kib - self.start_kib) / 1024
        check(grown < self.mib, "memory grew by %.1f MiB (%.1f to %.1f)", grown, self.start_kib / 1024, self.most_kib / 1024)


def server(make, small=False):
    """A running server; small: messages of at most 1 MB."""
    s = make()
    if small:
        s.init()
        path = os.path.join(s.data, "mox.conf")
        with open(path) as f:
            text = f.read()
        changed = text.replace("\tlocal:\n", "\tlocal:\n\t\tSMTPMaxMessageSize: 1000000\n", 1)
        check(changed != text, "no listener in mox.conf")
        with open(path, "w") as f:
            f.write(changed)
    s.start()
    return s


def with_server(small=False):
    def decorate(fn):
        def test(make):
            s = server(make, small)
            try:
                fn(s)
            except BaseException:
                print("      server: " + s.log_tail().replace("\n", "\n      "))
                raise
            finally:
                try:
                    s.stop()
                finally:
                    s.cleanup()
        test.__name__, test.__doc__ = fn.__name__, fn.__doc__
        return test
    return decorate


def smtp(s, ehlo=True):
    c = s.line("smtp")
    equal(c.reply()[0], 220)
    if ehlo:
        equal(c.smtp(b"EHLO localhost")[0], 250)
    return c


def imap(s, login=True):
    c = s.line("imap")
    check(c.line().startswith(b"* OK"))
    if login:
        equal(c.imap(LOGIN % (s.user.encode(), s.password.encode()))[1], b"OK")
    return c


def envelope(s, c):
    equal(c.smtp(b"MAIL FROM:<%s>" % s.user.encode())[0], 250)
    equal(c.smtp(b"RCPT TO:<%s>" % s.recipient.encode())[0], 250)
    equal(c.smtp(b"DATA")[0], 354)


# ---- SMTP ----

@with_server()
def test_smtp_lines(s):
    """Too long, unknown, not SMTP at all."""
    c = smtp(s)
    c.send(b"NOOP " + b"x" * 3000 + b"\r\n")
    equal(c.reply()[0], 500, "overlong line")
    c.closed()
    c = smtp(s)
    c.send(b"x" * 100000)     # without any line end
    equal(c.reply()[0], 500, "overlong line without end")
    c.closed()
    for first in (b"GET / HTTP/1.1", b"POST / HTTP/1.0", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"* OK hello", b"\0\0\0"):
        c = smtp(s, ehlo=False)
        c.send(first + b"\r\n")
        equal(c.reply()[0], 500, "first line %r" % first)
        c.closed()
    c = smtp(s)
    equal(c.smtp(b"XYZZY")[0], 500)
    equal(c.smtp(b"MAIL FROM:")[0], 501)
    equal(c.smtp(b"MAIL FROM:<a@localhost> NOSUCH=1")[0], 555)
    equal(c.smtp(b"MAIL FROM:<a@localhost> SIZE=1 SIZE=1")[0], 501)
    equal(c.smtp(b"NOOP")[0], 250)


@with_server()
def test_smtp_order(s):
    c = smtp(s, ehlo=False)
    equal(c.smtp(b"MAIL FROM:<a@localhost>")[0], 503, "MAIL before EHLO")
    c = smtp(s)
    for command in (b"RCPT TO:<%s>" % s.recipient.encode(), b"DATA", b"AUTH PLAIN AGEAYg=="):
        equal(c.smtp(command)[0], 503, "%r too early" % command)
    equal(c.smtp(b"MAIL FROM:<a@localhost>")[0], 250)
    equal(c.smtp(b"DATA")[0], 503, "DATA without recipients")
    equal(c.smtp(b"NOOP")[0], 250)


@with_server()
def test_smtp_addresses(s):
    c = smtp(s)
    for path in (b"a" * 129 + b"@localhost", b"a@" + b".".join([b"b" * 60] * 5), b"a@" + b"c" * 64, b"a b@localhost", b"a@", b"@localhost", b"a@b@localhost",
                 b'"a\r@localhost', b"a@[300.1.1.1]", b"a@[IPv6:zz]", b"a..b@localhost", b"<a@localhost", "ü@localhost".encode()):
        code, text = c.smtp(b"MAIL FROM:<" + path + b">")
        check(500 <= code < 600, "%r: %d %r", path, code, text)
        equal(c.smtp(b"RSET")[0], 250)
    equal(c.smtp(b"MAIL FROM:<" + b"a" * 64 + b"@localhost>")[0], 250, "64 octets")


@with_server()
def test_smtp_recipients(s):
    """The thousand and first recipient is refused for now, the others stay."""
    c = smtp(s)
    equal(c.smtp(b"MAIL FROM:<%s>" % s.user.encode())[0], 250)
    c.send(b"".join(b"RCPT TO:<r%d@localhost>\r\n" % i for i in range(1001)))
    codes = [c.reply()[0] for _ in range(1001)]
    equal(codes[:1000], [250] * 1000)
    equal(codes[1000], 452)
    equal(c.smtp(b"RSET")[0], 250)


@with_server(small=True)
def test_smtp_size(s):
    """Too large: by announcement at once, without it after its end; the connection stays."""
    c = smtp(s)
    code, text = c.smtp(b"MAIL FROM:<%s> SIZE=1000001" % s.user.encode())
    equal(code, 552, text)
    with Watch(s, 40):
        for _ in range(3):
            envelope(s, c)
            for _ in range(300):
                c.send(b"x" * 76 * 1000 + b"\r\n")
            code, text = c.smtp(b"\r\n.")
            equal((code, text[:5]), (552, b"5.3.4"), text)
        token = s.token()
        envelope(s, c)
        equal(c.smtp(b"Subject: %s\r\n\r\nsmall\r\n." % token.encode())[0], 250)
    s.wait_message(token)


@with_server()
def test_smtp_line_ends(s):
    """Only CRLF.CRLF ends a message. What could end one elsewhere is refused; there is exactly one reply, and no second message."""
    hidden = b"MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\nSubject: smuggled\r\n\r\nx" % (s.user.encode(), s.recipient.encode())
    for end in (b"\r\n.\n", b"\n.\n", b"\n.\r\n", b"\r\n.\r", b"\r.\r", b"\n.\r", b"\r.\n", b"\r.\r\n", b"a\rb", b"\r\n.\r\r\n"):
        c = smtp(s)
        envelope(s, c)
        code, text = c.smtp(b"Subject: carrier\r\n\r\nhello" + end + hidden + b"\r\n.")
        equal((code, text[:5]), (500, b"5.5.2"), "%r: %r" % (end, text))
        check(b"smuggl" in text.lower(), "%r: the reply does not say why: %r", end, text)
        equal(c.smtp(b"RSET")[0], 250, "%r: out of step" % end)
        c.close()
    token = s.token()
    c = smtp(s)
    envelope(s, c)
    equal(c.smtp(b"Subject: %s\n\nbare LF\n..stuffed\r\n." % token.encode())[0], 250)
    raw = s.wait_message(token)
    check(b"\r\n\r\nbare LF\r\n" in raw, "bare LF is not mended: %r", raw)
    equal(raw.count(b"\n"), raw.count(b"\r\n"), "line ends")
    m = s.imap()
    equal(s.find(m, "smuggled"), [])
    equal(s.find(m, "carrier"), [])
    m.logout()


@with_server()
def test_plaintext_after_starttls(s):
    c = smtp(s)
    c.send(b"STARTTLS\r\nNOOP injected\r\nMAIL FROM:<%s>\r\n" % s.user.encode())
    equal(c.reply()[0], 220)
    c.starttls()
    equal(c.smtp(b"EHLO localhost")[0], 250, "first reply after TLS")
    equal(c.smtp(b"RCPT TO:<%s>" % s.recipient.encode())[0], 503, "an injected MAIL counted")
    equal(c.smtp(b"NOOP")[0], 250)
    c = imap(s, login=False)
    c.send(b"a STARTTLS\r\nb " + LOGIN % (s.user.encode(), s.password.encode()) + b"\r\n")
    check(c.line().startswith(b"a OK"))
    c.starttls()
    untagged, status, _ = c.imap(b"NOOP", b"c")
    equal((untagged, status), ([], b"OK"), "an injected command was answered")
    equal(c.imap(b"SELECT INBOX")[1], b"NO", "an injected LOGIN counted")


@with_server()
def test_auth_input(s):
    for command, want in ((b"AUTH NOSUCH", 504), (b"AUTH PLAIN !!!", 501), (b"AUTH PLAIN =", 501), (b"AUTH", 501)):
        c = s.line("submission")        # each its own: after such a line answers come slowly
        equal(c.reply()[0], 220)
        c.smtp(b"EHLO localhost")
        equal(c.smtp(command)[0], want, repr(command))
        c.close()
    c = s.line("submission")
    c.reply()
    c.smtp(b"EHLO localhost")
    equal(c.smtp(b"AUTH PLAIN")[0], 334)
    equal(c.smtp(b"*")[0], 501)
    equal(c.smtp(b"AUTH PLAIN")[0], 334)
    c.send(b"A" * 20000 + b"\r\n")
    equal(c.reply()[0] // 100, 5, "overlong AUTH line")


# ---- IMAP ----

@with_server()
def test_imap_lines(s):
    for first in (b"GET / HTTP/1.1", b"EHLO localhost", b"\x16\x03\x01\x02\x00", b"a", b"* x", b"a XYZZY"):
        c = imap(s, login=False)
        c.send(first + b"\r\n")
        got = c.closed()
        check(got.startswith(b"* BYE") or b"\r\n* BYE" in got or b"BAD" in got, "first line %r: %r", first, got)
    with Watch(s, 20):
        for login in (False, True):
            c = imap(s, login)
            c.send(b"a NOOP " + b"x" * 20000 + b"\r\n")
            got = c.closed()
            check(b"BAD" in got or b"BYE" in got, "overlong line: %r", got)
            c = imap(s, login)
            try:
                for _ in range(100):
                    c.send(b"x" * 65536)
            except OSError:
                pass
            c.closed()


@with_server()
def test_imap_syntax(s):
    c = imap(s)
    for command in (b"XYZZY", b"SELECT", b"SELECT a b c", b'SELECT "a', b'SELECT "\x00"', b"FETCH", b"FETCH 1 (", b"FETCH 0 FLAGS", b"FETCH 1 BODY[", b"STORE 1 FLAGS",
                    b"SEARCH NOSUCH", b"SEARCH (ALL", b"LIST", b"STATUS INBOX (NOSUCH)", b"NOOP x", b"UID NOSUCH 1", b"APPEND INBOX", b"COPY 1", b"IDLE x"):
        _, status, text = c.imap(command)
        check(status in (b"BAD", b"NO"), "%r: %r %r", command, status, text)
    equal(c.imap(b"NOOP")[1], b"OK")
    c.send(b"n NOOP\n")
    equal(c.tagged(b"n")[1], b"OK", "LF alone ends a line")
    _, status, _ = c.imap(b"NO\rOP")
    equal(status, b"BAD", "bare CR")


@with_server()
def test_imap_limits(s):
    c = imap(s)
    equal(c.imap(b"SELECT INBOX")[1], b"OK")
    _, status, text = c.imap(b"SEARCH " + b"NOT " * 200 + b"ALL")
    equal(status, b"BAD", text)
    _, status, text = c.imap(b"SEARCH " + b"(" * 200 + b"ALL" + b")" * 200)
    equal(status, b"BAD", text)
    _, status, text = c.imap(b"CREATE " + b"x" * 1100)
    check(status in (b"NO", b"BAD"), "%r", text)
    _, status, text = c.imap(b"STORE 1:* +FLAGS (" + b" ".join(b"k%d" % i for i in range(1000)) + b")")
    check(status in (b"NO", b"BAD", b"OK"), "%r", text)
    # a literal that is no message
    c.send(b"l SELECT {200000}\r\n")
    _, status, text = c.tagged(b"l")
    equal(status, b"BAD", text)
    check(b"TOOBIG" in text, "%r", text)
    equal(c.imap(b"NOOP")[1], b"OK")
    # the same without waiting: it cannot be skipped, so the connection ends
    with Watch(s, 30):
        c = imap(s)
        try:
            c.send(b"l SELECT {200000000+}\r\n")
            for _ in range(200):
                c.send(b"x" * 100000)
        except OSError:
            pass
        got = c.closed()
        check(b"BYE" in got or got == b"", "%r", got)
    c = imap(s)
    equal(c.imap(b"APPEND INBOX {0+}\r\n")[1], b"NO", "empty message")


@with_server()
def test_imap_many_literals(s):
    """One budget for a command: not thousands of small literals, nor megabytes in pieces."""
    with Watch(s, 20):
        for size, count in ((1, 5000), (90000, 100)):
            c = imap(s)
            try:
                c.send(b"l SEARCH")
                for _ in range(count):
                    c.send(b" SUBJECT {%d+}\r\n" % size + b"x" * size)
                c.send(b"\r\n")
            except OSError:
                pass
            try:
                got = c.closed()
            except Failure:
                raise Failure("%d literals of %d octets were taken" % (count, size)) from None
            check(b"BAD" in got or b"BYE" in got or got == b"", "%r", got)


@with_server()
def test_imap_before_login(s):
    """Before login all input is bounded."""
    with Watch(s, 20):
        conns = []
        for _ in range(100):
            c = imap(s, login=False)
            try:
                c.send(b"a LOGIN {1000000+}\r\n" + b"x" * 200000)
            except OSError:
                pass
            conns.append(c)
        for c in conns:
            got = c.closed()
            check(b"OK" not in got, "%r", got)
        c = imap(s, login=False)
        _, status, text = c.imap(b"LOGIN {100000}")
        check(status in (b"BAD", b"NO"), "%r", text)


@with_server()
def test_imap_idle_garbage(s):
    c = imap(s)
    equal(c.imap(b"SELECT INBOX")[1], b"OK")
    c.send(b"i IDLE\r\n")
    check(c.line().startswith(b"+"))
    c.send(b"FETCH 1:* BODY[]\r\n")
    c.closed()


# ---- any port ----

@with_server()
def test_garbage(s):
    rng = random.Random(1)
    with Watch(s, 30):
        for service in ("smtp", "submission", "submissions", "imap", "imaps", "http", "https"):
            for _ in range(8):
                with socket.create_connection((s.ip, s.port(service)), timeout=40) as c:
                    try:
                        c.sendall(rng.randbytes(rng.randint(1, 60000)))
                        c.shutdown(socket.SHUT_WR)
                        while c.recv(65536):
                            pass
                    except OSError:
                        pass
    s.wait_up()


@with_server()
def test_tls_records(s):
    """Broken handshakes: cut short, half a record, plain protocol on a TLS port."""
    with Watch(s, 30):
        for service in ("submissions", "imaps"):
            for data in (b"\x16\x03\x01", b"\x16\x03\x01\x40\x00", b"\x16\x03\x01\xff\xff" + b"x" * 70000, b"EHLO localhost\r\n", b"a NOOP\r\n",
                         b"\x80\x2e\x01\x00\x02"):
                with socket.create_connection((s.ip, s.port(service)), timeout=40) as c:
                    try:
                        c.sendall(data)
                        c.shutdown(socket.SHUT_WR)
                        while c.recv(65536):
                            pass
                    except OSError:
                        pass
    with s.imap() as m:
        equal(m.noop()[0], "OK")


@with_server()
def test_slow_senders(s):
    """Hundreds of connections that send an octet now and then cost memory and nothing else."""
    with Watch(s, 60):
        conns = []
        for i in range(300):
            c = socket.create_connection((s.ip, s.port("smtp" if i % 2 else "imap")), timeout=30)
            conns.append(c)
        end = time.monotonic() + 10
        for octet in b"EHLO localhost.localdomain" * 10:
            for c in conns:
                try:
                    c.send(bytes([octet]))
                except OSError:
                    pass
            if time.monotonic() > end:
                break
            select.select([], [], [], 0.3)
        for c in conns:
            c.close()


@with_server()
def test_never_reading(s):
    """Clients that ask for much and read nothing: the server stops working for them, and forgets nobody else."""
    m = s.imap()
    text = b"Subject: big\r\n\r\n" + (b"x" * 76 + b"\r\n") * 13000
    for _ in range(20):
        equal(m.append("INBOX", None, None, text)[0], "OK")
    m.logout()
    with Watch(s, 80):
        conns = []
        for _ in range(30):
            c = imap(s)
            c.imap(b"SELECT INBOX")
            c.sock.setblocking(False)
            try:
                while True:
                    if c.sock.send(b"f FETCH 1:* BODY.PEEK[]\r\n" * 100) <= 0 or len(conns) > 1000:
                        break
            except BlockingIOError:
                pass
            conns.append(c)
        for _ in range(30):
            c = smtp(s)
            c.sock.setblocking(False)
            try:
                for _ in range(1000):
                    c.sock.send(b"HELP x\r\nNOOP\r\n" * 500)
            except (BlockingIOError, OSError):
                pass
            conns.append(c)
        end = time.monotonic() + 8
        while time.monotonic() < end:
            select.select([], [], [], 0.5)
        for c in conns:
            c.close()
    with s.imap() as m:
        equal(m.noop()[0], "OK")


@with_server()
def test_half_open_2000(s):
    """Two thousand connections that say nothing, some in the middle of a TLS handshake."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    with Watch(s, 80):
        conns = []
        for i in range(2000):
            service = ("smtp", "imap", "submissions", "imaps")[i % 4]
            c = socket.create_connection((s.ip, s.port(service)), timeout=30)
            if service.endswith("s"):
                c.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            conns.append(c)
        with s.imap() as m:
            equal(m.noop()[0], "OK")
        token = s.token()
        with s.smtp() as c:
            c.sendmail(s.user, [s.recipient], "Subject: %s\r\n\r\nx\r\n" % token)
        s.wait_message(token)
        for c in conns:
            c.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@with_server()
def test_silence_ends(s):
    """Who says nothing before login is asked to leave after half a minute. (SMTP waits for five, as RFC 5321 wants.)"""
    waiting = {"imap": socket.create_connection((s.ip, s.port("imap")), timeout=60)}
    got = {service: b"" for service in waiting}
    began = time.monotonic()
    while waiting and time.monotonic() < began + 50:
        ready, _, _ = select.select(list(waiting.values()), [], [], 1)
        for service, c in list(waiting.items()):
            if c in ready:
                data = c.recv(65536)
                got[service] += data
                if not data:
                    check(time.monotonic() - began > 20, "%s: closed too early", service)
                    del waiting[service]
    equal(sorted(waiting), [], "still open after 50 s")
    check(re.search(rb"\r\n\* BYE", got["imap"]), "imap: %r", got["imap"])
