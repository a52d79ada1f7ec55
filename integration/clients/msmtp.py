# SPDX-License-Identifier: MIT
"""msmtp sends as a sendmail replacement: plain, STARTTLS, TLS, large, UTF-8 in header and body. It knows no SMTPUTF8."""
from harness import check

CONFIG = """
account plain
host %(ip)s
port %(smtp)d
from %(user)s
domain localhost

account starttls
host %(ip)s
port %(submission)d
from %(user)s
auth %(auth)s
user %(user)s
password %(password)s
tls on
tls_starttls on
tls_certcheck off

account tls : starttls
port %(submissions)d
tls_starttls off
"""


def msmtp(s, account, token, recipient=None, body="hello from msmtp\n", auth="on", status=0, options=()):
    config = CONFIG % dict(s.ports, ip=s.ip, user=s.user, password=s.password, auth=auth)
    path = s.path("msmtprc", config)
    text = "From: %s\nTo: %s\nSubject: %s\n\n%s" % (s.user, recipient or s.recipient, token, body)
    return s.run("msmtp", "-C", path, "-a", account, *options, "--", recipient or s.recipient, stdin=text.encode(), status=status)


def sent(s, account, **kw):
    token = s.token()
    msmtp(s, account, token, **kw)
    check(b"hello from msmtp" in s.wait_message(token), "the body is missing")


def test_plain(s):
    sent(s, "plain")


def test_starttls(s):
    sent(s, "starttls")


def test_tls(s):
    sent(s, "tls")


def test_mechanisms(s):
    for auth in ("plain", "login") if s.name != "mox" else ("plain", "login", "scram-sha-256", "scram-sha-1"):
        sent(s, "tls", auth=auth)


def test_large(s):
    token = s.token()
    msmtp(s, "tls", token, body=("x" * 75 + "\n") * 400000)
    check(len(s.wait_message(token)) > 30 * 1000 * 1000, "too small")


def test_8bit(s):
    token = s.token()
    msmtp(s, "plain", token, body="grüßt\n")
    check("grüßt".encode() in s.wait_message(token), "the text changed")
