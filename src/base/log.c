/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "distem/error.h"

static const char *const level_names[] = {"error", "warning", "info", "debug"};
/* The priorities of sd-daemon(3). */
static const int level_priorities[] = {3, 4, 6, 7};
static enum log_level highest = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    highest = level;
}

bool log_level_parse(const char *text, enum log_level *ret, GError **error)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(level_names); i++) {
        if (!strcmp(text, level_names[i])) {
            *ret = i;
            return true;
        }
    }
    return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" is no log level: write error, warning, info or debug", text);
}

void log_event(enum log_level level, const char *module, const char *event, const char *fields, ...)
{
    if (level > highest) {
        return;
    }
    int saved_errno = errno;
    GString *line = g_string_new(NULL);
    if (getenv("JOURNAL_STREAM")) {
        g_string_append_printf(line, "<%d>", level_priorities[level]);
    } else {
        g_autoptr(GDateTime) now = g_date_time_new_now_utc();
        g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S");
        g_string_append_printf(line, "%s.%03dZ ", time, g_date_time_get_microsecond(now) / 1000);
    }
    g_string_append_printf(line, "%s %s \"%s\"", level_names[level], module, event);
    if (*fields) {
        g_string_append_c(line, ' ');
        size_t start = line->len;
        va_list args;
        va_start(args, fields);
        g_string_append_vprintf(line, fields, args);
        va_end(args);
        /* One event is one line without terminal sequences, whatever a message brings along. */
        for (char *c = line->str + start; *c; c++) {
            if (g_ascii_iscntrl(*c)) {
                *c = ' ';
            }
        }
    }
    g_string_append_c(line, '\n');
    /* One write(2), so that lines of several processes do not mix; a log that cannot be written has nobody to tell. */
    ssize_t written = write(STDERR_FILENO, line->str, line->len);
    (void)written;
    g_string_free(line, TRUE);
    errno = saved_errno;
}
