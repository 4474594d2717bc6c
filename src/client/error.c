/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "internal.h"

#include <stdarg.h>
#include <string.h>

void distem_error_clear(struct distem_error *error)
{
    g_free(error->message);
    json_decref(error->details);
    memset(error, 0, sizeof *error);
}

bool client_fail(struct distem_error *error, const char *code, const char *format, ...)
{
    if (error) {
        distem_error_clear(error);
        g_strlcpy(error->code, code, sizeof error->code);
        va_list args;
        va_start(args, format);
        error->message = g_strdup_vprintf(format, args);
        va_end(args);
    }
    return false;
}

bool client_fail_answer(struct distem_error *error, long status, const char *body, size_t size)
{
    json_t *answer = json_loadb(body, size, 0, NULL);
    const char *code = NULL, *message = NULL;
    json_t *details = NULL;
    if (json_unpack(answer, "{s{ss, ss, s?o}}", "error", "code", &code, "message", &message, "details", &details) < 0) {
        client_fail(error, "system", "the server answered with HTTP status %ld and no explanation: is it distemd?", status);
    } else {
        client_fail(error, code, "%s", message);
        if (error && json_array_size(details)) {
            error->details = json_incref(details);
        }
    }
    json_decref(answer);
    return false;
}
