/* SPDX-License-Identifier: Apache-2.0 */
/* What of a matrix does not go together with the vnetworks. */
#include <config.h>

#include "distem/topology.h"
#include "impairment.h"

/* Returns the largest frame of each group's vnodes, by the group's number from 0; 0: they have no viface. The caller frees it. */
static unsigned *largest_frames(const struct platform *platform)
{
    unsigned *frames = g_new0(unsigned, platform->matrix->groups);
    for (unsigned i = 0; i < platform->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(platform, i);
        for (unsigned k = 0; vnode->group && k < vnode->vifaces->len; k++) {
            unsigned *frame = &frames[vnode->group - 1];
            *frame = MAX(*frame, impairment_frame_size(vnode_viface(vnode, k)->vnetwork->mtu));
        }
    }
    return frames;
}

char *matrix_problem(const struct platform *platform)
{
    const struct matrix *matrix = platform->matrix;
    g_autofree unsigned *frames = largest_frames(platform);
    for (unsigned i = 0; i < matrix->groups; i++) {
        for (unsigned j = 0; j < matrix->groups; j++) {
            const struct impairment wire = {.bandwidth = matrix->cells[(size_t)i * matrix->groups + j].bandwidth};
            unsigned frame = MIN(frames[i], frames[j]);
            g_autofree char *slowness = frame ? impairment_slowness(&wire, frame) : NULL;
            if (slowness) {
                return g_strdup_printf("from %s to %s: %s", matrix->group[i].selector, matrix->group[j].selector, slowness);
            }
        }
    }
    return NULL;
}
