/* SPDX-License-Identifier: Apache-2.0 */
/* Text for people: wrapped, shortened, counted; numbers with units. Pure. */
#ifndef DISTEM_CLI_TEXT_H
#define DISTEM_CLI_TEXT_H 1

#include <stdint.h>

#include <glib.h>

/* Breaks 'text' at blanks into lines of at most 'width' columns; lines after the first begin with 'indent' blanks, which do not
 * count. Line breaks in 'text' stay. The caller frees the result. */
char *text_wrap(const char *text, unsigned width, unsigned indent);
/* Returns how many columns of a terminal 'text' takes. */
unsigned text_width(const char *text);
/* Returns 'text' cut to at most 'width' columns, with "…" (or "~" when 'ascii') for what is missing. The caller frees. */
char *text_shorten(const char *text, unsigned width, gboolean ascii);

/* "1 vnode", "5 vnodes", "100,000 vnodes": the plural has an s. The caller frees. */
char *text_count(int64_t n, const char *word);
/* A time with its unit and 3 digits behind the point: "160.112 ms", "1.500 s". The caller frees. */
char *text_ns(double ns);
/* A rate with the unit that fits: "143.5 kbit/s", "19.14 Mbit/s". The caller frees. */
char *text_rate(double bits_per_s);
/* A size in bytes with a binary unit: "960.7 MiB". The caller frees. */
char *text_size(uint64_t bytes);
/* A fraction as a percentage: "1%", "0.05%"; with its sign and 2 digits when 'is_error': "+0.07%". The caller frees. */
char *text_percent(double fraction, gboolean is_error);

#endif
