/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "meter.h"

#include <stdio.h>

#include <glib.h>

#include "terminal.h"
#include "text.h"

#define FIRST_INTERVAL G_USEC_PER_SEC /* Between the first two lines where there is no terminal; then twice that, and so on. */
#define BAR_MAX 50u

void meter_begin(struct meter *meter, const char *done_word, bool silent)
{
    *meter = (struct meter){
        .done_word = done_word, .silent = silent, .start = g_get_monotonic_time(), .interval = FIRST_INTERVAL, .written = -1};
}

double meter_seconds(const struct meter *meter)
{
    return (double)(g_get_monotonic_time() - meter->start) / G_USEC_PER_SEC;
}

/* Writes a bar of 'size' columns. */
static void draw_bar(unsigned size, int64_t done, int64_t total)
{
    bool unicode = terminal_has_unicode();
    unsigned full = total ? (unsigned)((double)size * (double)MIN(done, total) / (double)total) : 0;
    fprintf(stderr, "\r%s", terminal_color(stderr, COLOR_GREEN));
    for (unsigned i = 0; i < size; i++) {
        if (i == full) {
            fprintf(stderr, "%s%s", terminal_plain(stderr), terminal_color(stderr, COLOR_DIM));
        }
        fputs(i < full ? (unicode ? "━" : "#") : (unicode ? "─" : "-"), stderr);
    }
    fputs(terminal_plain(stderr), stderr);
}

void meter_show(struct meter *meter, int64_t done, int64_t total, int64_t failed)
{
    int64_t now = g_get_monotonic_time();
    if (meter->silent) {
        return;
    }
    g_autofree char *count = total
                                 ? g_strdup_printf("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " %s", done, total, meter->done_word)
                                 : g_strdup("working");
    g_autofree char *failures = failed ? g_strdup_printf(", %" G_GINT64_FORMAT " failed", failed) : g_strdup("");
    unsigned width = terminal_width(stderr);
    if (width) {
        g_autofree char *text = g_strdup_printf(" %s%s  %.1f s", count, failures, meter_seconds(meter));
        unsigned text_size = text_width(text);
        /* The last column stays free: some terminals begin a new line behind it. */
        unsigned bar = width - 1 > text_size ? MIN(width - 1 - text_size, BAR_MAX) : 0;
        draw_bar(bar, done, total);
        fprintf(stderr, "%s%*s", text, (int)(width - 1 > bar + text_size ? width - 1 - bar - text_size : 0), "");
        meter->on_line = true;
    } else if (total && done != meter->written && (done == total || now - meter->last >= meter->interval)) {
        fprintf(stderr, "%s%s\n", count, failures);
        meter->interval *= meter->last ? 2 : 1;
        meter->written = done;
        meter->last = now;
    }
    fflush(stderr);
}

void meter_clear(struct meter *meter)
{
    if (meter->on_line) {
        fprintf(stderr, "\r%*s\r", (int)terminal_width(stderr) - 1, "");
        fflush(stderr);
        meter->on_line = false;
    }
}
