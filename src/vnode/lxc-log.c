/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "lxc-log.h"

#include <string.h>

#include <glib.h>

char *lxc_log_cause(const char *text)
{
    const char *line = strstr(text, " ERROR ");
    if (!line) {
        return NULL;
    }
    g_autofree char *cut = g_strndup(line, strcspn(line, "\n"));
    const char *place = strstr(cut, " - ");
    const char *message = place ? strstr(place + 3, " - ") : NULL;
    return g_utf8_make_valid(message ? message + 3 : cut, -1);
}
