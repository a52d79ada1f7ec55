/* SPDX-License-Identifier: MIT */
/*
 * Writing structured header fields piece by piece, with folds between pieces.
 */
#include "message/compose.h"

#define WIDTH 76        /* columns that a line may have before a piece goes to the next one */

/* put writes text that comes from elsewhere: nothing in it may end the line. */
static void
put(struct message_folder *f, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		buf_addc(f->b, (c < ' ' && c != '\t') || c == 0x7f ? ' ' : (char)c);
	}
	f->col += s.n;
}

void
message_folder_begin(struct message_folder *f, struct buf *b, const char *name)
{
	*f = (struct message_folder){ .b = b };
	buf_addz(b, name);
	buf_addc(b, ':');
	f->col = strlen(name) + 1;
}

void
message_folder_newline(struct message_folder *f)
{
	buf_add(f->b, S("\r\n\t"));
	f->col = 1;
	f->started = false;
}

void
message_folder_add(struct message_folder *f, struct str separator, struct str piece)
{
	if (!f->started) {
		/* After the name a space; after a fold its tab is the space. */
		if (f->col > 1)
			put(f, S(" "));
	} else if (f->col + separator.n + piece.n > WIDTH) {
		/* A separator other than white space stays with what it follows. */
		put(f, str_trim(separator));
		message_folder_newline(f);
	} else {
		put(f, separator);
	}
	put(f, piece);
	f->started = true;
}

void
message_folder_wrap(struct message_folder *f, struct str text, bool anywhere)
{
	if (!f->started && f->col > 1)
		put(f, S(" "));
	f->started = true;
	while (text.n > 0) {
		size_t room = f->col < WIDTH ? WIDTH - f->col : 0;
		if (text.n <= room) {
			put(f, text);
			return;
		}
		size_t cut = room;
		if (!anywhere) {
			ssize_t sp = str_rfind(str_upto(text, room + 1), ' ');
			if (sp < 0 && f->col <= 1)
				sp = str_find(text, ' ');       /* longer than a line: it has to stand */
			if (sp < 0 && f->col <= 1) {
				put(f, text);
				return;
			}
			cut = sp < 0 ? 0 : (size_t)sp;
		}
		put(f, str_upto(text, cut));
		text = str_from(text, cut);
		if (!anywhere && text.n > 0 && text.p[0] == ' ')
			text = str_from(text, 1);       /* the fold is the space */
		if (text.n > 0) {
			message_folder_newline(f);
			f->started = true;
		}
	}
}

void
message_folder_end(struct message_folder *f)
{
	buf_add(f->b, S("\r\n"));
}
