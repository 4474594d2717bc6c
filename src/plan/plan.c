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
    /* Routes need all addresses. */
    return complete && plan_routes(platform, unreachable, problems) ? g_steal_pointer(&platform) : NULL;
}
