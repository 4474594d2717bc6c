/* SPDX-License-Identifier: Apache-2.0 */
/* Asks an ovs-vswitchd many times what it would do with a packet, over one connection to its control socket. */
#ifndef SWITCH_TRACER_H
#define SWITCH_TRACER_H 1

struct tracer;

/* Connects to the control socket 'ctl'; the test fails when it cannot. */
struct tracer *tracer_open(const char *ctl);
void tracer_close(struct tracer *);

/* Returns where a packet with 'flow' ("in_port=dv7,dl_dst=...") goes on 'bridge', in the alphabet's order with blanks between:
 * "dv8" a port, "dt1>192.0.2.2" a tunnel and its other end, "IN_PORT(MAC ADDRESS)" an ARP reply from that MAC for that address; ""
 * nowhere. A port that gets it twice is there twice. The caller frees the text. */
char *tracer_ask(struct tracer *, const char *bridge, const char *flow);

#endif
