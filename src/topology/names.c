/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "names.h"

#include <string.h>

#include "distem/error.h"
#include "distem/ip.h"
#include "distem/platform.h"
#include "reader.h"

#define FILE_NAME_MAX_LENGTH 255

#define DIGITS_MAX 9 /* Of a bound, so that it fits 32 bits. */

bool names_check(const char *name, GError **error)
{
    size_t length = strlen(name);
    g_autofree char *shown = reader_printable(name);
    if (!length || length > NAME_MAX_LENGTH) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" cannot be a name: expected 1 to %d characters, not %zu", shown,
                    NAME_MAX_LENGTH, length);
    }
    for (const char *c = name; *c; c++) {
        if (!g_ascii_isalnum(*c) && !strchr("-_.", *c)) {
            return fail(error, DISTEM_ERROR_INVALID, 0,
                        "\"%s\" cannot be a name: expected only letters (a-z, A-Z), digits, \"-\", \"_\" and \".\"", shown);
        }
    }
    if (!g_ascii_isalnum(name[0]) || !g_ascii_isalnum(name[length - 1]) || strstr(name, "..")) {
        return fail(error, DISTEM_ERROR_INVALID, 0,
                    "\"%s\" cannot be a name: expected a letter or digit at both ends, and no two dots in a row", shown);
    }
    struct ip_addr addr;
    if (ip_addr_parse(name, &addr, NULL)) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" cannot be a name: it would be taken for an IP address", shown);
    }
    return true;
}

bool names_check_viface(const char *name, GError **error)
{
    size_t length = strlen(name);
    bool ok = length >= 1 && length <= VIFACE_NAME_MAX_LENGTH;
    static const char *const taken[] = {"lo", ".", ".."};
    for (unsigned i = 0; i < G_N_ELEMENTS(taken); i++) {
        ok = ok && strcmp(name, taken[i]) != 0;
    }
    /* The kernel forbids '/', ':' and blanks only; what remains of ASCII is safe in files and shells too. */
    for (const char *c = name; *c; c++) {
        ok = ok && (g_ascii_isalnum(*c) || strchr("-_.", *c));
    }
    if (!ok || name[0] == '-') {
        g_autofree char *shown = reader_printable(name);
        return fail(
            error, DISTEM_ERROR_INVALID, 0,
            "\"%s\" cannot be an interface's name: expected 1 to %d letters, digits, \"-\", \"_\" or \".\", such as if0; lo "
            "is the vnode's own",
            shown, VIFACE_NAME_MAX_LENGTH);
    }
    return true;
}

bool names_check_interface(const char *name, GError **error)
{
    size_t length = strlen(name);
    bool ok = length >= 1 && length <= VIFACE_NAME_MAX_LENGTH && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    for (const char *c = name; *c; c++) {
        ok = ok && g_ascii_isgraph(*c) && !strchr("/:", *c);
    }
    if (!ok) {
        g_autofree char *shown = reader_printable(name);
        return fail(
            error, DISTEM_ERROR_INVALID, 0,
            "\"%s\" cannot be an interface's name: expected 1 to %d characters without \"/\", \":\" and blanks, such as eth1",
            shown, VIFACE_NAME_MAX_LENGTH);
    }
    return true;
}

bool names_check_file(const char *name, GError **error)
{
    bool ok = *name && strlen(name) <= FILE_NAME_MAX_LENGTH;
    for (const char *c = name; *c; c++) {
        ok = ok && (g_ascii_isgraph(*c) || *c == ' ');
    }
    g_auto(GStrv) parts = g_strsplit(name, "/", -1);
    for (unsigned i = 0; parts[i]; i++) { /* An empty first part is the root. */
        ok = ok && *parts[i] && strcmp(parts[i], ".") != 0 && strcmp(parts[i], "..") != 0;
    }
    if (!ok) {
        g_autofree char *shown = reader_printable(name);
        return fail(error, DISTEM_ERROR_INVALID, 0,
                    "\"%s\" cannot be a file's name: expected a path within the topology's folder, in ASCII", shown);
    }
    return true;
}

/* Reads the digits from 'c' to 'end'. */
static bool bound_parse(const char *c, const char *end, uint32_t *ret)
{
    uint32_t number = 0;
    if (c == end || end - c > DIGITS_MAX) {
        return false;
    }
    for (; c < end; c++) {
        if (!g_ascii_isdigit(*c)) {
            return false;
        }
        number = number * 10 + (uint32_t)(*c - '0');
    }
    *ret = number;
    return true;
}

bool names_parse_range(const char *text, const char *open, struct names_range *ret, const char **ret_end, GError **error)
{
    g_autofree char *shown = reader_printable(text);
    const char *close = strchr(open, ']');
    const char *dash = close ? memchr(open, '-', (size_t)(close - open)) : NULL;
    uint32_t first, last;
    if (!dash || !bound_parse(open + 1, dash, &first) || !bound_parse(dash + 1, close, &last)) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" has no proper range: write it like client[1-100], with up to %d digits",
                    shown, DIGITS_MAX);
    }
    if (first > last) {
        return fail(error, DISTEM_ERROR_INVALID, 0, "the range in \"%s\" runs backwards: write [%u-%u]", shown, last, first);
    }
    size_t first_digits = (size_t)(dash - open - 1), last_digits = (size_t)(close - dash - 1);
    bool padded = (open[1] == '0' && first_digits > 1) || (dash[1] == '0' && last_digits > 1);
    if (padded && first_digits != last_digits) {
        return fail(error, DISTEM_ERROR_INVALID, 0,
                    "the range in \"%s\" has leading zeros: write both ends with the same number of digits, such as [001-100]",
                    shown);
    }
    *ret = (struct names_range){first, last, padded ? (unsigned)first_digits : 1};
    *ret_end = close + 1;
    return true;
}

/* Adds a range behind the text 'before', which is taken over. */
static void add_range(struct names *names, char *before, const struct names_range *numbers)
{
    unsigned i = names->ranges++;
    names->range[i].before = before;
    names->range[i].numbers = *numbers;
    uint64_t size = (uint64_t)numbers->last - numbers->first + 1;
    names->count = names->count > UINT64_MAX / size ? UINT64_MAX : names->count * size;
}

/* Reads the range that begins with the '[' at 'open', after the text from 'before' on. '*ret_end' is set to the place behind it. */
static bool range_parse(struct names *names, const char *text, const char *before, const char *open, const char **ret_end,
                        GError **error)
{
    struct names_range numbers = {0};
    if (!names_parse_range(text, open, &numbers, ret_end, error)) {
        return false;
    }
    if (names->ranges == RANGES_MAX) {
        g_autofree char *shown = reader_printable(text);
        return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" has too many ranges: expected at most %d", shown, RANGES_MAX);
    }
    add_range(names, g_strndup(before, (size_t)(open - before)), &numbers);
    return true;
}

/* Checks the first and the last name, which is the longest; in all else the names are the same. */
static bool check_both_ends(const struct names *names, GError **error)
{
    g_autoptr(GString) name = g_string_new(NULL);
    names_get(names, 0, name);
    if (!names_check(name->str, error)) {
        return false;
    }
    g_string_truncate(name, 0);
    for (unsigned i = 0; i < names->ranges; i++) {
        g_string_append_printf(name, "%s%0*u", names->range[i].before, (int)names->range[i].numbers.width,
                               names->range[i].numbers.last);
    }
    g_string_append(name, names->after);
    return names_check(name->str, error);
}

bool names_parse(const char *text, uint32_t count, struct names *ret, GError **error)
{
    struct names names = {.count = 1};
    const char *rest = text;
    for (const char *open; (open = strchr(rest, '['));) {
        if (!range_parse(&names, text, rest, open, &rest, error)) {
            names_clear(&names);
            return false;
        }
    }
    if (count && names.ranges) {
        names_clear(&names);
        g_autofree char *shown = reader_printable(text);
        return fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\" has both a range and a count: expected one of them", shown);
    }
    if (count) {
        add_range(&names, g_strdup(rest), &(struct names_range){1, count, 1});
        rest = "";
    }
    names.after = g_strdup(rest);
    if (!check_both_ends(&names, error)) {
        names_clear(&names);
        return false;
    }
    *ret = names;
    return true;
}

void names_clear(struct names *names)
{
    for (unsigned i = 0; i < names->ranges; i++) {
        g_free(names->range[i].before);
    }
    g_free(names->after);
    *names = (struct names){0};
}

void names_get(const struct names *names, uint64_t i, GString *ret)
{
    uint32_t numbers[RANGES_MAX] = {0};
    for (unsigned r = names->ranges; r-- > 0;) {
        const struct names_range *range = &names->range[r].numbers;
        uint64_t size = (uint64_t)range->last - range->first + 1;
        numbers[r] = range->first + (uint32_t)(i % size);
        i /= size;
    }
    g_string_truncate(ret, 0);
    for (unsigned r = 0; r < names->ranges; r++) {
        g_string_append(ret, names->range[r].before);
        g_string_append_printf(ret, "%0*u", (int)names->range[r].numbers.width, numbers[r]);
    }
    g_string_append(ret, names->after);
}
