# SPDX-License-Identifier: MIT
"""Python's smtplib sends: plain, STARTTLS, TLS, large, international; pipelines by hand what it does not."""
import email
import email.policy
import random
import smtplib
from email.message import EmailMessage

from harness import Skip, check, equal, lax_tls


def message(s, token, text="Hello\n", sender=None):
    m = EmailMessage()
    m["From"] = sender or s.user
    m["To"] = s.recipient
    m["Subject"] = token
    m.set_content(text)
    return m


def sent(s, service, tls=None):
    token = s.token()
    with s.smtp(service, tls) as c:
        refused = c.send_message(message(s, token, "Grüße\n.\n..dots\nend\n"))
        equal(refused, {})
    got = email.message_from_bytes(s.wait_message(token), policy=email.policy.default)
    equal(got.get_content().replace("\r\n", "\n"), "Grüße\n.\n..dots\nend\n")


def test_plain(s):
    sent(s, "smtp", tls=False)


def test_starttls(s):
    sent(s, "smtp", tls=True)


def test_submission_starttls(s):
    sent(s, "submission")


def test_submissions_tls(s):
    sent(s, "submissions")


def test_several_in_one_session(s):
    tokens = [s.token() for _ in range(20)]
    with s.smtp() as c:
        for t in tokens:
            c.send_message(message(s, t))
    for t in tokens:
        s.wait_message(t)


def test_attachment_30_mb(s):
    token = s.token()
    data = random.Random(1).randbytes(22 * 1024 * 1024)     # 30 MB in base64
    m = message(s, token)
    m.add_attachment(data, maintype="application", subtype="octet-stream", filename="big.bin")
    with s.smtp("submissions") as c:
        c.send_message(m)
    raw = s.wait_message(token, 60)
    check(len(raw) > 30 * 1000 * 1000, "%d bytes arrived", len(raw))
    got = email.message_from_bytes(raw, policy=email.policy.default)
    check(next(got.iter_attachments()).get_content() == data, "the attachment changed")


def test_smtputf8(s):
    if not s.smtputf8:
        raise Skip("the server does not deliver international addresses")
    token = s.token()
    m = message(s, token, sender="jürgen@localhost")
    with s.smtp() as c:
        check(c.has_extn("smtputf8"), "SMTPUTF8 is not announced")
        c.sendmail("jürgen@localhost", ["jõe@localhost"], m.as_bytes(policy=email.policy.SMTPUTF8), mail_options=["SMTPUTF8", "BODY=8BITMIME"])
    raw = s.wait_message(token)
    check("jürgen@localhost".encode() in raw, "the address is not in the message as it was sent")


def test_utf8_without_smtputf8(s):
    """A localpart beyond ASCII needs the parameter."""
    if not s.smtputf8:
        raise Skip("depends on the server's choice")
    c = s.line("smtp")
    c.reply()
    c.smtp(b"EHLO localhost")
    equal(c.smtp("MAIL FROM:<jürgen@localhost>".encode())[0], 550)


def test_bad_password(s):
    c = smtplib.SMTP(s.ip, s.port("submission"), timeout=60, local_hostname="localhost")
    c.starttls(context=lax_tls())
    c.ehlo()
    try:
        c.login(s.user, "wrong")
    except smtplib.SMTPAuthenticationError as x:
        equal(x.smtp_code, 535)
    else:
        check(False, "logged in with a wrong password")
    c.login(s.user, s.password)
    c.quit()


def test_size_announced(s):
    with s.smtp() as c:
        limit = int(c.esmtp_features["size"])
        code, text = c.docmd("MAIL FROM:<%s> SIZE=%d" % (s.user, limit + 1))
        equal(code, 552, text)
        equal(c.docmd("MAIL FROM:<%s> SIZE=%d" % (s.user, limit))[0], 250)
