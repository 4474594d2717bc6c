/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "limits.h"

#include <stdbool.h>

#include <glib.h>

#define SIZE_LIMIT (256u << 20)
/* A vroute in an array in the platform has depth 3, a property of a viface's direction 7. */
#define DEPTH_LIMIT 16
/* A container takes some 240 bytes, another value 50: together less than 2 GB, and four times a platform of 100,000 vnodes. */
#define CONTAINERS_LIMIT 4000000u
#define VALUES_LIMIT 16000000u
#define STRING_LIMIT 65536

/* Moves behind the string whose '"' is before 'c'. */
static const char *skip_string(const char *c, const char *end, unsigned *line)
{
    for (; c < end && *c != '"'; c++) {
        if (*c == '\\' && c + 1 < end) {
            c++;
        }
        *line += *c == '\n';
    }
    return c < end ? c + 1 : c;
}

char *limits_check(const char *text, size_t size, unsigned *ret_line)
{
    unsigned line = 1, depth = 0, containers = 0, commas = 0;
    const char *end = text + size, *string;
    *ret_line = 0;
    if (size > SIZE_LIMIT) {
        return g_strdup_printf("the file has %zu bytes: expected at most %u", size, SIZE_LIMIT);
    }
    for (const char *c = text; c < end;) {
        *ret_line = line;
        switch (*c++) {
        case '\0':
            /* jansson would pass over it. */
            return g_strdup("a zero byte stands here: expected text in UTF-8");
        case '"':
            string = c;
            c = skip_string(c, end, &line);
            if (c - string > STRING_LIMIT) {
                return g_strdup_printf("a string of more than %d bytes begins here: expected none that long", STRING_LIMIT);
            }
            break;
        case '\n':
            line++;
            break;
        case '{':
        case '[':
            depth++;
            containers++;
            break;
        case '}':
        case ']':
            depth -= depth > 0;
            break;
        case ',':
            commas++;
            break;
        default:
            break;
        }
        if (depth > DEPTH_LIMIT) {
            return g_strdup_printf("brackets are nested more than %d deep: expected a topology, which needs 8", DEPTH_LIMIT);
        }
        if (containers > CONTAINERS_LIMIT || commas > VALUES_LIMIT) {
            return g_strdup_printf("there are more than %u %s up to here: expected fewer; equal vnodes can share one entry such as "
                                   "\"client[1-1000]\"",
                                   containers > CONTAINERS_LIMIT ? CONTAINERS_LIMIT : VALUES_LIMIT,
                                   containers > CONTAINERS_LIMIT ? "objects and arrays" : "values");
        }
    }
    return NULL;
}
