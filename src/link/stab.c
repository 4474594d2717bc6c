/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel adds 'overhead' to a frame's bytes, and takes entry (bytes + cell_align) of the table, if there is one, in place of
 * the sum; what lies behind the table's end is put together from whole tables and a rest (__qdisc_calculate_pkt_len() in
 * net/sched/sch_api.c). So a table of whole cells, read one byte lower, is right for frames of any size. */
#include <config.h>

#include "stab.h"

#include <linux/pkt_sched.h>
#include <string.h>

#include "rtnl.h"

#define TABLE_MAX 16384
#define ENTRY_MAX 65535

/* Returns the head of the table. Without a table to follow, 'tsize' is 0. 'mpu' and 'mtu' mean nothing to the kernel, which shows
 * no table when asked: they tell one cell from another. */
static struct tc_sizespec specify(const struct impairment *impairment)
{
    struct tc_sizespec spec = {.overhead = impairment_overhead(impairment)};
    if (!impairment->bandwidth) {
        spec.overhead = 0;
    } else if (impairment->cell_payload) {
        unsigned most = MIN(TABLE_MAX / impairment->cell_payload, ENTRY_MAX / impairment->cell_size);
        spec.cell_align = -1;
        spec.tsize = MAX(most, 1) * impairment->cell_payload;
        spec.mpu = impairment->cell_payload;
        spec.mtu = impairment->cell_size;
    }
    return spec;
}

static bool is_empty(const struct tc_sizespec *spec)
{
    return !spec->overhead && !spec->tsize;
}

void stab_put(struct nl_msg *message, const struct impairment *impairment)
{
    struct tc_sizespec spec = specify(impairment);
    if (is_empty(&spec)) {
        return;
    }
    struct nlattr *nest = rtnl_nest(message, TCA_STAB);
    rtnl_put(message, TCA_STAB_BASE, &spec, sizeof spec);
    if (spec.tsize) {
        g_autofree uint16_t *table = g_new(uint16_t, spec.tsize);
        for (unsigned i = 0; i < spec.tsize; i++) {
            table[i] = (uint16_t)((i / impairment->cell_payload + 1) * impairment->cell_size);
        }
        rtnl_put(message, TCA_STAB_DATA, table, spec.tsize * sizeof *table);
    }
    nla_nest_end(message, nest);
}

bool stab_is(const struct nlattr *found, const struct impairment *impairment)
{
    struct tc_sizespec spec = specify(impairment), there;
    if (!found) {
        return is_empty(&spec);
    }
    struct nlattr *base = nla_find(nla_data(found), nla_len(found), TCA_STAB_BASE);
    if (!base || nla_len(base) < (int)sizeof there) {
        return false;
    }
    memcpy(&there, nla_data(base), sizeof there);
    return !memcmp(&there, &spec, sizeof spec);
}
