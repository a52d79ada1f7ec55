/* SPDX-License-Identifier: MIT */
/*
 * limits.h - every limit on a size that a peer controls, each with its reason.
 *
 * Passing one is a normal protocol error (552, NO [LIMIT], BAD [TOOBIG] ...), never a crash. Sizes are bytes unless said otherwise.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* SMTP (RFC 5321 4.5.3.1 gives minimums) */
#define LIMIT_SMTP_LINE 2048                    /* command line with CRLF; RFC minimum 512 plus extensions */
#define LIMIT_SMTP_AUTH_LINE 12288              /* base64 line within AUTH: rfc/4954:253 */
#define LIMIT_SMTP_RCPTS 1000                   /* recipients of a transaction; RFC minimum 100 */
#define LIMIT_SMTP_REPLY_LINE 510               /* of what we send, without CRLF */
#define LIMIT_SMTP_PEER_REPLY (64 * 1024)       /* a whole reply of a server that we deliver to; servers with many extensions need 1 KiB */
#define LIMIT_SMTP_PEER_REPLY_LINES 200         /* lines of it */
#define LIMIT_SMTP_BAD_TRANSACTIONS 10          /* without a good one, then the connection ends */
#define LIMIT_MESSAGE_SIZE (100 * 1024 * 1024)  /* default SMTPMaxMessageSize */
#define LIMIT_LOCALPART 128                     /* octets; 64 when pedantic (rfc/5321:3486) */
#define LIMIT_PATH 256                          /* octets with brackets */
#define LIMIT_DOMAIN 255

/* IMAP */
#define LIMIT_IMAP_LINE (16 * 1024)             /* RFC 7162 recommends at least 8192 */
#define LIMIT_IMAP_PREAUTH_INPUT (16 * 1024)    /* all buffered input of a connection before login */
#define LIMIT_IMAP_LITERAL (100 * 1024)         /* a literal that is not message data */
#define LIMIT_IMAP_COMMAND (1000 * 1024)        /* all input of one command, without message data */
#define LIMIT_IMAP_LITERALS 1000                /* count per command */
#define LIMIT_IMAP_DEPTH 100                    /* parentheses, NOT/OR nesting of SEARCH */
#define LIMIT_IMAP_SET_RANGES 100000            /* ranges of one sequence set */
#define LIMIT_IMAP_APPEND_MESSAGES 1000         /* messages of one MULTIAPPEND */
#define LIMIT_IMAP_APPEND LIMIT_MESSAGE_SIZE    /* of a message by APPEND or REPLACE: told as APPENDLIMIT */
#define LIMIT_IMAP_AUTH_LINE 12288

/* Message parsing */
#define LIMIT_MIME_DEPTH 100                    /* nesting of parts and embedded messages */
#define LIMIT_MIME_PARTS 10000                  /* parts of a message in all */
#define LIMIT_HEADER_SIZE (1024 * 1024)         /* header section of a part that is parsed; more is body */
#define LIMIT_HEADER_PARAMS 256                 /* parameters of one field, RFC 2231 pieces included */
#define LIMIT_LINE_LENIENT 8192
#define LIMIT_LINE_STRICT 1000                  /* with CRLF: rfc/5322:363 */
#define LIMIT_ADDRESSES 10000                   /* addresses of one field kept in an envelope */
#define LIMIT_MESSAGE_ADDRESSES 50000           /* of all envelopes of a message, embedded ones included */
#define LIMIT_MESSAGE_PARAMS 20000              /* parameters of all parts of a message */
#define LIMIT_MESSAGE_STRINGS (2 * 1024 * 1024) /* bytes of header values that a parse result keeps in all */
#define LIMIT_COMMENT_DEPTH 20                  /* nested comments */

/* Connections */
#define LIMIT_CONN_OUT (64 * 1024)              /* output buffered for a connection before a worker waits */
#define LIMIT_CONN_SPILL (256L * 1024 * 1024)   /* output of a unit put in a file because too many workers wait for slow peers already */
#define LIMIT_CONN_IN_TOTAL (256L * 1024 * 1024) /* all input buffers of the process */
#define LIMIT_SPOOL_MEMORY (128 * 1024)         /* of one DATA or literal kept in memory; beyond, it goes to a file */
#define LIMIT_RATELIMIT_KEYS (150 * 1000)       /* addresses and networks counted per window of a limiter: 7 MiB */
#define LIMIT_CHANGES_PENDING 10000             /* changes queued for a session before it is told to resynchronise */

/* HTTP */
#define LIMIT_HTTP_HEAD (16 * 1024)             /* request line and fields; browsers send at most 8 KiB of cookies and the like */
#define LIMIT_HTTP_RESPONSE_HEAD (64 * 1024)    /* fields of a response that we asked for */

/* Logins */
#define LIMIT_AUTH_CACHE 100000                 /* verified passwords kept; about 200 bytes each */
#define LIMIT_LOGIN_FIELD 512                   /* of a text in the log of login attempts */

/* Storage */
#define LIMIT_MAILBOX_NAME 1000                 /* octets of a full mailbox name */
#define LIMIT_KEYWORDS 100                      /* keywords of one message */
#define LIMIT_KEYWORD 128                       /* octets of one keyword */
#define LIMIT_MAILBOX_KEYWORDS 1000             /* different ones ever used in a mailbox: every SELECT sends them all */
#define LIMIT_ANNOTATIONS 1000                  /* live ones of an account: an IMAP command lists them all */
#define LIMIT_ANNOTATIONS_SIZE 1000000          /* bytes of their keys and values; told to clients as METADATA MAXSIZE */
#define LIMIT_PARSED_SIZE (4 * 1024 * 1024)     /* serialised structure of a message that is kept; a larger one is parsed when needed */
#define LIMIT_JUNK_WORDS 20000                  /* words of one message that the junk filter takes: each is a row to look up */
#define LIMIT_JUNK_TEXT (1024 * 1024)           /* text of one message that it reads; junk is small */
#define LIMIT_THREAD_REFERENCES 100             /* closest ones that are looked up at delivery, under the account lock */

/* Reports of other mail systems (DMARC, TLS) */
#define LIMIT_REPORT_MESSAGE (15 * 1024 * 1024) /* message that is looked into for a report; common limits for mail are 10 MiB and more */
#define LIMIT_REPORT_SIZE (20 * 1024 * 1024)    /* of a report, decompressed */
#define LIMIT_REPORT_RECORDS 100000             /* rows of a DMARC report, with their results; large senders reach some thousands */

/* JSON and configuration */
#define LIMIT_JSON_DEPTH 100
#define LIMIT_JSON_VALUES 500000                /* numbers, strings, ... of one text: each costs cJSON 64 bytes and more */
#define LIMIT_CONFIG_SIZE (16 * 1024 * 1024)

#endif
