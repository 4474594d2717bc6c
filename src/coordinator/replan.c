/* SPDX-License-Identifier: Apache-2.0 */
/* The same platform for other machines. */
#include <config.h>

#include <string.h>

#include "distem/plan.h"
#include "internal.h"

struct platform *replan(const struct platform *current, const GPtrArray *pnodes, struct diagnostics *problems,
                        GPtrArray *unreachable)
{
    AUTO_PLATFORM asked = platform_copy(current);
    platform_reopen(asked);
    return plan(asked, current, pnodes, problems, unreachable);
}

void platform_replan(struct rest_request *request, void *context)
{
    struct coordinator *c = context;
    AUTO_PLATFORM current = require_platform(c, request);
    if (!current) {
        return;
    }
    g_autoptr(GPtrArray) pnodes = coordinator_pnodes(c);
    const char *move_lost = rest_request_query(request, "move_lost");
    for (unsigned i = pnodes->len; move_lost && !strcmp(move_lost, "yes") && i-- > 0;) {
        if (((const struct pnode *)pnodes->pdata[i])->lost) {
            g_ptr_array_remove_index(pnodes, i);
        }
    }
    AUTO_DIAGNOSTICS problems = {0};
    g_autoptr(GPtrArray) unreachable = g_ptr_array_new_with_free_func(g_free);
    AUTO_PLATFORM next = replan(current, pnodes, &problems, unreachable);
    if (!next) {
        rest_reply_error(
            request,
            g_error_new(DISTEM_ERROR, DISTEM_ERROR_CONFLICT, "the pnodes that there are cannot carry platform %s", current->name),
            &problems);
        return;
    }
    platform_commit(c, request, current, next, pnodes, unreachable, false);
}
