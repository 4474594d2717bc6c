/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/log.h"
#include "distem/poll.h"
#include "item.h"

/* With a thousand pnodes the rows change all the time, mostly in what does not matter here. */
#define LOOK_PAUSE_MS 1000

/* Returns all that bridges are made of and that can change without a new generation. */
static char *print_peers(const GPtrArray *pnodes)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < pnodes->len; i++) {
        const struct pnode *pnode = pnodes->pdata[i];
        char ipv4[IP_TEXT_SIZE], ipv6[IP_TEXT_SIZE];
        g_string_append_printf(text, "%s %s %s\n", pnode->name, ip_format(&pnode->ipv4, ipv4), ip_format(&pnode->ipv6, ipv6));
    }
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text->str, (gssize)text->len);
}

static bool has_own_row(const struct pnode_daemon *p, const GPtrArray *pnodes)
{
    for (unsigned i = 0; i < pnodes->len; i++) {
        const struct pnode *pnode = pnodes->pdata[i];
        if (g_str_equal(pnode->name, p->self->name)) {
            return !g_strcmp0(pnode->identity, p->self->identity);
        }
    }
    return false;
}

void peers_set_removed(struct pnode_daemon *p)
{
    if (!p->removed) {
        log_warning("pnode", "this machine has been removed from the platform and gives up its share", "name=%s", p->self->name);
        p->removed = true;
        p->introduced = true;
        p->registered = false;
        poll_wake_now();
    }
}

void peers_look(struct pnode_daemon *p)
{
    unsigned seqno = db_seqno(p->db);
    if (p->removed || !db_is_ready(p->db) || !(p->registered || p->known) || seqno == p->peers_seqno) {
        return;
    }
    if (poll_now_ms() < p->peers_at) {
        poll_wait_until(p->peers_at);
        return;
    }
    p->peers_seqno = seqno;
    p->peers_at = poll_now_ms() + LOOK_PAUSE_MS;
    g_autoptr(GPtrArray) pnodes = db_pnodes(p->db);
    if (!has_own_row(p, pnodes)) {
        peers_set_removed(p);
        return;
    }
    g_autofree char *print = print_peers(pnodes);
    if (g_strcmp0(print, p->peers)) {
        g_free(p->peers);
        p->peers = g_steal_pointer(&print);
        p->push_needed = true;
        poll_wake_now();
    }
}
