/* SPDX-License-Identifier: Apache-2.0 */
/* The latency matrix in the kernel. A BPF program at the hook by which frames leave for a vnode looks up who sent a frame and whom
 * it is for, in hash maps, and what lies between them, in an array: so it takes as long for a million pairs as for ten. It writes
 * the time at which the frame shall go on onto it, and sends it by a device of its own, whose fq holds it until then; what comes
 * out at the other end of that veth pair is sent to the vnode's device again, and now passes:
 *
 *      switch -> dvN: the program -> dma: fq, until the time has come -> dmb -> dvN: the program lets it pass
 *                     -> all that the viface's input does -> the vnode
 *
 * So the delays of the matrix and of the viface add up. (netem with fq below it would make the larger of both.) Only frames to an
 * address of the vnode itself are delayed, not those that it forwards: each once, however many gateways there are. */
#ifndef LINK_MATRIX_H
#define LINK_MATRIX_H 1

#include "distem/link.h"
#include "distem/matrix.h"

#include "rtnl.h"

struct link_matrix;

/* Returns one without anything in the kernel. */
struct link_matrix *link_matrix_new(void);
/* Lets go of it; what is in the kernel stays there. NULL is fine. */
void link_matrix_free(struct link_matrix *);
/* Returns the id of the program that vifaces can be given; 0: none is loaded. */
uint32_t matrix_program(const struct link_matrix *);
/* Says whether 'viface' of 'vnode' needs it. */
bool matrix_holds(const struct link_matrix *, const struct vnode *vnode, const struct viface *viface);

/* The filter at a device. */
struct matrix_filter {
    uint32_t program; /* Its id; 0: there is no filter. */
};
/* Queues a request that fills '*ret', which must stay where it is until the flush, with what 'ifindex' has. */
void matrix_filter_read(struct rtnl *, int ifindex, struct matrix_filter *ret);
/* Queues what puts the program there, or takes it away when the matrix is NULL; nothing where 'found' says that it is so. */
void matrix_filter_write(struct rtnl *, const struct link_matrix *, int ifindex, const struct matrix_filter *found,
                         const char *what);

/* For trying out what a matrix needs: queue the fq at the root of a device; a filter that lets everything pass, behind the hooks of
 * redirect_put_hooks(). Load the program and let go of it; false with an error that says why it cannot be. */
void matrix_put_fq(struct rtnl *, int ifindex);
void matrix_put_trial_filter(struct rtnl *, int ifindex);
bool matrix_try_program(GError **error);

/* Makes the addresses of 'vnode', if it has a group, those that the matrix holds for at the device 'ifindex' of its 'viface', and
 * makes that viface's compensation what frames to it come early. */
bool matrix_set_destination(struct link_matrix *, const struct vnode *vnode, const struct viface *viface, int ifindex,
                            GError **error);

#endif
