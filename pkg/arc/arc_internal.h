/* SPDX-License-Identifier: MIT */
/* arc_internal.h - shared by the files of arc. */
#ifndef ARC_ARC_INTERNAL_H
#define ARC_ARC_INTERNAL_H

#include <stdarg.h>

#include "arc/arc.h"

extern const char *const arc_names[ARC_KINDS];

#endif
