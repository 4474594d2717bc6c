/* SPDX-License-Identifier: Apache-2.0 */
/* One viface while it is being applied: what there is of it on the host, and what turns that into what is described. */
#ifndef LINK_PORT_H
#define LINK_PORT_H 1

#include "matrix.h"
#include "redirect.h"
#include "shape.h"
#include "stage.h"

struct port {
    const struct viface *viface;
    char veth_name[16], ifb_name[16];
    char *what, *input, *output; /* "n1:if0"; the directions, for errors. */
    char *alias;
    struct netdev_plan veth_plan, ifb_plan;
    const struct device *veth, *ifb; /* What there is. NULL: nothing. */
    struct shape input_shape, output_shape;
    struct stage input_stage, output_stage;
    struct redirect redirect;         /* At the veth. */
    const struct link_matrix *matrix; /* The vnode is in a group of it; NULL: in none. */
    struct matrix_filter filter;      /* At the veth, of the matrix. */
};

void port_init(struct port *, const struct vnode *, const struct viface *, uint16_t default_mtu);
void port_clear(struct port *);

/* Finds the devices that there are. */
void port_find(struct port *, const struct devices *);
/* Queues the making of those that are missing; the veth's other end goes to 'netns'. */
void port_make(struct rtnl *, struct port *, int netns);
/* Says whether nothing is missing. */
bool port_is_complete(const struct port *);
/* Queues requests that fill '*port', which must stay where it is until the flush. */
void port_read(struct rtnl *, struct port *port);
/* Queues what is to change. */
bool port_write(struct rtnl *, struct port *, const struct netem_features *, GError **error);

/* The stages that go, before port_write(). Frames that wait there shall neither be lost nor overtaken: port_release() queues what
 * lets them pass, and returns whether a stage goes at all; when port_is_drained() says, by what was read last, that nothing waits
 * any more, port_bypass() queues what leads frames past the stages, and port_drop() their removal. A stage that is not drained
 * may stay, until the next time, as long as the direction does anything. */
bool port_release(struct rtnl *, const struct port *);
bool port_is_drained(const struct port *);
void port_bypass(struct rtnl *, struct port *);
void port_drop(struct rtnl *, struct port *);

/* Bandwidths below netem that go, after port_write(): whether there is one, by what was read last; whether something waits there;
 * the removal of those where nothing does. */
bool port_leaves_rates(const struct port *);
bool port_rates_are_drained(const struct port *);
void port_end_rates(struct rtnl *, const struct port *);

#endif
