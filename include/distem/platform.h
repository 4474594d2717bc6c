/* SPDX-License-Identifier: Apache-2.0 */
/* A platform as structs: what a topology file says, what the plan fixes, what the database keeps.
 *
 * The same structs serve all three. Reading a topology file leaves open what the user left open (id 0, address family 0, pnode
 * NULL, mac zero ...); plan() closes everything; the database stores planned platforms only. In all of them zero means "absent"
 * or "not emulated". */
#ifndef DISTEM_PLATFORM_H
#define DISTEM_PLATFORM_H 1

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "distem/ip.h"
#include "distem/matrix.h"

#define NAME_MAX_LENGTH 63        /* Of platforms, vnetworks, vnodes, pnodes: a DNS label. */
#define VIFACE_NAME_MAX_LENGTH 15 /* A viface's name is the interface's name inside the vnode. */

/* What of a frame its bandwidth is counted by. */
enum framing {
    FRAMING_ETHERNET, /* All that a wire carries of it: with FCS, preamble and gap, 24 bytes more than the kernel sees. */
    FRAMING_L2,       /* What the kernel sees: the packet and its Ethernet header. */
    FRAMING_IP,       /* The packet alone. */
};

/* Sums of latencies over 100,000 hops, there and back, stay within 63 bits. */
#define LATENCY_LIMIT (INT64_C(3600) * 1000000000)
/* bit/s. A slower link needs minutes for one frame. On a faster one the kernel, which counts in nanoseconds, would round a small
 * frame's time by more than a hundredth; and no machine carries it. */
#define BANDWIDTH_LEAST UINT64_C(1000)
#define BANDWIDTH_LIMIT UINT64_C(10000000000)

enum queue_unit { QUEUE_BYTES, QUEUE_PACKETS, QUEUE_TIME };

/* How a queue decides what to drop. */
enum aqm { AQM_NONE, AQM_CODEL, AQM_FQ_CODEL, AQM_PIE };

enum distribution { DISTRIBUTION_UNIFORM, DISTRIBUTION_NORMAL, DISTRIBUTION_PARETO, DISTRIBUTION_PARETONORMAL };

/* Of what names a trace, see struct impairment. */
#define PLAYBACK_LOOP (UINT32_C(1) << 31)   /* It begins again at its end. */
#define PLAYBACK_PAUSES (UINT32_C(1) << 30) /* A bandwidth's: it is 0 at times. */
#define PLAYBACK_PLACE (PLAYBACK_PAUSES - 1)

/* What holds now of what follows traces. Set only where they are played. */
struct played {
    int64_t latency;
    uint32_t loss;
    uint64_t bandwidth; /* Never 0: in a pause, what held before or will hold. */
    bool paused;        /* The bandwidth is 0: frames wait. */
};

/* What one direction of a viface does to frames. Probabilities and correlations are in billionths (PPB_ONE). */
struct impairment {
    int64_t latency;       /* ns, one way. */
    int64_t jitter;        /* ns, needs latency >= jitter; its distribution's scale as in netem. */
    uint64_t distribution; /* Of the jitter: an enum distribution, or the id of a table (delay-table.h). */
    uint32_t latency_correlation;
    uint32_t keep_order; /* 1: jitter makes no frame overtake another; needs jitter. */
    uint32_t loss, loss_correlation;
    /* Losses by Gilbert and Elliott's model, in place of 'loss': the chance of a frame to go to the bad state and back; the share
     * that is lost in the bad state (0: all) and in the good one. */
    uint32_t gilbert_enter, gilbert_leave, gilbert_bad_loss, gilbert_good_loss;
    /* Losses by the chain of four states of tc-netem(8), in place of 'loss'. */
    uint32_t markov_p13, markov_p31, markov_p32, markov_p23, markov_p14;
    uint32_t duplication, duplication_correlation;
    uint32_t corruption, corruption_correlation;
    uint32_t reordering, reordering_correlation; /* Needs a latency. */
    uint32_t reordering_gap;                     /* Every gap-th packet; needs reordering. */
    uint32_t seed;                               /* Of all that is random here; 0: none. */
    uint64_t bandwidth; /* bit/s of what 'framing', 'overhead' and 'cell' make of a frame. All below need it. */
    enum framing framing;
    int32_t overhead;                 /* Bytes added to each frame; may be negative. */
    uint32_t cell_payload, cell_size; /* Frames travel in cells of so many bytes, of which so many are the frame's; 0: not. */
    uint64_t queue;                   /* What may wait for the bandwidth, in 'queue_unit' (time: ns); 0: computed. */
    enum queue_unit queue_unit;       /* QUEUE_BYTES when 'queue' is 0. */
    enum aqm aqm;
    uint64_t burst; /* Bytes that may pass at once; 0: computed. */
    /* Traces that the latency, the loss and the bandwidth follow: 1 + the index in the platform's playbacks, with the flags
     * PLAYBACK_LOOP and PLAYBACK_PAUSES; 0: none. The value above is then the trace's lowest latency, highest loss or highest
     * bandwidth. */
    uint32_t latency_trace, loss_trace, bandwidth_trace;
    /* ns of the latency that the way takes anyway, and which are not to be added to it: by the plan, never asked for, and no
     * property; see plan_compensation(). */
    int64_t compensation;
    struct played now; /* Of what follows them; no part of the platform: equal or not does not matter. */
};

/* A trace as the topology brought it, see playback.h. */
struct playback_text {
    char *name;
    char *text;
};

enum tristate { TRISTATE_AUTO, TRISTATE_NO, TRISTATE_YES };

/* How the parts of a vnetwork on several pnodes are joined. */
enum transport {
    TRANSPORT_AUTO,  /* To be chosen: VLAN where a VLAN is given, else VXLAN. */
    TRANSPORT_VXLAN, /* Tunnels between the pnodes' underlay addresses. */
    TRANSPORT_VLAN,  /* 802.1Q on a physical interface. */
    TRANSPORT_LOCAL, /* Not at all: all its vnodes run on one pnode. */
};

#define VXLAN_PORT_DEFAULT 14789 /* Not 4789, which others on the same machine may have. */

struct vnetwork {
    char *name;
    uint32_t id;                 /* From 1, never used again within a platform; names kernel objects. 0: not planned yet. */
    struct ip_prefix ipv4, ipv6; /* At least one. */
    enum transport transport;
    uint32_t vni;         /* 1..2^24-1; 0: to be allotted. */
    uint16_t port;        /* VXLAN: UDP port; 0: to be chosen. */
    uint8_t underlay;     /* VXLAN: IP version of the tunnels, 4 or 6; 0: to be chosen. */
    uint16_t vlan;        /* VLAN: 1..4094; 0: none. */
    char *interface;      /* VLAN: name of the physical interface, the same on all pnodes; NULL: none. */
    uint16_t mtu;         /* 0: computed from the underlay. */
    bool mtu_chosen;      /* 'mtu' was chosen by the plan, not asked for: see platform_reopen(). */
    bool underlay_chosen; /* So was 'underlay'. */
    /* ns, one way, that a frame takes where nothing is emulated, between two vnodes of a pnode and of different ones, as measured
     * to be compensated; 0: it is not. */
    int64_t base_local, base_remote;
};

/* A route of a vnode. */
struct route {
    struct ip_prefix to; /* Length 0 with a family: the default route. */
    struct ip_addr via;
    uint32_t viface; /* Index into the vnode's vifaces: the interface that it leaves by. */
};

struct viface {
    char *name;
    uint32_t id;               /* From 1, unique in the platform over all vnodes. */
    struct vnetwork *vnetwork; /* Belongs to the platform. */
    struct ip_addr ipv4, ipv6; /* Inside the vnetwork's prefixes. */
    struct mac_addr mac;
    struct impairment input, output; /* Seen from the vnode. */
};

enum vnode_state {
    VNODE_STATE_UNKNOWN, /* Not reported yet. */
    VNODE_STATE_WAITING, /* Known to its pnode, work under way. */
    VNODE_STATE_RUNNING, /* Network configured, init runs. */
    VNODE_STATE_FAILED,  /* 'error' says why; tried again with growing pauses. */
};

struct vnode {
    char *name;
    uint32_t id;           /* From 1. */
    char *pnode;           /* Name of the machine it runs on; NULL: to be placed. */
    bool pnode_chosen;     /* 'pnode' was chosen by the plan, not asked for: see platform_reopen(). */
    char *where;           /* Labels that its pnode must have, "rack=a,site=nancy" ordered by key; NULL: any pnode will do. */
    char *labels;          /* What the user calls it by, "role=client,site=paris" ordered by key; NULL: nothing. */
    uint32_t group;        /* In the platform's matrix, from 1; 0: none. */
    char *image;           /* "host", or an absolute directory. Never NULL. */
    uint32_t cores;        /* 0: no limit. Parsed and stored; emulated by the CPU module. */
    uint64_t frequency;    /* Hz per core; 0: as the machine. */
    uint32_t cpu_ratio;    /* Share of a core's speed in billionths; 0: as the machine. Excludes 'frequency'. */
    uint64_t memory;       /* Bytes; 0: no limit. */
    enum tristate gateway; /* What the user said. */
    bool forwards;         /* What the plan decided: IP forwarding is on. */
    GPtrArray *vifaces;    /* Of struct viface, owned. */
    GArray *routes;        /* Of struct route: planned. May be shared between vnodes (reference counted), so never edit in place. */

    /* Observed, written by the vnode's pnode only. */
    enum vnode_state state;
    char *error; /* NULL: none. */
    int32_t pid; /* Of its init, in the pnode's pid namespace; 0: none. */
};

/* What the user fixes about routing: on 'from', the way to 'to' is through vnode 'via'. */
struct vroute {
    struct vnetwork *from;   /* Belongs to the platform. */
    struct vnetwork *to;     /* NULL: 'prefix' says where to. */
    struct ip_prefix prefix; /* Where to, when 'to' is NULL. */
    struct vnode *via;       /* Has a viface on 'from'. */
};

enum routing {
    ROUTING_HOPS,    /* Fewest gateways. */
    ROUTING_LATENCY, /* Smallest latency there and back, then fewest gateways. */
    ROUTING_NONE,    /* Only vroutes. */
};

/* A real machine. What it is, as its daemon says; all pnodes know it of each other. */
struct pnode {
    char *name;
    char *identity; /* Tells machines that call themselves the same apart. */
    uint32_t cores;
    uint64_t frequency;  /* Hz. */
    uint64_t memory;     /* Bytes. */
    char *kernel;        /* Its release, "6.1.0-37-amd64"; NULL: not known. */
    char *missing;       /* Kernel features for shaping that it lacks, for people; NULL: none. */
    char *no_matrix;     /* What it lacks for latency matrices, for people; NULL: nothing. */
    char *no_blackouts;  /* What it lacks for traces of which the bandwidth is 0 at times; likewise. */
    bool seeds;          /* Its netem takes seeds. */
    uint32_t max_vnodes; /* 0: no limit. */
    uint32_t max_vifaces;
    char *address;             /* Where its daemon serves actions, "192.0.2.2:4568", "[fd00::2]:4568"; NULL: nowhere. */
    struct ip_addr ipv4, ipv6; /* Its ends of tunnels; family 0: none. */
    uint16_t mtu;              /* Of the interface that has them; 0: none. */
    GHashTable *interfaces;    /* Name -> MTU (GUINT_TO_POINTER) of interfaces that could carry VLANs. Never NULL. */
    GHashTable *labels;        /* Name -> text. Never NULL. */

    bool draining; /* Set by the coordinator: it gets no new vnodes, and loses those that it has. */
    bool lost;     /* Known to the coordinator alone, not stored: it has not been heard of for long. */

    /* How far it is, written by its daemon. */
    uint64_t heartbeat;    /* Counts up as long as the daemon runs. */
    uint32_t leaving;      /* Vnodes that are still there and no longer wanted. */
    uint64_t generation;   /* The last generation it has realised. */
    char *error;           /* What keeps it from realising more; NULL: nothing. */
    uint64_t transactions; /* Sent to its switch since the daemon started. */
    uint64_t rules;        /* Added, changed or removed since then. */
    GHashTable *doubts;    /* Why results measured there are not to be trusted: sentence about it -> the last heartbeat (as a
                            * guint) at which it was so. Never NULL. */
};

struct platform {
    char *name;
    enum routing routing;
    uint64_t generation;   /* Raised by each committed change. */
    uint32_t next_id;      /* The next id to give to a vnetwork, vnode or viface; 0 stands for 1. */
    GPtrArray *vnetworks;  /* Of struct vnetwork, owned, in the file's order. */
    GPtrArray *vnodes;     /* Of struct vnode, owned. */
    GPtrArray *vroutes;    /* Of struct vroute, owned. */
    struct matrix *matrix; /* Latencies and more between vnodes; NULL: none. A reference is owned. */
    GPtrArray *playbacks;  /* Of struct playback_text, owned. */
    GPtrArray *tables;     /* Of struct delay_table, see delay-table.h: references to all that directions may have. */
};

/* Make an empty object with its name copied. The platform_add_ functions append it to 'platform', which owns it. */
struct platform *platform_new(const char *name);
struct vnetwork *platform_add_vnetwork(struct platform *, const char *name);
struct vnode *platform_add_vnode(struct platform *, const char *name);
struct viface *vnode_add_viface(struct vnode *, const char *name, struct vnetwork *);
struct vroute *platform_add_vroute(struct platform *, struct vnetwork *from, struct vnode *via);
struct playback_text *platform_add_playback(struct platform *, const char *name, const char *text);
struct pnode *pnode_new(const char *name);
/* Returns a deep copy. */
struct pnode *pnode_copy(const struct pnode *);

/* Free with everything inside; NULL is fine. */
void platform_free(struct platform *);
void pnode_free(struct pnode *);
/* Declares a pointer that is freed when it goes out of scope. */
static inline void platform_free_pointer(struct platform **p)
{
    platform_free(*p);
}
#define AUTO_PLATFORM __attribute__((cleanup(platform_free_pointer))) struct platform *

/* Returns a deep copy (routes are shared). */
struct platform *platform_copy(const struct platform *);
/* Opens again in a planned platform what the plan had chosen about machines (pnodes, MTUs, the tunnels' IP version), so that it can
 * be planned anew for other machines. Ids, addresses, MACs and VNIs stay. */
void platform_reopen(struct platform *);

/* Find by name in linear time; whoever looks up many builds a table with platform_index_vnodes(). NULL: none. */
struct vnetwork *platform_find_vnetwork(const struct platform *, const char *name);
struct vnode *platform_find_vnode(const struct platform *, const char *name);
struct viface *vnode_find_viface(const struct vnode *, const char *name);
/* Returns a table name -> struct vnode (or struct vnetwork), which borrows from the platform. The caller unrefs it. */
GHashTable *platform_index_vnodes(const struct platform *);
GHashTable *platform_index_vnetworks(const struct platform *);

/* Typed access to the arrays. */
static inline struct vnetwork *platform_vnetwork(const struct platform *p, unsigned i)
{
    return p->vnetworks->pdata[i];
}
static inline struct vnode *platform_vnode(const struct platform *p, unsigned i)
{
    return p->vnodes->pdata[i];
}
static inline struct vroute *platform_vroute(const struct platform *p, unsigned i)
{
    return p->vroutes->pdata[i];
}
static inline struct playback_text *platform_playback(const struct platform *p, unsigned i)
{
    return p->playbacks->pdata[i];
}
static inline struct viface *vnode_viface(const struct vnode *v, unsigned i)
{
    return v->vifaces->pdata[i];
}

/* Says whether nothing at all is emulated. */
bool impairment_is_zero(const struct impairment *);
/* Says whether something is emulated besides a bandwidth and what belongs to it. */
bool impairment_has_more(const struct impairment *);
/* Returns 'impairment' with the values that hold now in place of those that stand for traces. */
struct impairment impairment_at_present(const struct impairment *);
/* Says whether frames first wait for a bandwidth and then meet something else. */
bool impairment_is_staged(const struct impairment *);
/* Returns the property by which what is random depends on what was before, or NULL: the kernel forgets that whenever a latency, a
 * loss or the rate of its netem is changed. */
const char *impairment_memory(const struct impairment *);
/* Says whether a frame that finds the bandwidth idle takes its own time on the wire, too: netem then has the bandwidth as its rate.
 * Not where frames may overtake each other, nor where netem would forget with each change of the bandwidth. */
bool impairment_takes_own_time(const struct impairment *);
bool impairment_equal(const struct impairment *, const struct impairment *);
/* Writes the queue as files have it: "64kB", "10packets" or "50ms". The caller frees the text. */
char *impairment_queue_text(const struct impairment *);
/* Returns what counts of a frame besides the bytes that the kernel sees (the packet and 14 bytes): at least -14. */
int impairment_overhead(const struct impairment *);
/* Returns the bytes by which a frame of 'frame' bytes, its Ethernet header counted, is charged to the bandwidth. */
uint64_t impairment_counted(const struct impairment *, unsigned frame);
/* Returns the share of frames that are lost in the long run, by whichever model. */
double impairment_loss(const struct impairment *);

/* Words for the enums, as they stand in files; the _parse functions return false for an unknown word. TRANSPORT_AUTO has none. */
const char *transport_name(enum transport);
bool transport_parse(const char *word, enum transport *ret);
const char *distribution_name(enum distribution);
bool distribution_parse(const char *word, enum distribution *ret);
const char *framing_name(enum framing);
bool framing_parse(const char *word, enum framing *ret);
const char *aqm_name(enum aqm);
bool aqm_parse(const char *word, enum aqm *ret);
const char *routing_name(enum routing);
bool routing_parse(const char *word, enum routing *ret);
const char *vnode_state_name(enum vnode_state);
bool vnode_state_parse(const char *word, enum vnode_state *ret);

#endif
