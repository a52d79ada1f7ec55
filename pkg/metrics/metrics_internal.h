/* SPDX-License-Identifier: MIT */
/*
 * metrics_internal.h - shared between the files of this package.
 */
#ifndef METRICS_METRICS_INTERNAL_H
#define METRICS_METRICS_INTERNAL_H

/* metrics_register_process registers the metrics of the process and of the log, once. */
void metrics_register_process(void);

#endif
