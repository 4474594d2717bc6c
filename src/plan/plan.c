/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/plan.h"

struct platform *plan(const struct platform *asked, const struct platform *current, const GPtrArray *pnodes,
                      struct diagnostics *problems, GPtrArray *unreachable)
{
    AUTO_PLATFORM platform = platform_copy(asked);
    platform->generation = current ? current->generation + 1 : 1;
    bool complete = plan_ids(platform, current, problems);
    complete &= plan_addresses(platform, current, problems);
    complete &= plan_placement(platform, current, pnodes, problems);
    /* What follows needs all addresses, and a machine for each vnode. */
    complete = complete && plan_transports(platform, pnodes, problems);
    if (!complete || !plan_routes(platform, pnodes, unreachable, problems)) {
        return NULL;
    }
    plan_compensation(platform, pnodes);
    return g_steal_pointer(&platform);
}
