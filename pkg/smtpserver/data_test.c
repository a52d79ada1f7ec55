/* SPDX-License-Identifier: MIT */
/* What follows DATA: line ends, limits, delivery, localserve. */
#include <errno.h>
#include <unistd.h>

#include "base/fd.h"
#include "smtpserver/rig_test.h"

#define START "S 220 \nC EHLO client.example\nS* 250 \n"
#define TO_MJL "C MAIL FROM:<a@remote.example>\nS 250 \nC RCPT TO:<mjl@mox.example>\nS 250 \nC DATA\nS 354 \n"

static struct str
only_message(struct rig *r, const char *account, const char *mailbox)
{
	struct strlist l = rig_messages(r, account, mailbox);

	assert_int_equal(l.n, 1);
	return l.v[0];
}

/* The body of a stored message: what stands behind the empty line. */
static struct str
body_of(struct str message)
{
	ssize_t at = str_search(message, S("\r\n\r\n"));

	assert_true(at >= 0);
	return str_from(message, (size_t)at + 4);
}

/* ../spec/attack-classes.md: smuggling. Whatever is not CRLF.CRLF is no end; the reply says why, and the dialogue goes on in step. */
TEST(attack_smtp_smuggling)
{
	static const char *const ends[] = { "\r", "\n", "\r\n" };
	static const char *const fixed[] = {
		"\r\n.\n", "\n.\n", "\r.\r", "\n.\r\n", "\r\n.\r", "\r.\r\n", "\n.\r", "\r.\n", "\r\n\r.\r\n", "\r\n.\r\r\n", "\n\n.\r\n",
	};
	struct arena *a = test_arena();
	struct strlist pieces = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		strlist_add(a, &pieces, str_of(fixed[i]));
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		for (size_t k = 0; k < ARRAY_LEN(ends); k++)
			if (i != 2 || k != 2)
				strlist_add(a, &pieces, str_fmt(a, "%s.%s", ends[i], ends[k]));

	for (unsigned bytes = 0; bytes <= RIG_BYTES; bytes += RIG_BYTES) {
		struct rig r;

		rig_start(&r, bytes);
		rig_script(&r, START);
		for (size_t i = 0; i < pieces.n; i++) {
			test_row("%s", str_log(a, pieces.v[i], 100).p);
			rig_script(&r, TO_MJL);
			rig_send(&r, str_fmt(a, "Subject: x\r\n\r\ntext" STRF "MAIL FROM:<evil@remote.example>\r\n.\r\n", STRA(pieces.v[i])));
			struct str reply = rig_read(&r);
			assert_true(str_starts(reply, S("500 5.5.2 ")));
			assert_true(str_search(reply, S("smuggling")) > 0);
			assert_int_equal(str_find(reply, '\n'), reply.n - 1);
		}
		assert_int_equal(rig_messages(&r, "mjl", "Inbox").n, 0);
		rig_stop(&r);
	}
}

TEST(line_ends_and_dots)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "Subject: x\r\n\r\ntext\r\n", "text\r\n" },
		{ "Subject: x\r\n\r\n", "" },
		{ "Subject: x\r\n\r\n..\r\n..dot\r\na.\r\n", ".\r\n.dot\r\na.\r\n" },    // rfc/5321:3436
		{ "Subject: x\r\n\r\na\nb\r\n", "a\r\nb\r\n" },
		{ "Subject: x\n\na\r\n", "a\r\n" },
		{ "Subject: x\r\n\r\n.a\r\n", "a\r\n" },
		{ "Subject: x\r\n\r\na\0b\r\n", "a" },
	};
	struct arena *a = test_arena();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (unsigned bytes = 0; bytes <= RIG_BYTES; bytes += RIG_BYTES) {
			struct rig r;

			test_row("%zu", i);
			rig_start(&r, bytes);
			rig_script(&r, START TO_MJL);
			rig_send(&r, str_fmt(a, "%s%s.\r\n", rows[i].in, str_ends(str_of(rows[i].in), S("\n")) ? "" : "\r\n"));
			rig_script(&r, "S 250 2.2.0 \nN\n");
			struct str got = body_of(only_message(&r, "mjl", "Inbox"));
			if (i == ARRAY_LEN(rows) - 1)
				assert_true(str_starts(got, S("a")));
			else
				assert_strz(got, rows[i].out);
			rig_stop(&r);
		}
	}
}

/* Read to the end, 552, and the connection goes on: rfc/1870:135 */
TEST(too_large)
{
	struct rig r;
	struct arena *a = test_arena();
	char *x = arena_bytes(a, 100000);

	for (int i = 0; i < 100000; i++)
		x[i] = i % 78 == 76 ? '\r' : i % 78 == 77 ? '\n' : 'x';
	for (unsigned tls = 0; tls <= RIG_IMPLICIT; tls += RIG_IMPLICIT) {
		rig_start(&r, tls);
		rig_script(&r, START TO_MJL);
		rig_send(&r, S("Subject: x\r\n\r\n"));
		for (int i = 0; i < 5; i++)
			rig_send(&r, str_n(x, 78000));
		rig_send(&r, S(".\r\n"));
		rig_script(&r, "S 552 5.3.4 \nC DATA\nS 503 5.5.1 \n" TO_MJL);
		/* Exactly the limit; dots that were stuffed do not count. */
		rig_send(&r, S("Subject: x\r\n\r\n"));
		rig_send(&r, str_n(x, 78 * 1281));
		rig_send(&r, S("..\r\n.\r\n"));
		rig_script(&r, "S 250 2.2.0 \n");
		assert_int_equal(body_of(only_message(&r, "mjl", "Inbox")).n, 78 * 1281 + 3);
		rig_stop(&r);
	}
}

TEST(prefix_headers)
{
	struct rig r;

	rig_start(&r, 0);
	rig_script(&r, START "C MAIL FROM:<a@remote.example>\nS 250 \nC RCPT TO:<mjl+x@mox.example>\nS 250 \nC DATA\nS 354 \n"
	    "B From: <a@remote.example>\\r\\n\\r\\ntext\\r\\n.\\r\\n\nS 250 2.2.0 \n");
	struct str m = only_message(&r, "mjl", "Inbox");
	assert_true(str_starts(m, S("Delivered-To: mjl+x@mox.example\r\nReturn-Path: <a@remote.example>\r\nReceived: from client.example ")));
	struct str received = str_from(m, (size_t)str_search(m, S("Received:")));
	received = str_upto(received, (size_t)str_search(received, S("From:")));
	assert_true(str_search(received, S("([10.1.2.3])")) > 0);
	assert_true(str_search(received, S("by mox.example")) > 0);
	assert_true(str_search(received, S("via tcp")) > 0);
	assert_true(str_search(received, S("with ESMTP")) > 0);
	assert_true(str_search(received, S("for <mjl+x@mox.example>;")) > 0);   // rfc/5321:3311: the ";" always
	rig_stop(&r);

	rig_start(&r, RIG_IMPLICIT);
	rig_script(&r, "S 220 \nC HELO client.example\nS 250 \nC MAIL FROM:<>\nS 250 \nC RCPT TO:<mjl@mox.example>\nS 250 \nC DATA\nS 354 \nB a: b\\r\\n\\r\\nx\\r\\n.\\r\\n\nS 250 \n");
	m = only_message(&r, "mjl", "Inbox");
	assert_true(str_search(m, S("Return-Path: <>\r\n")) > 0);
	assert_true(str_search(m, S("with SMTPS")) > 0);
	assert_true(str_search(m, S("(TLS1.3 TLS_")) > 0);
	rig_stop(&r);
}

TEST(smtputf8_delivery)
{
	struct rig r;

	rig_start(&r, 0);
	rig_script(&r, START "C MAIL FROM:<r\xc3\xa9@b\xc3\xbc""cher.example> SMTPUTF8\nS 250 \nC RCPT TO:<t\xc3\xa9st@mox.example>\nS 250 \nC DATA\nS 354 \n"
	    "B From: <r\xc3\xa9@b\xc3\xbc""cher.example>\\r\\n\\r\\ntext\\r\\n.\\r\\n\nS 250 2.2.0 \n");
	struct str m = only_message(&r, "mjl", "International");
	assert_true(str_starts(m, S("Delivered-To: t\xc3\xa9st@mox.example\r\nReturn-Path: <r\xc3\xa9@xn--bcher-kva.example>\r\n")));
	assert_true(str_search(m, S("with UTF8SMTP")) > 0);
	rig_stop(&r);
}

/* Every recipient gets exactly one copy; the files are one. */
TEST(several_recipients)
{
	struct rig r;

	rig_start(&r, 0);
	rig_script(&r, START "C MAIL FROM:<a@remote.example>\nS 250 \nC RCPT TO:<mjl@mox.example>\nS 250 \nC RCPT TO:<other@mox.example>\nS 250 \n"
	    "C RCPT TO:<mjl@mox.example>\nS 250 \nC RCPT TO:<mjl+2@mox.example>\nS 250 \nC DATA\nS 354 \nB From: <a@remote.example>\\r\\n\\r\\ntext\\r\\n.\\r\\n\nS 250 2.2.0 \n");
	struct strlist l = rig_messages(&r, "mjl", "Inbox");
	assert_int_equal(l.n, 2);
	assert_true(str_starts(l.v[0], S("Delivered-To: mjl@mox.example\r\n")));
	assert_true(str_starts(l.v[1], S("Delivered-To: mjl+2@mox.example\r\n")));
	assert_true(str_starts(only_message(&r, "other", "Inbox"), S("Delivered-To: other@mox.example\r\n")));
	rig_stop(&r);
}

TEST(aliases)
{
	static const struct { const char *from, *to; const char *reply; size_t mjl, other; } rows[] = {
		{ "a@remote.example", "public@mox.example", "250 2.2.0 ", 1, 1 },
		{ "mjl@mox.example", "public@mox.example", "250 2.2.0 ", 0, 1 },        /* not back to the author */
		{ "a@remote.example", "closed@mox.example", "550 5.7.2 ", 0, 0 },
		{ "other@mox.example", "closed@mox.example", "250 2.2.0 ", 1, 0 },
		{ "closed@mox.example", "closed@mox.example", "550 5.7.2 ", 0, 0 },
		{ "send@mox.example", "send@mox.example", "250 2.2.0 ", 1, 0 },
	};
	struct arena *a = test_arena();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig r;

		test_row("%s to %s", rows[i].from, rows[i].to);
		rig_start(&r, 0);
		rig_script(&r, str_fmt(a, START "C MAIL FROM:<a@remote.example>\nS 250 \nC RCPT TO:<%s>\nS 250 \nC DATA\nS 354 \nB From: <%s>\\r\\n\\r\\nx\\r\\n.\\r\\n\nS %s\n",
		    rows[i].to, rows[i].from, rows[i].reply).p);
		assert_int_equal(rig_messages(&r, "mjl", "Inbox").n, rows[i].mjl);
		assert_int_equal(rig_messages(&r, "other", "Inbox").n, rows[i].other);
		rig_stop(&r);
	}
	/* A member that is a recipient anyway gets one copy. */
	struct rig r;
	rig_start(&r, 0);
	rig_script(&r, START "C MAIL FROM:<a@remote.example>\nS 250 \nC RCPT TO:<public@mox.example>\nS 250 \nC RCPT TO:<mjl@mox.example>\nS 250 \nC DATA\nS 354 \n"
	    "B From: <a@remote.example>\\r\\n\\r\\nx\\r\\n.\\r\\n\nS 250 2.2.0 \n");
	assert_int_equal(rig_messages(&r, "mjl", "Inbox").n, 1);
	assert_int_equal(rig_messages(&r, "other", "Inbox").n, 1);
	rig_stop(&r);
}

/* Over quota after DATA: nobody is acknowledged, those who got it are passed over when it comes again. */
TEST(partial_delivery)
{
	struct rig r;
	struct arena *a = test_arena();
	char *x = arena_bytes(a, 3000);

	memset(x, 'x', 3000);
	struct str script = str_fmt(a, "C MAIL FROM:<a@remote.example>\nS 250 \nC RCPT TO:<mjl@mox.example>\nS 250 \nC RCPT TO:<full@mox.example>\nS 250 \nC DATA\nS 354 \n"
	    "B From: <a@remote.example>\\r\\n\\r\\n" STRF "\\r\\n" STRF "\\r\\n" STRF "\\r\\n.\\r\\n\n", STRA(str_n(x, 900)), STRA(str_n(x, 900)), STRA(str_n(x, 900)));
	rig_start(&r, 0);
	expect_log("delivering message");
	rig_script(&r, START);
	for (int i = 0; i < 3; i++) {
		rig_script(&r, script.p);
		rig_script(&r, "S 451-4.3.0 <mjl@mox.example>: delivered\nS 451-4.3.0 <full@mox.example>: 452 4.2.2 mailbox is full\nS 451 4.3.0 multiple errors\n");
		assert_int_equal(rig_messages(&r, "mjl", "Inbox").n, 1);
	}
	/* Another message is another message. */
	rig_script(&r, TO_MJL "B From: <a@remote.example>\\r\\n\\r\\nother\\r\\n.\\r\\n\nS 250 2.2.0 \n");
	assert_int_equal(rig_messages(&r, "mjl", "Inbox").n, 2);
	/* Full alone has the plain reply. */
	rig_script(&r, str_fmt(a, "C MAIL FROM:<a@remote.example>\nS 250 \nC RCPT TO:<full@mox.example>\nS 250 \nC DATA\nS 354 \nB a: b\\r\\n\\r\\n" STRF "\\r\\n" STRF "\\r\\n"
	    STRF "\\r\\n.\\r\\n\nS 452 4.2.2 mailbox is full\n", STRA(str_n(x, 900)), STRA(str_n(x, 900)), STRA(str_n(x, 900))).p);
	rig_stop(&r);
}

TEST(loop_detection)
{
	struct rig r;

	rig_start(&r, 0);
	rig_script(&r, START);
	for (int n = 100; n <= 101; n++) {
		rig_script(&r, TO_MJL);
		for (int i = 0; i < n; i++)
			rig_send(&r, S("Received: from a by b; 1 Jan 2020 00:00:00 +0000\r\n"));
		rig_send(&r, S("\r\nx\r\n.\r\n"));
		rig_script(&r, n <= 100 ? "S 250 2.2.0 \n" : "S 550 5.4.6 \n");
	}
	rig_stop(&r);
}

TEST(transaction_is_over_after_data)
{
	struct rig r;

	rig_start(&r, 0);
	rig_script(&r, START TO_MJL "B a: b\\r\\n\\r\\nx\\r\\n.\\r\\n\nS 250 2.2.0 \nC DATA\nS 503 5.5.1 missing MAIL\n");
	rig_script(&r, TO_MJL "B a: b\\r\\n\\r\\nx\\r.\\r\\n.\\r\\n\nS 500 5.5.2 \nC DATA\nS 503 5.5.1 missing MAIL\n" TO_MJL "B a: b\\r\\n\\r\\nx\\r\\n.\\r\\n\nS 250 2.2.0 \n"); // rfc/5321:2036
	rig_stop(&r);
}

TEST(message_without_header)
{
	struct rig r;

	rig_start(&r, 0);
	rig_script(&r, START TO_MJL "B just text\\r\\n.\\r\\n\nS 250 2.2.0 \n");
	struct str m = only_message(&r, "mjl", "Inbox");
	assert_true(str_ends(m, S("\r\n\r\njust text\r\n")));
	rig_stop(&r);
}

/* The client goes away in the middle: nothing is stored. */
TEST(hang_up_in_data)
{
	struct rig r;

	rig_start(&r, 0);
	rig_script(&r, START TO_MJL "B a: b\\r\\n\\r\\nhalf a mess\n");
	rig_hangup(&r);
	assert_int_equal(rig_messages(&r, "mjl", "Inbox").n, 0);
	rig_connect(&r);
	rig_script(&r, START TO_MJL "B a: b\\r\\n\\r\\n.\\r\\n\nS 250 2.2.0 \n");
	assert_int_equal(rig_messages(&r, "mjl", "Inbox").n, 1);
	rig_stop(&r);
}

/* --- failures of the disk --- */

static int fail_errno;
static int fail_writes, fail_syncs;     /* 0: never, else the nth call from now */

static ssize_t
faulty_pwrite(int fd, const void *p, size_t n, off_t off)
{
	if (fail_writes > 0 && --fail_writes == 0) {
		errno = fail_errno;
		return -1;
	}
	return pwrite(fd, p, n, off);
}

static int
faulty_fdatasync(int fd)
{
	if (fail_syncs > 0 && --fail_syncs == 0) {
		errno = fail_errno;
		return -1;
	}
	return fdatasync(fd);
}

static int
faulty_fsync(int fd)
{
	if (fail_syncs > 0 && --fail_syncs == 0) {
		errno = fail_errno;
		return -1;
	}
	return fsync(fd);
}

/* What could not be written is not acknowledged, nor stored; the connection goes on, and the next message gets through. */
TEST(disk_failures)
{
	static const struct { int errnum, writes, syncs; bool large; const char *reply; } rows[] = {
		{ ENOSPC, 1, 0, true, "452 4.3.1 " },           /* while it comes in */
		{ EIO, 2, 0, true, "451 4.3.0 " },
		{ ENOSPC, 1, 0, false, "452 4.3.1 " },          /* when it becomes a file */
		{ EIO, 1, 0, false, "451 4.3.0 " },
		{ EIO, 0, 1, true, "451 4.3.0 " },              /* sync of the file; a small one is synced with the database */
		{ ENOSPC, 0, 1, true, "452 4.3.1 " },
		{ EIO, 0, 2, true, "451 4.3.0 " },              /* of the directory */
	};
	struct fd_ops ops = *fd_ops();
	struct arena *a = test_arena();
	char *x = arena_bytes(a, 78 * 5000);
	struct rig r;

	for (int i = 0; i < 78 * 5000; i++)
		x[i] = i % 78 == 76 ? '\r' : i % 78 == 77 ? '\n' : 'x';
	ops.pwrite = faulty_pwrite;
	ops.fdatasync = faulty_fdatasync;
	ops.fsync = faulty_fsync;
	rig_start(&r, 0);
	r.listener.max_message_size = 1000000;
	rig_script(&r, START TO_MJL "B a: b\\r\\n\\r\\nx\\r\\n.\\r\\n\nS 250 2.2.0 \n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%zu", i);
		expect_log(rows[i].large && rows[i].writes ? "command failed" : "delivering message");
		rig_script(&r, TO_MJL);
		fail_errno = rows[i].errnum;
		fail_writes = rows[i].writes;
		fail_syncs = rows[i].syncs;
		fd_ops_set(&ops);
		rig_send(&r, S("a: b\r\n\r\n"));
		rig_send(&r, str_n(x, rows[i].large ? 78 * 5000 : 78));
		rig_send(&r, S(".\r\n"));
		fd_ops_set(NULL);
		rig_script(&r, str_fmt(a, "S %s\n", rows[i].reply).p);
		assert_int_equal(rig_messages(&r, "mjl", "Inbox").n, i + 1);
		rig_script(&r, TO_MJL "B a: b\\r\\n\\r\\nx\\r\\n.\\r\\n\nS 250 2.2.0 \n");
	}
	rig_stop(&r);
}

TEST(localserve)
{
	static const struct { const char *rcpt, *at_rcpt, *at_data; } rows[] = {
		{ "anybody@anywhere.example", "250 2.1.0 ", "250 2.2.0 " },
		{ "unknown@mox.example", "250 2.1.0 ", "250 2.2.0 " },
		{ "x@[1.2.3.4]", "250 2.1.0 ", "250 2.2.0 " },
		{ "mjl@mox.example", "250 2.1.0 ", "250 2.2.0 " },
		{ "temperror@mox.example", "250 2.1.0 ", "451 4.0.0 " },
		{ "x-permerror@mox.example", "250 2.1.0 ", "550 5.0.0 " },
		{ "x452@mox.example", "250 2.1.0 ", "452 4.0.0 " },
		{ "x599@mox.example", "250 2.1.0 ", "599 5.0.0 " },
		{ "x600@mox.example", "250 2.1.0 ", "250 2.2.0 " },
		{ "x399@mox.example", "250 2.1.0 ", "250 2.2.0 " },
		{ "x-timeout@mox.example", "250 2.1.0 ", "451 4.0.0 " },        /* without delays the hour is over at once */
		{ "rcptto-temperror@mox.example", "451 4.0.0 ", NULL },
		{ "rcptto554@mox.example", "554 5.0.0 ", NULL },
		{ "rcptto-timeout@mox.example", "451 4.0.0 ", NULL },
		{ "rcptto@mox.example", "250 2.1.0 ", "250 2.2.0 " },
		{ "queuepermerror@mox.example", "250 2.1.0 ", "250 2.2.0 " },
	};
	struct arena *a = test_arena();
	size_t taken = 0;
	struct rig r;

	rig_start(&r, RIG_LOCALSERVE);
	rig_script(&r, START);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%s", rows[i].rcpt);
		rig_script(&r, str_fmt(a, "C MAIL FROM:<a@remote.example>\nS 250 \nC RCPT TO:<%s>\nS %s\n", rows[i].rcpt, rows[i].at_rcpt).p);
		if (rows[i].at_data == NULL) {
			rig_script(&r, "C RSET\nS 250 \n");
			continue;
		}
		rig_script(&r, str_fmt(a, "C DATA\nS 354 \nB From: <a@remote.example>\\r\\n\\r\\nx\\r\\n.\\r\\n\nS %s\n", rows[i].at_data).p);
		taken += str_starts(str_of(rows[i].at_data), S("250"));
		assert_int_equal(rig_messages(&r, "mjl", "Inbox").n, taken);
	}
	rig_script(&r, "C MAIL FROM:<mailfrom-permerror@remote.example>\nS 550 5.0.0 \nC MAIL FROM:<mailfrom@remote.example>\nS 250 \n");
	rig_stop(&r);
}

/* The hour of silence holds no thread: the connection waits for its timer, and what is pipelined waits with it. */
TEST(localserve_timeout_waits)
{
	struct rig r;

	rig_start(&r, RIG_LOCALSERVE | RIG_DELAYS);
	rig_script(&r, START "C MAIL FROM:<a@remote.example>\nS 250 \nC RCPT TO:<timeout@mox.example>\nS 250 \nC DATA\nS 354 \n"
	    "B a: b\\r\\n\\r\\nx\\r\\n.\\r\\nNOOP\\r\\n\nN\n");
	rig_timer(&r);
	rig_script(&r, "S 451 4.0.0 \nS 250 2.0.0 \nC DATA\nS 503 5.5.1 missing MAIL\n");
	rig_stop(&r);
}

/* Local test mode takes only messages that parse to the end, and says where they do not. */
TEST(localserve_complete_parse)
{
	static const struct { const char *message, *reply; } rows[] = {
		{ "From: <a@b.example>\\r\\n\\r\\nx\\r\\n", "250 2.2.0 " },
		{ "From: <a@b.example>\\r\\nContent-Type: multipart/mixed; boundary=x\\r\\n\\r\\n--x\\r\\n\\r\\na\\r\\n--x--\\r\\n", "250 2.2.0 " },
		{ "From: <a@b.example>\\r\\nContent-Type: multipart/mixed; boundary=x\\r\\n\\r\\n--x\\r\\n\\r\\na\\r\\n", "554 5.6.0 message does not parse: part 1, " },
		{ "From: <a@b.example>\\r\\nContent-Type: multipart/mixed\\r\\n\\r\\nx\\r\\n", "554 5.6.0 message does not parse: part 1, " },
		{ "From: <a@b.example>\\r\\nContent-Type: multipart/mixed; boundary=x\\r\\n\\r\\n--x\\r\\nContent-Type: multipart/mixed\\r\\n\\r\\na\\r\\n--x--\\r\\n",
		    "554 5.6.0 message does not parse: part 2, " },
		{ "no header\\r\\n", "554 5.6.0 message does not parse: part 1, " },
	};
	struct arena *a = test_arena();
	struct rig r;

	rig_start(&r, RIG_LOCALSERVE);
	rig_script(&r, START);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		test_row("%s", rows[i].message);
		rig_script(&r, str_fmt(a, TO_MJL "B %s.\\r\\n\nS %s\n", rows[i].message, rows[i].reply).p);
	}
	rig_stop(&r);
}

TEST(pedantic)
{
	struct rig r;

	rig_start(&r, RIG_PEDANTIC);
	rig_script(&r, START TO_MJL "B Subject: t\xc3\xa9st\\r\\n\\r\\nx\\r\\n.\\r\\n\nS 550 5.6.0 \n");
	rig_script(&r, TO_MJL "B Subject: x\\r\\n\\r\\nt\xc3\xa9st\\r\\n.\\r\\n\nS 250 2.2.0 \n");
	rig_stop(&r);
}
