/* SPDX-License-Identifier: Apache-2.0 */
/* Quantities with their units, as text and as integers. Reading is strict: a bare number, a unit that means different things in
 * different tools ("mbps"), a negative or too large value is refused with a message that says what to write. Writing is exact:
 * reading what was written gives the same integer. "0" alone needs no unit. */
#ifndef DISTEM_UNITS_H
#define DISTEM_UNITS_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
/* Probabilities are kept in billionths, so that every decimal percentage with 7 digits behind the point is exact. */
#define PPB_ONE UINT32_C(1000000000)

/* Reads a time such as "20ms", "1.5s", "250us", "10ns". Returns ns, 0 <= ns < 2^62. */
bool time_parse(const char *text, int64_t *ret_ns, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Reads a rate such as "10Mbit/s", "150kbit/s", "1.5Gbit/s", "4096bit/s" (decimal multiples). Returns bit/s, below 2^62. */
bool rate_parse(const char *text, uint64_t *ret_bits_per_s, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Reads a size such as "512MiB", "64kB", "1GiB", "1500B" (kB, MB, GB decimal; KiB, MiB, GiB, TiB binary). Returns bytes. */
bool size_parse(const char *text, uint64_t *ret_bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Reads a percentage such as "0.5%", from 0% to 100%. Returns billionths. */
bool percent_parse(const char *text, uint32_t *ret_ppb, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Reads a frequency such as "2.4GHz", "800MHz". Returns Hz. */
bool frequency_parse(const char *text, uint64_t *ret_hz, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Write the shortest text that reads back as the same value ("20ms", "12.5ms", "10Mbit/s", "256MiB", "0.5%", "2.4GHz").
 * The caller frees the result. */
char *time_format(int64_t ns) G_GNUC_WARN_UNUSED_RESULT;
char *rate_format(uint64_t bits_per_s) G_GNUC_WARN_UNUSED_RESULT;
char *size_format(uint64_t bytes) G_GNUC_WARN_UNUSED_RESULT;
char *percent_format(uint32_t ppb) G_GNUC_WARN_UNUSED_RESULT;
char *frequency_format(uint64_t hz) G_GNUC_WARN_UNUSED_RESULT;

#endif
