/* SPDX-License-Identifier: Apache-2.0 */
/* Which route a request takes, and where it comes from. Pure. */
#include <config.h>

#include "internal.h"

#include <string.h>

#include "distem/ip.h"

char *percent_decode(const char *text, size_t size, GError **error)
{
    g_autoptr(GString) decoded = g_string_sized_new(size);
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < size ? g_ascii_xdigit_value(text[i + 1]) : -1;
            int low = i + 2 < size ? g_ascii_xdigit_value(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                fail(error, DISTEM_ERROR_INVALID, 0, "\"%.*s\": a percent sign must be followed by two hexadecimal digits",
                     (int)MIN(size, 200), text);
                return NULL;
            }
            c = (char)(high << 4 | low);
            i += 2;
        }
        g_string_append_c(decoded, c);
    }
    if (!g_utf8_validate_len(decoded->str, decoded->len, NULL)) {
        fail(error, DISTEM_ERROR_INVALID, 0, "\"%.*s\" is not UTF-8", (int)MIN(size, 200), text);
        return NULL;
    }
    return g_strdup(decoded->str);
}

/* Splits 'path' at its slashes and decodes the parts, so that "%2F" is no separator. Returns NULL with an error. */
static GPtrArray *path_segments(const char *path, GError **error)
{
    g_autoptr(GPtrArray) segments = g_ptr_array_new_with_free_func(g_free);
    for (const char *start = path; *start == '/';) {
        size_t size = strcspn(++start, "/");
        char *segment = percent_decode(start, size, error);
        if (!segment) {
            return NULL;
        }
        g_ptr_array_add(segments, segment);
        start += size;
    }
    return g_steal_pointer(&segments);
}

/* Says whether 'segments' fit 'pattern'; adds what its ":name" parts stand for to 'params' (may be NULL). */
static bool pattern_matches(const char *pattern, const GPtrArray *segments, GHashTable *params)
{
    unsigned i = 0;
    for (const char *part = pattern; *part == '/'; i++) {
        size_t size = strcspn(++part, "/");
        if (i == segments->len) {
            return false;
        }
        const char *segment = segments->pdata[i];
        if (*part == ':') {
            if (!*segment) {
                return false;
            }
            if (params) {
                g_hash_table_insert(params, g_strndup(part + 1, size - 1), g_strdup(segment));
            }
        } else if (strlen(segment) != size || memcmp(segment, part, size) != 0) {
            return false;
        }
        part += size;
    }
    return i == segments->len;
}

static bool method_fits(const struct rest_route *route, const char *method)
{
    return !strcmp(route->method, method) || (!strcmp(method, "HEAD") && !strcmp(route->method, "GET"));
}

const struct rest_route *route_find(const struct rest_route *routes, const char *method, const char *path, GHashTable **ret_params,
                                    char **ret_allow, GError **error)
{
    g_autoptr(GPtrArray) segments = path_segments(path, error);
    if (!segments) {
        return NULL;
    }
    g_autoptr(GString) allow = g_string_new(NULL);
    for (const struct rest_route *route = routes; route->method; route++) {
        if (!pattern_matches(route->pattern, segments, NULL)) {
            continue;
        }
        if (method_fits(route, method)) {
            *ret_params = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
            pattern_matches(route->pattern, segments, *ret_params);
            return route;
        }
        g_string_append_printf(allow, "%s%s%s", allow->len ? ", " : "", route->method,
                               strcmp(route->method, "GET") != 0 ? "" : ", HEAD");
    }
    if (allow->len) {
        fail(error, DISTEM_ERROR_INVALID, 0, "%s does not take %.32s, but %s", path, method, allow->str);
        *ret_allow = g_strdup(allow->str);
    } else {
        fail(error, DISTEM_ERROR_NOT_FOUND, 0, "there is no %.200s here: see doc/rest.md for what there is", path);
    }
    return NULL;
}

bool host_is_loopback(const char *host)
{
    size_t size = *host == '[' ? strcspn(host, "]") : strcspn(host, ":");
    const char *port = host + size;
    g_autofree char *name = g_strndup(host + (*host == '['), size - (*host == '['));
    if (*host == '[') {
        if (*port != ']') {
            return false;
        }
        port++;
    }
    if (*port && (*port != ':' || strspn(port + 1, "0123456789") != strlen(port + 1))) {
        return false;
    }
    struct ip_addr addr;
    if (ip_addr_parse(name, &addr, NULL)) {
        struct ip_addr v6_loopback = {.family = 6, .bytes[15] = 1};
        return addr.family == 4 ? addr.bytes[0] == 127 : ip_equal(&addr, &v6_loopback);
    }
    return !g_ascii_strcasecmp(name, "localhost");
}

bool origin_is_host(const char *origin, const char *host)
{
    return !g_ascii_strncasecmp(origin, "http://", 7) && !g_ascii_strcasecmp(origin + 7, host);
}
