# SPDX-License-Identifier: MIT
"""What the integration tests share: a server on loopback, ways to look into it, and a runner.

A test file defines functions test_NAME(s); s is a running server with an empty account. Tests of a file share the server, files do not.
Each test leaves no process behind; what it started with s.popen is ended after it.
"""
import imaplib
import os
import random
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HERE = os.path.join(ROOT, "integration")


class Failure(Exception):
    """A test found that something does not hold."""


class Skip(Exception):
    """The test does not apply to this server."""


def check(condition, text="does not hold", *args):
    if not condition:
        raise Failure(text % args if args else text)


def equal(got, want, what=""):
    if got != want:
        raise Failure("%s%.2000r, expected %.2000r" % (what and what + ": ", got, want))


def until(condition, what, seconds=20):
    """Waits until condition() is true and returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure("%s: not within %d s" % (what, seconds))
        time.sleep(0.02)


def lax_tls():
    """A TLS context that takes any certificate."""
    ctx = ssl.create_default_context()
    ctx.check_hostname = False
    ctx.verify_mode = ssl.CERT_NONE
    return ctx


def free_ip(ports):
    """An address in 127/8 that only this run uses."""
    for _ in range(100):
        ip = "127.%d.%d.%d" % (random.randint(1, 250), random.randint(1, 250), random.randint(2, 250))
        try:
            for port in ports:
                with socket.socket() as s:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.bind((ip, port))
            return ip
        except OSError:
            continue
    raise Failure("no free address on loopback")


class Line:
    """A connection for dialogues by hand: lines or bytes out, lines in."""

    def __init__(self, server, port, tls=False, timeout=30, source=None):
        self.sock = socket.create_connection((server.ip, port), timeout=timeout, source_address=source and (source, 0))
        if tls:
            self.sock = lax_tls().wrap_socket(self.sock)
        self.buf = b""

    def starttls(self):
        self.sock = lax_tls().wrap_socket(self.sock)
        self.buf = b""

    def send(self, data):
        self.sock.sendall(data)

    def line(self):
        """The next line without its end; b"" at the end of the connection."""
        while b"\n" not in self.buf:
            try:
                more = self.sock.recv(65536)
            except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
                more = b""
            if not more:
                rest, self.buf = self.buf, b""
                return rest
            self.buf += more
        line, _, self.buf = self.buf.partition(b"\n")
        return line.rstrip(b"\r")

    def exact(self, n):
        while len(self.buf) < n:
            more = self.sock.recv(65536)
            check(more, "connection closed inside a literal")
            self.buf += more
        data, self.buf = self.buf[:n], self.buf[n:]
        return data

    def reply(self):
        """A whole SMTP reply: (code, text)."""
        text = []
        while True:
            line = self.line()
            check(line, "connection closed, a reply was expected")
            check(re.match(rb"\d{3}[ -]", line), "not a reply: %r" % line)
            text.append(line[4:])
            if line[3:4] == b" ":
                return int(line[:3]), b"\n".join(text)

    def smtp(self, command):
        self.send(command + b"\r\n")
        return self.reply()

    def imap(self, command, tag=b"t"):
        """Sends an IMAP command; returns (untagged lines, status, text of the tagged line)."""
        self.send(tag + b" " + command + b"\r\n")
        return self.tagged(tag)

    def tagged(self, tag=b"t"):
        untagged = []
        while True:
            line = self.line()
            check(line, "connection closed, a tagged response was expected after %r", untagged[-3:])
            while re.search(rb"\{\d+\}$", line):
                n = int(re.search(rb"\{(\d+)\}$", line).group(1))
                line += b"\n" + self.exact(n) + self.line()
            if line.startswith(tag + b" "):
                status, _, text = line[len(tag) + 1:].partition(b" ")
                return untagged, status, text
            untagged.append(line)

    def closed(self, seconds=10):
        """Reads to the end of the connection; returns what came."""
        self.sock.settimeout(seconds)
        got = self.buf
        self.buf = b""
        try:
            while True:
                more = self.sock.recv(65536)
                if not more:
                    return got
                got += more
        except (ConnectionError, ssl.SSLError):
            return got
        except socket.timeout:
            raise Failure("connection still open after %d s" % seconds) from None

    def close(self):
        self.sock.close()


class Server:
    """Base of the servers that the tests can run against."""
    name = user = password = recipient = None
    cert = None         # PEM file of the certificate
    host = None         # the name in it
    ip = "127.0.0.1"
    ports = {}
    smtputf8 = True

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="mox-test-")
        self.children = []
        self.count = 0

    # -- to be used by tests --

    def token(self):
        self.count += 1
        return "t%d-%dx" % (os.getpid(), self.count)   # none is the start of another

    def port(self, service):
        return self.ports[service]

    def path(self, name, content=None, mode=0o600):
        """A file in the test's directory."""
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if content is not None:
            data = content if isinstance(content, bytes) else content.encode()
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as f:
                f.write(data)
        return path

    def run(self, *command, stdin=b"", timeout=120, status=0, env=None):
        """Runs a client; its output as bytes. Fails the test when it does not end with the status."""
        if not shutil.which(command[0]):
            raise Failure("%s is not installed; run tools/setup test" % command[0])
        e = dict(os.environ, HOME=self.dir, LC_ALL="C.UTF-8", **(env or {}))
        try:
            p = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, env=e, cwd=self.dir)
        except subprocess.TimeoutExpired as x:
            raise Failure("%s: still running after %d s: %r" % (command[0], timeout, (x.stdout or b"")[-1000:])) from None
        if p.returncode != status:
            raise Failure("%s: exit status %d: %s" % (" ".join(command)[:300], p.returncode, p.stdout[-3000:].decode("utf-8", "replace")))
        return p.stdout

    def popen(self, *command, **kw):
        p = subprocess.Popen(command, env=dict(os.environ, HOME=self.dir, LC_ALL="C.UTF-8"), cwd=self.dir, **kw)
        self.children.append(p)
        return p

    def imap(self, tls=True, user=None):
        """A logged-in imaplib connection."""
        if tls:
            m = imaplib.IMAP4_SSL(self.ip, self.port("imaps"), ssl_context=lax_tls(), timeout=60)
        else:
            m = imaplib.IMAP4(self.ip, self.port("imap"), timeout=60)
        m.login(user or self.user, self.password)
        return m

    def smtp(self, service="smtp", tls=None):
        """A greeted smtplib connection; on submission logged in."""
        if service == "submissions":
            c = smtplib.SMTP_SSL(self.ip, self.port(service), timeout=60, context=lax_tls(), local_hostname="localhost")
        else:
            c = smtplib.SMTP(self.ip, self.port(service), timeout=60, local_hostname="localhost")
            if tls or tls is None and service == "submission":
                c.starttls(context=lax_tls())
        c.ehlo()
        if service != "smtp":
            c.login(self.user, self.password)
        return c

    def line(self, service, **kw):
        c = Line(self, self.port(service), tls=service in ("imaps", "submissions"), **kw)
        return c

    def find(self, m, token, mailbox="INBOX"):
        """UIDs of messages with the token in the subject."""
        m.select(mailbox)
        typ, data = m.uid("SEARCH", "SUBJECT", token)
        check(typ == "OK", "SEARCH: %r", data)
        return [int(x) for x in (data[0] or b"").split()]

    def wait_message(self, token, seconds=30):
        """The one message in INBOX with the token in its subject, as bytes."""
        m = self.imap()
        try:
            uids = until(lambda: self.find(m, token), "a message with subject %s" % token, seconds)
            equal(len(uids), 1, "messages with subject %s" % token)
            typ, data = m.uid("FETCH", str(uids[0]), "(BODY.PEEK[])")
            check(typ == "OK", "FETCH: %r", data)
            return data[0][1]
        finally:
            m.logout()

    def rss(self):
        """Resident memory of the server in KiB."""
        total = 0
        for pid in self.pids():
            with open("/proc/%d/status" % pid) as f:
                total += int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
        return total

    # -- to be used by the runner --

    def end_children(self):
        for p in self.children:
            if p.poll() is None:
                p.kill()
            p.wait()
        self.children = []

    def cleanup(self):
        self.end_children()
        shutil.rmtree(self.dir, ignore_errors=True)

    def pids(self):
        return []


class Mox(Server):
    """mox localserve on an address of its own."""
    name = "mox"
    user, password = "mox@localhost", "moxmoxmox"
    host = "localhost"
    ports = {"smtp": 1025, "submissions": 1465, "submission": 1587, "imap": 1143, "imaps": 1993, "http": 1080, "https": 1443, "metrics": 1081}

    def __init__(self, variant, args=()):
        super().__init__()
        self.binary = os.path.join(ROOT, "build", variant, "mox")
        self.data = os.path.join(self.dir, "mox")
        self.logfile = os.path.join(self.dir, "server.log")
        self.args = list(args)
        self.ip = free_ip(self.ports.values())
        self.process = None
        self.recipient = self.user
        self.cert = os.path.join(self.data, "localhost.crt")

    def start(self, wrap=()):
        """Starts the server; the first time it makes its directory. wrap: a command to run it under."""
        if not os.path.exists(self.binary):
            raise Failure("%s is not built" % os.path.relpath(self.binary))
        args = ["-dir", self.data]
        if not os.path.exists(self.data):
            args += ["-ip", self.ip]
        with open(self.logfile, "ab") as log:
            self.process = subprocess.Popen(list(wrap) + [self.binary, "-loglevel", "info", "localserve"] + args + self.args,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.dir, start_new_session=True)
        self.wait_up()

    def wait_up(self):
        def greets():
            check(self.process.poll() is None, "the server ended with status %s: %s", self.process.returncode, self.log_tail())
            try:
                for service in ("smtp", "imap"):
                    with socket.create_connection((self.ip, self.port(service)), timeout=5) as c:
                        if not c.recv(1):
                            return False
                return True
            except OSError:
                return False
        until(greets, "greetings of the server", 30)

    def stop(self):
        """A clean stop; fails when it is none, or when a sanitizer spoke."""
        if self.process is None:
            return
        p, self.process = self.process, None
        p.send_signal(signal.SIGTERM)
        try:
            p.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            p.wait()
            raise Failure("the server does not stop: %s" % self.log_tail()) from None
        log = self.log()
        check("Sanitizer" not in log and "runtime error:" not in log, "sanitizer: %s", log[-6000:])
        check(p.returncode in (0, signal.SIGTERM), "the server ended with status %s: %s", p.returncode, self.log_tail())

    def kill(self):
        """kill -9, as a crash would."""
        p, self.process = self.process, None
        os.killpg(p.pid, signal.SIGKILL)
        p.wait()

    def pids(self):
        return [self.process.pid] if self.process else []

    def log(self):
        with open(self.logfile, errors="replace") as f:
            return f.read()

    def log_tail(self):
        return self.log()[-3000:]

    def mox(self, *args, **kw):
        """Runs a mox command against this server."""
        return self.run(self.binary, "-config", os.path.join(self.data, "mox.conf"), *args, **kw)

    def add_accounts(self, names, domain="localhost", password=None):
        """Accounts NAME with address NAME@domain, before the start. Passwords are set by set_passwords."""
        path = os.path.join(self.data, "domains.conf")
        with open(path) as f:
            text = f.read()
        if "\n\t%s:\n" % domain not in text:
            text = re.sub(r"^Domains:\n", "Domains:\n\t%s:\n\t\tLocalpartCatchallSeparator: +\n" % domain, text, flags=re.M)
        accounts = "".join("\t%s:\n\t\tDomain: %s\n\t\tDestinations:\n\t\t\t%s@%s: nil\n\t\tNoFirstTimeSenderDelay: true\n" %
                           (n, domain, n, domain) for n in names)
        text = re.sub(r"^Accounts:\n", lambda m: m.group(0) + accounts, text, flags=re.M)
        with open(path, "w") as f:
            f.write(text)

    def init(self):
        """Writes the directory without serving."""
        self.run(self.binary, "localserve", "-dir", self.data, "-ip", self.ip, "-initonly")

    def set_passwords(self, names, password):
        for n in names:
            self.mox("setaccountpassword", n, stdin=(password + "\n").encode())


class Peers(Server):
    """Postfix and Dovecot, to test the tests."""
    name = "peers"
    user, password = "u1@bench.test", "secret"
    host = "peers.bench.test"
    ports = {"smtp": 2525, "submission": 2587, "submissions": 2465, "imap": 2143, "imaps": 2993}
    smtputf8 = False    # Dovecot's LMTP has none

    def __init__(self, *_):
        super().__init__()
        self.ip = free_ip(self.ports.values())
        self.data = os.path.join(self.dir, "peers")
        self.recipient = self.user
        self.cert = os.path.join(self.data, "cert.pem")
        os.chmod(self.dir, 0o755)

    def start(self):
        p = subprocess.run([os.path.join(HERE, "peers"), "start", self.data], env=dict(os.environ, PEERS_IP=self.ip),
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        check(p.returncode == 0, "peers: %s", p.stdout.decode())

    def stop(self):
        subprocess.run([os.path.join(HERE, "peers"), "stop", self.data], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def log_tail(self):
        out = ""
        for name in ("postfix.log", "dovecot.log"):
            path = os.path.join(self.data, "log", name)
            if os.path.exists(path):
                with open(path, errors="replace") as f:
                    out += "".join(f.readlines()[-15:])
        return out


class Results:
    def __init__(self):
        self.passed = self.failed = 0

    def one(self, name, fn, *args, counts=True):
        """Runs one test and prints its line; without counts only when it fails."""
        began = time.monotonic()
        status, detail = "ok", ""
        try:
            fn(*args)
            self.passed += counts
        except Skip as x:
            status, detail = "skip", str(x)
        except Failure as x:
            status, detail = "FAIL", str(x)
        except Exception:
            status, detail = "FAIL", traceback.format_exc()
        if status == "FAIL":
            self.failed += 1
        if counts or status == "FAIL":
            print("%-4s  %-40s %7.2f s%s" % (status, name, time.monotonic() - began, "  " + detail if status == "skip" else ""), flush=True)
        if status == "FAIL":
            print("      " + detail.rstrip().replace("\n", "\n      "), flush=True)
        return status != "FAIL"


def run_file(results, name, module, make):
    """
    Runs the tests of a module against a server of its own. A module with own_server makes its servers itself: test_x(make). One with
    server(make) makes another kind of server for its tests.
    """
    tests = [(t, fn) for t, fn in vars(module).items() if t.startswith("test_")]
    if getattr(module, "own_server", False):
        for t, fn in tests:
            results.one("%s %s" % (name, t[5:]), fn, make)
        return
    server = module.server(make) if hasattr(module, "server") else make()
    try:
        if results.one("%s (start)" % name, server.start, counts=False):
            for t, fn in tests:
                if not results.one("%s %s" % (name, t[5:]), fn, server):
                    print("      server: " + server.log_tail().replace("\n", "\n      "))
                server.end_children()
    finally:
        results.one("%s (stop)" % name, server.stop, counts=False)
        server.cleanup()
