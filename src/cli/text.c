/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "text.h"

#include <math.h>
#include <string.h>

char *text_wrap(const char *text, unsigned width, unsigned indent)
{
    GString *wrapped = g_string_new(NULL);
    unsigned column = 0;
    while (*text) {
        size_t size = strcspn(text, " \n");
        g_autofree char *word = g_strndup(text, size);
        unsigned word_width = text_width(word);
        if (column && column + 1 + word_width > width) {
            g_string_append_printf(wrapped, "\n%*s", (int)indent, "");
            column = 0;
        }
        if (column) {
            g_string_append_c(wrapped, ' ');
            column++;
        }
        g_string_append(wrapped, word);
        column += word_width;
        text += size;
        while (*text == ' ') {
            text++;
        }
        while (*text == '\n') {
            g_string_append_printf(wrapped, "\n%*s", text[1] == '\n' ? 0 : (int)indent, "");
            column = 0;
            text++;
        }
    }
    return g_string_free(wrapped, FALSE);
}

unsigned text_width(const char *text)
{
    unsigned width = 0;
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        width += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
    }
    return width;
}

char *text_shorten(const char *text, unsigned width, gboolean ascii)
{
    if (text_width(text) <= width) {
        return g_strdup(text);
    }
    GString *shortened = g_string_new(NULL);
    unsigned used = 1; /* Of the mark at the end. */
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        used += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
        if (used > width) {
            break;
        }
        g_string_append_unichar(shortened, c);
    }
    g_string_append(shortened, ascii ? "~" : "…");
    return g_string_free(shortened, FALSE);
}

/* Puts a comma between each three digits. */
static char *group_digits(int64_t n)
{
    g_autofree char *digits = g_strdup_printf("%" G_GINT64_FORMAT, n);
    GString *text = g_string_new(NULL);
    size_t length = strlen(digits);
    for (size_t i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0 && digits[i - 1] != '-') {
            g_string_append_c(text, ',');
        }
        g_string_append_c(text, digits[i]);
    }
    return g_string_free(text, FALSE);
}

char *text_count(int64_t n, const char *word)
{
    g_autofree char *number = group_digits(n);
    return g_strdup_printf("%s %s%s", number, word, n == 1 ? "" : "s");
}

char *text_ns(double ns)
{
    return fabs(ns) < 1e9 ? g_strdup_printf("%.3f ms", ns / 1e6) : g_strdup_printf("%.3f s", ns / 1e9);
}

char *text_rate(double bits_per_s)
{
    static const char *const units[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"};
    unsigned unit = 0;
    while (bits_per_s >= 999.5 && unit + 1 < G_N_ELEMENTS(units)) {
        bits_per_s /= 1000;
        unit++;
    }
    return g_strdup_printf("%.*f %s", bits_per_s < 10 ? 3 : bits_per_s < 100 ? 2 : 1, bits_per_s, units[unit]);
}

char *text_percent(double fraction, gboolean is_error)
{
    return is_error ? g_strdup_printf("%+.2f%%", fraction * 100) : g_strdup_printf("%.4g%%", fraction * 100);
}

char *text_size(uint64_t bytes)
{
    g_autofree char *text = g_format_size_full(bytes, G_FORMAT_SIZE_IEC_UNITS);
    /* GLib puts a no-break space between number and unit. */
    g_auto(GStrv) parts = g_strsplit(text, "\302\240", -1);
    return g_strjoinv(" ", parts);
}
