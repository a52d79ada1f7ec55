# SPDX-License-Identifier: MIT
"""swaks sends: plain, STARTTLS, TLS, every login mechanism it knows, attachment."""
import os

from harness import check, equal


def swaks(s, service, token, *options, status=0):
    out = s.run("swaks", "--server", s.ip, "--port", str(s.port(service)), "--helo", "localhost", "--from", s.user, "--to", s.recipient,
                "--header", "Subject: " + token, "--body", "hello from swaks", "--timeout", "60", *options, status=status)
    return out.decode("utf-8", "replace")


def arrived(s, token):
    check(b"hello from swaks" in s.wait_message(token), "the body is missing")


def test_plain(s):
    token = s.token()
    out = swaks(s, "smtp", token)
    check("<-  250" in out, out)
    arrived(s, token)


def test_starttls(s):
    token = s.token()
    swaks(s, "smtp", token, "--tls")
    arrived(s, token)


def test_tls(s):
    token = s.token()
    swaks(s, "submissions", token, "--tls-on-connect", "--auth", "PLAIN", "--auth-user", s.user, "--auth-password", s.password)
    arrived(s, token)


def test_auth_mechanisms(s):
    for mechanism in ("PLAIN", "LOGIN"):
        token = s.token()
        swaks(s, "submission", token, "--tls", "--auth", mechanism, "--auth-user", s.user, "--auth-password", s.password)
        arrived(s, token)


def test_auth_refused(s):
    # 28: no authentication type succeeded
    out = swaks(s, "submission", s.token(), "--tls", "--auth", "PLAIN", "--auth-user", s.user, "--auth-password", "wrong", status=28)
    check("535" in out, out)


def test_relay_refused(s):
    """Port 25 is no open relay. 24: no recipient was taken."""
    if s.name == "mox":
        return      # localserve takes every recipient and delivers it locally
    out = s.run("swaks", "--server", s.ip, "--port", str(s.port("submissions")), "--tls-on-connect", "--from", s.user, "--to", s.recipient, status=24)
    equal(b"554" in out or b"530" in out, True)


def test_attachment(s):
    token = s.token()
    path = s.path("data.bin", os.urandom(200000))
    swaks(s, "submissions", token, "--tls-on-connect", "--auth", "--auth-user", s.user, "--auth-password", s.password,
          "--attach-type", "application/octet-stream", "--attach", "@" + path)
    check(len(s.wait_message(token)) > 266000, "too small")
