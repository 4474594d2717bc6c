/* SPDX-License-Identifier: Apache-2.0 */
/* The common start of all traces: once the platform is up for the first time with them. */
#include <config.h>

#include "distem/log.h"
#include "internal.h"

/* So that all pnodes have heard of it. */
#define LEAD_US 200000

static void start_done(void *aux, const GError *error)
{
    struct coordinator *c = aux;
    c->starting = false;
    if (error) {
        log_warning("coordinator", "the traces were not started", "error=\"%s\"", error->message);
    }
}

void playbacks_run(struct coordinator *c)
{
    unsigned seqno = db_seqno(c->db);
    if (c->starting || seqno == c->starting_seqno || !db_has_playbacks(c->db) || db_playback_start(c->db)) {
        return;
    }
    c->starting_seqno = seqno;
    uint64_t generation = db_generation(c->db);
    g_autoptr(GPtrArray) pnodes = coordinator_pnodes(c);
    if (realised_generation(pnodes, generation) == generation) {
        log_info("coordinator", "the traces start", "in_us=%d", LEAD_US);
        c->starting = true;
        db_start_playbacks(c->db, (g_get_real_time() + LEAD_US) * 1000, generation, start_done, c);
    }
}
