# SPDX-License-Identifier: MIT
"""The queue of localserve: submission over it, the commands about it, smtp dial; kill -9 in the middle loses nothing."""
import json
import signal
import smtplib

from harness import check, equal, lax_tls, until


def mox(s, *args, **kw):
    return s.mox(*args, **kw).decode()


def submit(s, *recipients, count=1, extra=b""):
    with smtplib.SMTP_SSL(s.ip, s.port("submissions"), context=lax_tls(), timeout=20) as c:
        c.login(s.user, s.password)
        for i in range(count):
            for to in recipients:
                c.sendmail(s.user, [to], b"From: <mox@localhost>\r\nTo: <%s>\r\n%sSubject: queue %d\r\n\r\nhello\r\n" % (to.encode(), extra, i))


def listed(s, *args):
    return [json.loads(line) for line in mox(s, "queue", *args, "-json").splitlines()]


def becomes(what, want, seconds=20):
    until(lambda: what() == want, "becoming %r" % (want,), seconds)


def test_outcomes(s):
    """A queued message is delivered, fails, or waits, as its address asks."""
    before = len(listed(s, "retired", "list"))
    submit(s, "queue@far.example", "queue-permerror@far.example", "queue-temperror@near.example")
    becomes(lambda: len(listed(s, "retired", "list")) - before, 2)
    becomes(lambda: [m["Results"][-1].get("Code") for m in listed(s, "list")], [451])
    results = {m["Recipient"]: m["Success"] if "Success" in m else False for m in listed(s, "retired", "list")}
    equal(results["queue@far.example"], True)
    equal(results["queue-permerror@far.example"], False)
    out = mox(s, "queue", "list")
    check(out.startswith("messages:\n") and "to:queue-temperror@near.example" in out and "451" in out, "list: %r", out)
    waiting = listed(s, "list")[0]["ID"]
    check("hello" in mox(s, "queue", "dump", str(waiting)), "dump")
    check("STARTTLS" in json.loads(mox(s, "queue", "print", str(waiting)))["Results"][0]["Transcript"], "transcript")
    # The sender was told of the failure, and the address is suppressed.
    check("queue-permerror@far.example" in mox(s, "queue", "suppress", "list"), "suppress list")
    equal(mox(s, "queue", "hold", "-ids", str(waiting)).strip(), "1 messages changed")
    equal(mox(s, "queue", "unhold").strip(), "1 messages changed")
    equal(mox(s, "queue", "schedule", "-now", "1h").strip(), "1 message(s) rescheduled")
    equal(listed(s, "list", "-nextattempt", "<30m"), [])
    check("-all" in mox(s, "queue", "drop", status=2), "drop of everything without -all")
    equal(mox(s, "queue", "fail", "-all").strip(), "1 message(s) marked as failed")
    equal(mox(s, "queue", "list"), "messages:\n(none)\n")


def test_holdrules(s):
    mox(s, "queue", "holdrules", "add", "-recipientdom", "held.example")
    check('recipient domain "held.example"' in mox(s, "queue", "holdrules", "list"), "rule")
    submit(s, "queue@held.example")
    equal([m["Hold"] for m in listed(s, "list")], [True])
    rule = json.loads(mox(s, "queue", "holdrules", "list", "-json"))["ID"]
    mox(s, "queue", "holdrules", "remove", str(rule))
    mox(s, "queue", "unhold")
    becomes(lambda: listed(s, "list"), [])


def test_suppress(s):
    mox(s, "queue", "suppress", "add", "mox", "no.more+x@far.example")
    check("base address: nomore@far.example" in mox(s, "queue", "suppress", "lookup", "nomore@far.example"), "lookup")
    mox(s, "queue", "suppress", "remove", "mox", "nomore@far.example")
    equal(mox(s, "queue", "suppress", "lookup", "nomore@far.example"), "not present\n")
    check("no such account" in mox(s, "queue", "suppress", "add", "nobody", "a@b.example", status=1), "unknown account")


def test_killed(s):
    """Whatever was acknowledged is delivered, though the server is killed while it delivers."""
    before = sum(1 for m in listed(s, "retired", "list") if m.get("Success"))
    submit(s, "queue@a.example", "queue@b.example", count=25)
    s.process.send_signal(signal.SIGKILL)
    s.process.wait()
    s.start()
    mox(s, "queue", "schedule", "-now", "0s")
    becomes(lambda: listed(s, "list"), [], seconds=60)
    # Every message has one row; one whose reply was not seen may have been delivered twice.
    equal(sum(1 for m in listed(s, "retired", "list") if m.get("Success")) - before, 50)


def test_smtp_dial(s):
    out = mox(s, "smtp", "dial", "-ehlohostname", "localhost", "%s:%d" % (s.ip, s.port("smtp")), stdin=b"NOOP\r\nQUIT\r\n")
    check("250 2.0.0" in out and "221 2.0.0" in out, "dialogue: %r", out)
    mox(s, "smtp", "dial", "-forcetls", "-tlsverify", "%s:%d" % (s.ip, s.port("smtp")), stdin=b"", status=1)
    check("exclude" in mox(s, "smtp", "dial", "-notls", "-forcetls", "x.example", status=2), "-notls -forcetls")
