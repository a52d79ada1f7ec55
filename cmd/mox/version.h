/* SPDX-License-Identifier: MIT */
/* version.h - what this program calls itself. */
#ifndef MOX_VERSION_H
#define MOX_VERSION_H

/* version_string: the version, from the source tree's tag and commit at build time. A constant. */
const char *version_string(void);

#endif
