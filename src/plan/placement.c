/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "distem/plan.h"

#include "twins.h"

bool plan_placement(struct platform *platform, const struct platform *current, const GPtrArray *pnodes,
                    struct diagnostics *problems)
{
    AUTO_TWINS twins = twins_new(current);
    if (!pnodes) {
        return true;
    }
    if (!pnodes->len) {
        diagnostics_add(problems, NULL, 0, NULL, "there is no pnode to run vnodes on");
        return false;
    }
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        struct vnode *vnode = platform_vnode(platform, i);
        const struct vnode *old = twin_vnode(&twins, vnode);
        const struct pnode *first = pnodes->pdata[0];
        if (!vnode->pnode) {
            vnode->pnode = g_strdup(old && old->pnode ? old->pnode : first->name);
        }
    }
    return true;
}
