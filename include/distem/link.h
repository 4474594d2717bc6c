/* SPDX-License-Identifier: Apache-2.0 */
/* The network of a vnode on one machine: its network namespace, its vifaces (veth pairs), and their shaping on the host side, by
 * netlink. Everything made here is marked: netdevs by interface group LINK_GROUP and an alias, namespaces by their folder.
 *
 *      vnode's netns                  host
 *      if0  <----------- veth ----------> dvN  (a port of the vnetwork's bridge)
 *                                          egress root qdisc  : input  (towards the vnode)
 *                                          ingress -> mirred  : to diN (an IFB), whose egress root qdisc is: output
 *
 * N is the viface's id. A direction that is shaped has a netem root (latency, loss ...) with a large computed limit. A bandwidth
 * together with something else comes before that, at devices of its own (src/link/stage.h); a bandwidth alone is below netem, an
 * HTB with a queue; a kernel without netem can still do a bandwidth alone, with the HTB as root.
 * What is not asked for is not there: no IFB without output properties. Changes are made in place: frames in flight or waiting
 * survive them, but those in a queue that becomes one of another kind, or in a
 * direction that ends being shaped.
 *
 * Segmentation offloads and GRO are off at both ends of every viface, shaped or not: one that is not shaped sends to others that
 * are, and a block of 64 KiB would count there as one frame. */
#ifndef DISTEM_LINK_H
#define DISTEM_LINK_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "distem/matrix.h"
#include "distem/platform.h"

#define LINK_GROUP 53591u         /* 0xd157 */
#define LINK_GROUP_REMOVED 53592u /* Where devices wait for being removed all at once. Seldom seen: after a kill in between. */

struct link_manager;

/* Opens netlink and the folder 'run_dir'/netns for namespaces, which becomes a mount point. NULL with an error. One thread
 * uses it: that one visits namespaces itself, and the process is ended if it cannot come back. */
struct link_manager *link_manager_new(const char *run_dir, GError **error);
/* Closes; all networks stay. The folder goes when it is empty. NULL is fine. */
void link_manager_free(struct link_manager *);

/* Names of the host-side devices of viface 'id'. */
void link_veth_name(uint32_t viface_id, char name[16]);
void link_ifb_name(uint32_t viface_id, char name[16]);
void link_input_queue_name(uint32_t viface_id, char name[16]);
void link_output_queue_names(uint32_t viface_id, char name[16], char end_name[16]);
/* Returns the path of vnode 'id's namespace; the caller frees it. */
char *link_netns_path(const struct link_manager *, uint32_t vnode_id);

/* Makes the network of 'vnode' (planned: nothing open) exactly as described, idempotently: namespace with its sysctls (forwarding,
 * no IPv6 autoconfiguration or DAD); each viface with name, MAC, MTU ('default_mtu' where the vnetwork says 0), and offloads off
 * (with 'user_datapath' also TX checksums inside, which a switch in user space would otherwise see unfinished); shaping; then lo
 * and vifaces up; addresses; routes. What is right already is left as it is: qdiscs are changed in place, vifaces that stay are
 * never taken down. Vifaces of this vnode that are no longer described are removed, and so are addresses and routes that distem had
 * added (marked with protocol 219; addresses since Linux 5.18); what the experiment added itself stays. Returns false with the
 * first failure, naming vnode and viface (DISTEM_ERROR_UNSUPPORTED with the kernel module that is missing); calling again later is
 * safe. */
bool link_apply_vnode(struct link_manager *, const struct vnode *vnode, uint16_t default_mtu, bool user_datapath, GError **error);

/* Removes the namespaces and all devices of the 'count' vnodes 'ids'; no error when there are none. The id 0 stands for devices
 * whose mark names no vnode. The kernel takes some 30 ms for a removal, but hardly more for a thousand at once. */
bool link_remove_vnodes(struct link_manager *, const uint32_t *ids, unsigned count, GError **error);
/* ... of one. */
bool link_remove_vnode(struct link_manager *, uint32_t vnode_id, GError **error);

/* What plays traces: it changes the values of directions, each time that link_player_flush() is called all at once. It shares
 * nothing with a manager and may belong to another thread. */
struct link_player;
/* Opens netlink in the network namespace that the thread is in. NULL with an error. */
struct link_player *link_player_new(GError **error);
void link_player_free(struct link_player *);

/* A direction that was made by link_apply_vnode(). */
struct link_direction {
    int queue, netem; /* ifindex of the devices where they are; the same when they are not in two stages. */
    unsigned mtu;
};
/* Finds the direction 'output' or input of a viface, among what the manager knows of the kernel's devices: asked for the name of
 * one that is not there, the kernel would start modprobe. Returns false when it is not there. */
bool link_find_direction(struct link_manager *, const struct viface *, bool output, uint16_t default_mtu,
                         struct link_direction *ret);

/* Which values of a direction change. */
#define LINK_CHANGES_BANDWIDTH 1u
#define LINK_CHANGES_PAUSE 2u
#define LINK_CHANGES_NETEM 4u /* Latency, loss. */
/* Queues what makes the values 'changes' of 'direction' those of impairment->now. 'what' names it in errors. '*failed', which must
 * stay until the flush, is set when that fails. */
void link_play(struct link_player *, const struct link_direction *direction, const struct impairment *impairment, unsigned changes,
               const char *what, bool *failed);
/* Makes all queued changes. False with the first error; the others have been made all the same. */
bool link_player_flush(struct link_player *, GError **error);

/* Tells what netem has dropped at one direction of a viface since it was set there, but for what the queue of a bandwidth behind it
 * has dropped. Where no loss is asked for, that is 0, or netem has overflowed. */
typedef void link_dropped(uint32_t viface_id, bool output, uint64_t frames, void *aux);
/* Calls 'each' for every direction that has a netem. False with an error. */
bool link_read_drops(struct link_manager *, link_dropped *each, void *aux, GError **error);

/* Tells how many frames Open vSwitch's kernel module has dropped, on all its datapaths, because ovs-vswitchd was too busy to say
 * where they go; 0 without the module. False with an error. */
bool link_read_lost_upcalls(uint64_t *ret_frames, GError **error);

/* One thing of ours that is there. */
enum link_kind { LINK_VETH, LINK_IFB, LINK_QUEUE, LINK_NETNS, LINK_MATRIX };
struct link_found {
    enum link_kind kind;
    uint32_t vnode_id, viface_id; /* From the mark; 0 where it has none. */
    char *name;                   /* Netdev, or path of the namespace. */
};
/* Lists all that is there with our marks: an array of struct link_found that the caller unrefs; NULL with an error. */
GPtrArray *link_list(struct link_manager *, GError **error);

/* Keeps the devices 'names' (NULL-terminated) from merging frames that they receive, with GRO or LRO: a merged frame would count as
 * one where it is shaped. On all other devices that it was ever called for, what they did before is switched on again. What was
 * switched off is noted in 'run_dir'/merging. Devices that do not exist are passed over. */
bool link_unmerge(struct link_manager *, const char *const *names, GError **error);
/* Returns the names of the devices for which something is noted: an array of strings that the caller unrefs. */
GPtrArray *link_unmerged(const struct link_manager *);

/* Returns the interfaces of the host that could carry VLANs: all but loopback, those made here, and a switch's own. A table of name
 * -> MTU (GUINT_TO_POINTER) that the caller unrefs; NULL with an error. */
GHashTable *link_interfaces(struct link_manager *, GError **error);

/* Makes the latency matrix (NULL: none) hold for 'vnodes' (of const struct vnode), which are those on this machine, once
 * link_apply_vnode() has been called for each that has a part in it: those with a group, and those whose frames from another one
 * here come early by what the directions of both leave out (see plan_compensation()), which are held back as long. The matrix must
 * have the addresses of its groups; a reference is kept, and the same one again costs little. Figures are changed in place: no
 * frame is lost or overtaken by one that was sent later with the same latency. False with an error, and then no vnode can be given
 * a matrix: DISTEM_ERROR_UNSUPPORTED when the kernel cannot do it. */
bool link_set_matrix(struct link_manager *, struct matrix *, const GPtrArray *vnodes, GError **error);
/* Removes what the matrix needs on this machine; frames that wait are lost. No error when there is nothing. */
bool link_end_matrix(struct link_manager *, GError **error);
/* Returns a text for fingerprints, which the caller frees: when it has become another, the vnode is to be applied again. */
char *link_matrix_part(const struct link_manager *, const struct vnode *);

/* Returns a text that says all about the network of 'vnode' that link_apply_vnode() would act on; equal texts mean nothing to do as
 * long as the devices exist. The caller frees it. */
char *link_fingerprint(const struct vnode *vnode, uint16_t default_mtu, bool user_datapath);

/* Computed figures, pure; formulas and their sources stand in src/link/shaping.c. */
/* What a full frame counts. */
uint64_t shaping_frame(const struct impairment *, unsigned mtu);
/* Bytes of the queue in front of the bandwidth, at least a frame. */
uint64_t shaping_queue(const struct impairment *, unsigned mtu);
/* The same as a number of frames: as asked, or full ones. */
uint32_t shaping_queue_packets(const struct impairment *, unsigned mtu);
/* Bytes that may pass at once, at least a frame; where nothing else is asked, a frame and what passes in SHAPING_BURST_US. */
#define SHAPING_BURST_US 250
uint64_t shaping_burst(const struct impairment *, unsigned mtu);
/* Packets in netem: large enough that it never drops what the model did not ask for. */
uint32_t shaping_limit(const struct impairment *, unsigned mtu);

/* What this kernel can do, tried out in a throw-away namespace; each entry of the result names one missing thing and the module
 * that brings it ("netem: kernel module sch_netem"). An array of strings, empty when nothing is missing; the caller unrefs it. */
GPtrArray *link_missing_features(GError **error);
/* The same for latency matrices, which nothing else needs. */
GPtrArray *link_missing_for_matrices(GError **error);
/* The same for traces of which the bandwidth is 0 at times. */
GPtrArray *link_missing_for_blackouts(GError **error);
/* Says whether this kernel's netem takes a seed (Linux 6.6 and later), tried out likewise. False with an error: that cannot be
 * told. */
bool link_takes_seeds(bool *ret, GError **error);

#endif
