# SPDX-License-Identifier: MIT
"""curl sends over SMTP and reads over IMAP."""
import re

from harness import Skip, check, equal


def curl(s, *options, status=0):
    return s.run("curl", "-sS", "--insecure", "--max-time", "100", *options, status=status)


def url(s, scheme, service, path=""):
    return "%s://%s:%d/%s" % (scheme, s.ip, s.port(service), path)


def eml(s, token, body="hello from curl\r\n", sender=None):
    return "From: %s\r\nTo: %s\r\nSubject: %s\r\n\r\n%s" % (sender or s.user, s.recipient, token, body)


def upload(s, scheme, service, token, *options):
    path = s.path("mail.eml", eml(s, token))
    curl(s, url(s, scheme, service, "localhost"), "--mail-from", s.user, "--mail-rcpt", s.recipient, "-T", path, *options)
    check(b"hello from curl\r\n" in s.wait_message(token), "the body is missing")


def login(s):
    return ["-u", "%s:%s" % (s.user, s.password)]


def imap(s, path="", *options):
    return curl(s, url(s, "imaps", "imaps", path), *login(s), *options)


def test_smtp_plain(s):
    upload(s, "smtp", "smtp", s.token())


def test_smtp_starttls(s):
    upload(s, "smtp", "submission", s.token(), "--ssl-reqd", *login(s))


def test_smtps(s):
    upload(s, "smtps", "submissions", s.token(), *login(s))


def test_smtps_large(s):
    token = s.token()
    line = "0123456789" * 7 + "\r\n"
    path = s.path("large.eml", eml(s, token, line * (30 * 1000 * 1000 // len(line))))
    curl(s, url(s, "smtps", "submissions", "localhost"), "--mail-from", s.user, "--mail-rcpt", s.recipient, "-T", path, *login(s))
    check(len(s.wait_message(token)) > 30 * 1000 * 1000 - 1000, "too small")


def test_smtputf8(s):
    if not s.smtputf8:
        raise Skip("the server does not deliver international addresses")
    token = s.token()
    path = s.path("utf8.eml", eml(s, token, sender="jürgen@localhost"))
    curl(s, url(s, "smtp", "smtp", "localhost"), "--mail-from", "jürgen@localhost", "--mail-rcpt", "jõe@localhost", "-T", path)
    check("jürgen@localhost".encode() in s.wait_message(token), "the address changed")


def test_imap_append_list_fetch(s):
    token = s.token()
    path = s.path("append.eml", eml(s, token))
    imap(s, "INBOX", "-T", path)
    check(b"INBOX" in imap(s).upper(), "INBOX is not listed")
    uid = int(imap(s, "INBOX?SUBJECT%20" + token).split()[-1])
    check(uid > 0)
    # curl selects by sequence number in the search, by UID in the URL
    out = imap(s, "INBOX", "-X", "UID SEARCH SUBJECT " + token)
    uid = int(re.search(rb"\* SEARCH (\d+)", out).group(1))
    got = imap(s, "INBOX;UID=%d" % uid)
    equal(got, eml(s, token).encode())
    check(token.encode() in imap(s, "INBOX;UID=%d;SECTION=HEADER.FIELDS%%20(SUBJECT)" % uid), "the section lacks the subject")


def test_imap_flag_move(s):
    token = s.token()
    box = "Curl-" + token
    imap(s, "INBOX", "-T", s.path("move.eml", eml(s, token)))
    imap(s, "", "-X", "CREATE " + box)
    uid = int(re.search(rb"\* SEARCH (\d+)", imap(s, "INBOX", "-X", "UID SEARCH SUBJECT " + token)).group(1))
    imap(s, "INBOX", "-X", "UID STORE %d +FLAGS (\\Flagged)" % uid)
    check(b"\\Flagged" in imap(s, "INBOX", "-X", "UID FETCH %d FLAGS" % uid), "the flag is missing")
    imap(s, "INBOX", "-X", "UID MOVE %d %s" % (uid, box))
    check(b"MESSAGES 1" in imap(s, "", "-X", "STATUS %s (MESSAGES)" % box), "not moved")
    out = imap(s, "INBOX", "-X", "UID SEARCH SUBJECT " + token)
    check(not re.search(rb"\* SEARCH \d", out), "still in INBOX: %r", out)


def test_imap_starttls_and_mechanisms(s):
    for options in (["--login-options", "AUTH=PLAIN"], []):
        curl(s, url(s, "imap", "imap"), "--ssl-reqd", *options, *login(s))
    # 67: login denied
    curl(s, url(s, "imaps", "imaps"), "-u", s.user + ":wrong", status=67)
