/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/error.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    unsigned http_status;
} codes[] = {
    [DISTEM_ERROR_INVALID] = {"invalid", 400},         [DISTEM_ERROR_NOT_FOUND] = {"not-found", 404},
    [DISTEM_ERROR_CONFLICT] = {"conflict", 409},       [DISTEM_ERROR_TOO_LARGE] = {"too-large", 413},
    [DISTEM_ERROR_CAPACITY] = {"capacity", 507},       [DISTEM_ERROR_UNSUPPORTED] = {"unsupported", 501},
    [DISTEM_ERROR_UNAVAILABLE] = {"unavailable", 503}, [DISTEM_ERROR_SYSTEM] = {"system", 500},
};

/* Not by G_DEFINE_QUARK(): the formatter would put blanks into its name. */
GQuark distem_error_quark(void)
{
    return g_quark_from_static_string("distem-error-quark");
}

const char *distem_error_name(int code)
{
    return codes[code >= 0 && code < (int)G_N_ELEMENTS(codes) ? code : DISTEM_ERROR_SYSTEM].name;
}

unsigned distem_error_http_status(int code)
{
    return codes[code >= 0 && code < (int)G_N_ELEMENTS(codes) ? code : DISTEM_ERROR_SYSTEM].http_status;
}

int distem_error_from_name(const char *name)
{
    for (int code = 0; code < (int)G_N_ELEMENTS(codes); code++) {
        if (!strcmp(codes[code].name, name)) {
            return code;
        }
    }
    return DISTEM_ERROR_SYSTEM;
}

bool fail(GError **error, int code, int errnum, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    if (errnum) {
        g_set_error(error, DISTEM_ERROR, code, "%s: %s", message, g_strerror(errnum));
    } else {
        g_set_error_literal(error, DISTEM_ERROR, code, message);
    }
    return false;
}

static void diagnostic_free(void *data)
{
    struct diagnostic *d = data;
    g_free(d->file);
    g_free(d->pointer);
    g_free(d->message);
    g_free(d);
}

void diagnostics_add(struct diagnostics *problems, const char *file, unsigned line, const char *pointer, const char *format, ...)
{
    if (!problems->list) {
        problems->list = g_ptr_array_new_with_free_func(diagnostic_free);
    }
    struct diagnostic *d = g_new0(struct diagnostic, 1);
    d->file = g_strdup(file);
    d->line = line;
    d->pointer = g_strdup(pointer);
    va_list args;
    va_start(args, format);
    d->message = g_strdup_vprintf(format, args);
    va_end(args);
    g_ptr_array_add(problems->list, d);
}

unsigned diagnostics_count(const struct diagnostics *problems)
{
    return problems->list ? problems->list->len : 0;
}

const struct diagnostic *diagnostics_get(const struct diagnostics *problems, unsigned i)
{
    return problems->list->pdata[i];
}

char *diagnostic_format(const struct diagnostic *d)
{
    GString *text = g_string_new(NULL);
    if (d->file) {
        g_string_append(text, d->file);
        g_string_append_c(text, ':');
    }
    if (d->line) {
        g_string_append_printf(text, "%u:", d->line);
    }
    if (d->pointer && *d->pointer) {
        g_string_append_printf(text, "%s%s:", text->len ? " " : "", d->pointer);
    }
    if (text->len) {
        g_string_append_c(text, ' ');
    }
    g_string_append(text, d->message);
    return g_string_free(text, FALSE);
}

void diagnostics_clear(struct diagnostics *problems)
{
    if (problems->list) {
        g_ptr_array_unref(problems->list);
        problems->list = NULL;
    }
}
