/* SPDX-License-Identifier: MIT */
#include "message/maildir.h"

/* folder_of turns ".Parent.Child" into "Parent/Child". */
static int
folder_of(struct arena *a, struct str dir, struct str *r_folder)
{
	struct strlist levels = { 0 };

	if (!str_starts(dir, S(".")))
		return ERR_INVALID;
	dir = str_from(dir, 1);
	for (;;) {
		bool more = str_has(dir, '.');
		struct str level = str_split(&dir, '.');

		if (level.n == 0 || str_has(level, '/'))
			return ERR_INVALID;
		strlist_add(a, &levels, level);
		if (!more)
			break;
	}
	*r_folder = strlist_join(a, &levels, S("/"));
	return 0;
}

static void
read_flags(struct str flags, struct message_maildir *m)
{
	for (size_t i = 0; i < flags.n; i++) {
		char c = flags.p[i];

		m->answered |= c == 'R';
		m->seen |= c == 'S';
		m->deleted |= c == 'T';
		m->draft |= c == 'D';
		m->flagged |= c == 'F';
		if (c >= 'a' && c <= 'z')
			m->keywords |= UINT32_C(1) << (c - 'a');
	}
}

/* cut_info takes ":2,flags" off the name. */
static struct str
cut_info(struct str *name)
{
	for (size_t i = name->n; i-- > 0;) {
		if (name->p[i] != ':' && name->p[i] != ';')
			continue;
		struct str info = str_from(*name, i + 1);

		if (!str_starts(info, S("2,")))
			break;
		*name = str_upto(*name, i);
		return str_from(info, 2);
	}
	return S("");
}

/* read_sizes looks at what follows the host: ",S=1,W=2". */
static void
read_sizes(struct str fields, struct message_maildir *m)
{
	while (fields.n > 0) {
		struct str field = str_split(&fields, ',');
		int64_t v;

		if (field.n > 2 && field.p[1] == '=' && str_i64(str_from(field, 2), &v) == 0 && v >= 0) {
			if (field.p[0] == 'S')
				m->size = v;
			else if (field.p[0] == 'W')
				m->crlf_size = v;
		}
	}
}

/* The time counts only in a name of the usual form, with two dots at least. */
static int64_t
received_of(struct str name)
{
	struct str rest = name, first = str_split(&rest, '.');
	int64_t s;

	return str_has(rest, '.') && str_i64(first, &s) == 0 && s > 0 ? s : 0;
}

int
message_maildir_name(struct arena *a, struct str path, struct message_maildir *r_m)
{
	struct message_maildir m = { .size = -1, .crlf_size = -1 };
	struct str name = path, dir = str_split(&name, '/'), folder = S("");

	if (str_has(name, '/')) {
		TRY(folder_of(a, dir, &folder));
		dir = str_split(&name, '/');
	}
	m.folder = folder;
	m.is_new = str_is(dir, S("new"));
	if ((!m.is_new && !str_is(dir, S("cur"))) || name.n == 0 || str_has(name, '/') || name.p[0] == '.')
		return ERR_INVALID;
	read_flags(cut_info(&name), &m);
	m.received_s = received_of(name);
	str_split(&name, ',');
	read_sizes(name, &m);
	*r_m = m;
	return 0;
}
