/* SPDX-License-Identifier: MIT */
/*
 * banned.h - functions that have no safe use here; force-included into every file. System headers come first, so that their own
 * declarations pass.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED(f) mox_banned_##f
#undef strcpy
#undef strncpy
#undef strcat
#undef strncat
#undef sprintf
#undef vsprintf
#undef strtok
#undef atoi
#undef atol
#undef gmtime
#undef localtime
#undef ctime
#undef asctime
#undef strerror
#undef rand
#undef mktemp
#undef system
#undef isalpha
#undef isdigit
#undef isalnum
#undef isspace
#undef isupper
#undef islower
#undef toupper
#undef tolower
#define strcpy BANNED(strcpy)
#define strncpy BANNED(strncpy)
#define strcat BANNED(strcat)
#define strncat BANNED(strncat)
#define sprintf BANNED(sprintf)
#define vsprintf BANNED(vsprintf)
#define strtok BANNED(strtok)
#define atoi BANNED(atoi)
#define atol BANNED(atol)
#define gmtime BANNED(gmtime)
#define localtime BANNED(localtime)
#define ctime BANNED(ctime)
#define asctime BANNED(asctime)
#define strerror BANNED(strerror)
#define rand BANNED(rand)
#define mktemp BANNED(mktemp)
#define system BANNED(system)
#define isalpha BANNED(isalpha)
#define isdigit BANNED(isdigit)
#define isalnum BANNED(isalnum)
#define isspace BANNED(isspace)
#define isupper BANNED(isupper)
#define islower BANNED(islower)
#define toupper BANNED(toupper)
#define tolower BANNED(tolower)

#endif
