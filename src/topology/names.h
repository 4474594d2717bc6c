/* SPDX-License-Identifier: Apache-2.0 */
/* Names, and names that stand for many: "client[1-100]", "n[01-10]", "r[1-2]c[1-3]". */
#ifndef TOPOLOGY_NAMES_H
#define TOPOLOGY_NAMES_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#define RANGES_MAX 8

/* What stands for a number in a name: "[1-100]". */
struct names_range {
    uint32_t first, last;
    unsigned width; /* Digits, filled up with zeros; 1: as many as the number has. */
};

/* A name with numbers left out. */
struct names {
    unsigned ranges;
    struct {
        char *before; /* The text in front of the number. */
        struct names_range numbers;
    } range[RANGES_MAX];
    char *after;
    uint64_t count; /* How many names; saturates at UINT64_MAX. */
};

/* Say whether 'name' may name a platform, vnetwork, vnode or pnode: letters, digits, '-', '_' and '.', a letter or digit first and
 * last, at most 63 bytes, and no IP address; or a viface: what Linux takes as an interface's name, at most 15 bytes, and not lo. */
bool names_check(const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool names_check_viface(const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* ... a machine's physical interface: whatever Linux takes, as long as it can be printed. */
bool names_check_interface(const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ... a file beside the topology's or below it: a path of printable ASCII characters that does not lead out of there. */
bool names_check_file(const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads a name with any number of ranges, or none. 'count' other than 0 appends a range from 1 to it; then there may be none in
 * 'text'. Every name that it stands for is valid. The caller calls names_clear(). */
bool names_parse(const char *text, uint32_t count, struct names *ret, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void names_clear(struct names *);

/* Reads the range at 'open', a '[' in 'text' (for messages). '*ret_end' is set to the place behind it. */
bool names_parse_range(const char *text, const char *open, struct names_range *ret, const char **ret_end, GError **error);

/* Writes name 'i' (0 <= i < count) to 'ret', replacing what is there; the last range counts fastest. */
void names_get(const struct names *, uint64_t i, GString *ret);

#endif
