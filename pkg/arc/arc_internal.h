/* SPDX-License-Identifier: MIT */
/* arc_internal.h - shared by the files of arc. */
#ifndef ARC_ARC_INTERNAL_H
#define ARC_ARC_INTERNAL_H

#include <stdarg.h>

#include "arc/arc.h"

/* The fields of a set, in the order in which a seal covers them: rfc/8617:819 */
enum arc_kind { ARC_AAR, ARC_AMS, ARC_AS, ARC_KINDS };
extern const char *const arc_names[ARC_KINDS];

/* arc_read_header gives the header with the empty line, or the whole message if it has only a header. */
int arc_read_header(struct arena *a, const struct message_source *msg, struct str *r_header) must_use_;

#endif
