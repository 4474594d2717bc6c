/* SPDX-License-Identifier: Apache-2.0 */
/* The plan: a pure function from (what was asked, what is allotted already, which pnodes there are) to a platform in which nothing
 * is open any more. Same input, same output; what is allotted already stays as it is. No I/O, nothing per pair of vnodes. */
#ifndef DISTEM_PLAN_H
#define DISTEM_PLAN_H 1

#include "distem/error.h"
#include "distem/platform.h"

/* Plans 'asked'. 'current' is the platform as it stands (NULL: none): vnetworks, vnodes and vifaces with the same names (a viface
 * also with the same vnetwork) keep ids, addresses, MACs, VNIs and pnode unless 'asked' says otherwise. 'pnodes' holds struct
 * pnode. What cannot be planned (no address left, no VNI left, no pnode has room ...) is added to 'problems', all of it, and the
 * result is NULL. Else a new platform, which the caller frees; generation is current's + 1 (1 without). 'unreachable' (may be NULL;
 * made with g_free as free function) receives one entry of "A -> B" per ordered pair of vnetworks that have vnodes and no way
 * between them, or "A -> B (IPv6)" when both have IPv6 and only that one lacks a way; that is no error. There are at most
 * PLAN_UNREACHABLE_MAX such entries, and then one that says how many more. 'pnodes' NULL leaves placement as it is asked for, for
 * checking a platform without machines. */
#define PLAN_UNREACHABLE_MAX 1000
struct platform *plan(const struct platform *asked, const struct platform *current, const GPtrArray *pnodes,
                      struct diagnostics *problems, GPtrArray *unreachable);

/* The parts of plan(), in the order in which it runs them on its copy; each has its own file. They add what fails to 'problems' and
 * return whether nothing did.
 *
 * ids: ids (those of the current objects of the same name, else from 'next_id' on), VNIs (as asked, kept, or from a place that
 * the platform's name gives), MAC addresses (as asked, kept, or 02:d1: and the viface's id).
 *
 * addresses: as asked, kept, or the lowest free ones of the vnetwork's prefixes, in the file's order.
 *
 * placement: as asked, kept, or balanced over the pnodes by what the vnodes ask for (cores, memory, vnodes, vifaces), those of a
 * vnetwork together where that costs no balance. A pnode's cores, memory or maximum of 0 mean "not known": no limit.
 *   - A vnode only comes to pnodes with the labels in its 'where'. Vnodes that vnetworks of transport local join are on one pnode.
 *   - A draining pnode gets no vnodes and keeps none: those that are asked to be there are problems. A lost one gets none and keeps
 *     those that it has.
 *   - Vnodes that are placed, and not asked to be where they are, have 'pnode_chosen'.
 *
 * transports: transport, UDP port, IP version of the tunnels (as asked; else IPv4, or IPv6 where a pnode of the vnetwork lacks
 * IPv4), and MTU: as asked if it fits through what joins the pnodes of the vnetwork; else 1500 or what fits. On one pnode
 * everything fits. With 'pnodes' NULL the last two stay open.
 *
 * routes: who forwards, and every vnode's routes; 'routes' is never NULL afterwards, and shared by vnodes in the same place.
 *   - A vnode forwards when its user says so, when a vroute goes through it, or (unless it is said to be no gateway, or routing is
 *     "none") when two vnetworks would not reach each other without it; of several that could do it, the oldest.
 *   - Ways are the shortest: by hops = gateways; by latency = input and output latency of the gateways' vifaces that are passed,
 * then gateways. Among equals those through older gateways (the smallest sum of ids), then those that a hash of the vifaces' ids
 *     prefers. All these are the same in both directions, so the way back is the way there turned around. One exception: with
 * routing by latency, a gateway on a vnetwork delivers there directly even where a detour were faster; then the two ways may
 * differ.
 *   - Where prefixes of vnetworks overlap, an address means the nearest vnetwork; the others are unreachable from there. A vnode on
 *     two that overlap cannot be a gateway.
 *   - A vroute holds for all vnodes on its 'from' which are not on 'to' themselves, and for everything within its prefix that no
 *     longer vroute there is for. A gateway that is on other vnetworks, too, and has a shorter way there, keeps that.
 *     What it sends to a vnode and nobody in the platform has is taken to be that vnode's own; all else that would go in a circle
 * is a problem.
 *   - Nothing passes a gateway on a lost pnode, but for what a vroute sends there: that stays as the user has it.
 *   - What a wider route says is left out; default routes are used where they make the table smaller and no circle.
 *
 * compensation: what each direction with a latency leaves out of it, by the bases of its vnetwork, so that no way becomes faster
 * than asked for.
 *   - A viface with peers on its own pnode and on others counts with the base between pnodes, if its pnode can hold back what then
 *     comes early from those on its own; else with the lesser of the two. One that is not known is 0.
 *   - Between neighbours the matrix leaves out what the directions do not.
 *   - A direction leaves out all of that, or half of it when a peer has a latency in the opposite direction, too; never more than
 *     leaves room for its jitter. */
bool plan_ids(struct platform *, const struct platform *current, struct diagnostics *problems);
bool plan_addresses(struct platform *, const struct platform *current, struct diagnostics *problems);
bool plan_placement(struct platform *, const struct platform *current, const GPtrArray *pnodes, struct diagnostics *problems);
bool plan_transports(struct platform *, const GPtrArray *pnodes, struct diagnostics *problems);
bool plan_routes(struct platform *, const GPtrArray *pnodes, GPtrArray *unreachable, struct diagnostics *problems);
void plan_compensation(struct platform *, const GPtrArray *pnodes);
/* Returns how much of what is asked between two neighbours, from 'from' to 'to', is left out, in ns: by their directions, but for
 * what frames are held back if both are on one pnode ('local'), and by the latency 'between' them in the matrix. */
int64_t plan_left_out(const struct viface *from, const struct viface *to, bool local, int64_t between);

/* One step of a change, for `distem diff` and for progress. */
enum change_kind { CHANGE_ADD, CHANGE_REMOVE, CHANGE_MODIFY };
struct change {
    enum change_kind kind;
    const char *object; /* "platform", "matrix", "vnetwork", "vnode", "viface", "vroute", "trace": static. */
    char *name;         /* "n1", or "n1:if0" for a viface. */
    char *detail;       /* For CHANGE_MODIFY: "input.latency 10ms -> 20ms, mac ..."; else NULL. */
};

/* Returns what turns 'from' (NULL: nothing) into 'to' (NULL: nothing), an array of struct change that the caller unrefs; empty when
 * the two are the same. Observed state and generation do not count. */
GPtrArray *plan_diff(const struct platform *from, const struct platform *to);

#endif
