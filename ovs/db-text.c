/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "db-text.h"

#include <stddef.h>
#include <string.h>

#include "distem/delay-table.h"

/* A member of struct impairment and its key. */
static const struct {
    const char *key;
    size_t offset;
    size_t size;
} members[] = {
#define MEMBER(NAME)                                                                                                               \
    {                                                                                                                              \
#NAME, offsetof(struct impairment, NAME), sizeof((struct impairment *)0)->NAME                                             \
    }
    MEMBER(latency),
    MEMBER(jitter),
    MEMBER(distribution),
    MEMBER(latency_correlation),
    MEMBER(keep_order),
    MEMBER(loss),
    MEMBER(loss_correlation),
    MEMBER(gilbert_enter),
    MEMBER(gilbert_leave),
    MEMBER(gilbert_bad_loss),
    MEMBER(gilbert_good_loss),
    MEMBER(markov_p13),
    MEMBER(markov_p31),
    MEMBER(markov_p32),
    MEMBER(markov_p23),
    MEMBER(markov_p14),
    MEMBER(duplication),
    MEMBER(duplication_correlation),
    MEMBER(corruption),
    MEMBER(corruption_correlation),
    MEMBER(reordering),
    MEMBER(reordering_correlation),
    MEMBER(reordering_gap),
    MEMBER(seed),
    MEMBER(bandwidth),
    MEMBER(framing),
    MEMBER(overhead),
    MEMBER(cell_payload),
    MEMBER(cell_size),
    MEMBER(queue),
    MEMBER(queue_unit),
    MEMBER(aqm),
    MEMBER(burst),
    MEMBER(latency_trace),
    MEMBER(loss_trace),
    MEMBER(bandwidth_trace),
#undef MEMBER
};

char *impairment_to_text(const struct impairment *impairment)
{
    GString *text = g_string_new(NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(members); i++) {
        /* Little or big endian: each member is read with its own size. */
        const char *member = (const char *)impairment + members[i].offset;
        guint64 value = members[i].size == 8 ? *(const uint64_t *)member : *(const uint32_t *)member;
        if (value) {
            g_string_append_printf(text, "%s%s=%" G_GUINT64_FORMAT, text->len ? " " : "", members[i].key, value);
        }
    }
    return g_string_free(text, FALSE);
}

/* Sets the member named by the 'length' bytes at 'key'. */
static void set_member(struct impairment *impairment, const char *key, size_t length, guint64 value)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(members); i++) {
        if (!strncmp(members[i].key, key, length) && !members[i].key[length]) {
            char *member = (char *)impairment + members[i].offset;
            if (members[i].size == 8) {
                *(uint64_t *)member = value;
            } else {
                *(uint32_t *)member = (uint32_t)value;
            }
            return;
        }
    }
}

struct impairment impairment_from_text(const char *text)
{
    struct impairment impairment = {0};
    for (const char *equals; (equals = strchr(text, '='));) {
        char *end;
        guint64 value = g_ascii_strtoull(equals + 1, &end, 10);
        set_member(&impairment, text, (size_t)(equals - text), value);
        text = end + strspn(end, " ");
    }
    /* Whoever uses it indexes tables with these. */
    if (impairment.distribution > DISTRIBUTION_PARETONORMAL && !delay_table_find(impairment.distribution)) {
        impairment.distribution = DISTRIBUTION_UNIFORM;
    }
    if ((unsigned)impairment.framing > FRAMING_IP) {
        impairment.framing = FRAMING_ETHERNET;
    }
    if ((unsigned)impairment.aqm > AQM_PIE) {
        impairment.aqm = AQM_NONE;
    }
    return impairment;
}

char *routes_to_text(const GArray *routes)
{
    GString *text = g_string_new(NULL);
    for (unsigned i = 0; routes && i < routes->len; i++) {
        const struct route *route = &g_array_index(routes, struct route, i);
        char to[PREFIX_TEXT_SIZE];
        char via[IP_TEXT_SIZE];
        g_string_append_printf(text, "%s%s via %s viface %" G_GUINT32_FORMAT, i ? ", " : "", prefix_format(&route->to, to),
                               ip_format(&route->via, via), route->viface);
    }
    return g_string_free(text, FALSE);
}

GArray *routes_from_text(const char *text)
{
    g_auto(GStrv) entries = g_strsplit(text, ", ", -1);
    GArray *routes = g_array_new(FALSE, TRUE, sizeof(struct route));
    for (unsigned i = 0; entries[i]; i++) {
        g_auto(GStrv) words = g_strsplit(entries[i], " ", -1);
        struct route route = {0};
        if (g_strv_length(words) == 5 && prefix_parse(words[0], &route.to, NULL) && ip_addr_parse(words[2], &route.via, NULL)) {
            route.viface = (uint32_t)g_ascii_strtoull(words[4], NULL, 10);
            g_array_append_val(routes, route);
        }
    }
    if (!routes->len) {
        g_clear_pointer(&routes, g_array_unref);
    }
    return routes;
}
