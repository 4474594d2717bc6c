/* SPDX-License-Identifier: Apache-2.0 */
/* Structured, levelled logging for the daemons: one line per event on standard error,
 *     2026-01-31T12:00:00.123Z info pnode "vnode started" vnode=n1 pid=4711
 * or, under systemd, with the priority prefix that journald understands and without the time. */
#ifndef DISTEM_LOG_H
#define DISTEM_LOG_H 1

#include <stdbool.h>

#include <glib.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Sets the highest level that is written; the default is LOG_LEVEL_INFO. */
void log_set_level(enum log_level);
/* Reads "error", "warning", "info" or "debug". */
bool log_level_parse(const char *text, enum log_level *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes an event of 'module'. 'event' is a constant phrase; then pairs of key and printf-formatted value:
 *     log_event(LOG_LEVEL_INFO, "pnode", "vnode started", "vnode=%s pid=%d", name, pid);
 * 'fields' may be "". Values with blanks are put between double quotes by
 * the caller. Newlines and other control characters become blanks. Keeps errno. */
void log_event(enum log_level, const char *module, const char *event, const char *fields, ...) G_GNUC_PRINTF(4, 5);

#define log_error(module, event, ...) log_event(LOG_LEVEL_ERROR, module, event, __VA_ARGS__)
#define log_warning(module, event, ...) log_event(LOG_LEVEL_WARNING, module, event, __VA_ARGS__)
#define log_info(module, event, ...) log_event(LOG_LEVEL_INFO, module, event, __VA_ARGS__)
#define log_debug(module, event, ...) log_event(LOG_LEVEL_DEBUG, module, event, __VA_ARGS__)

#endif
