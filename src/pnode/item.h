/* SPDX-License-Identifier: Apache-2.0 */
/* The convergence of one pnode: what stands for a vnode, and the daemon around it. See converge.c for the way that an item takes.
 */
#ifndef PNODE_ITEM_H
#define PNODE_ITEM_H 1

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <glib.h>

#include "distem/db.h"
#include "distem/link.h"
#include "distem/pnode-daemon.h"
#include "distem/vnode.h"
#include "distem/vswitch.h"
#include "health.h"
#include "lateness.h"
#include "player.h"
#include "underlay.h"

/* The container of an item. */
enum container {
    CONTAINER_ABSENT,
    CONTAINER_STARTING, /* A request is under way. */
    CONTAINER_RUNNING,
    CONTAINER_STOPPING, /* A request is under way. */
};

/* What can be wrong with the machine as a whole. */
enum trouble {
    TROUBLE_SHARE,      /* What is there cannot be found out. */
    TROUBLE_CONTAINERS, /* Nor which containers run. */
    TROUBLE_MATRIX,     /* The latency matrix cannot be had. */
    TROUBLE_SWITCH,     /* The private switch does not start. */
    TROUBLE_PLAYBACK,   /* Traces are not played as they are to be. */
    TROUBLE_COUNT,
};

/* A vnode that is wanted here, or something of one that is here and no longer wanted. */
struct item {
    uint32_t id;
    const struct vnode *vnode; /* In the wanted platform; NULL: is to go. */
    char *network_wanted;      /* Fingerprint of its network; NULL when it is to go. */
    char *network_done;        /* Fingerprint of the network that is there completely; NULL: none, or not known to be right. */
    bool has_devices;          /* Its namespace exists, so it may have ports already. */
    char *container_done;      /* What its container was started with. */
    bool forgetting;           /* The stop under way deletes its files, too. */
    bool forgotten;            /* Its container and all files of it are known to be gone. */
    int64_t started_at;        /* Monotonic ms, of the container; 0: before this daemon. */
    unsigned restarts;         /* Of a container that had just been started, in a row. */
    uint64_t ports_epoch;      /* The push to the switch that has its ports as they are now; 0: none yet. */
    enum container container;
    pid_t pid;
    int pidfd;              /* -1: none. */
    unsigned failures;      /* In a row. */
    int64_t retry_at;       /* Monotonic ms. */
    enum vnode_state state; /* As it is to be reported. */
    char *error;
    bool unreported;
};

struct pnode_daemon {
    char *run_dir, *state_dir;
    struct db *db;
    struct pnode *self; /* Our row; generation and error are as last written. */
    struct underlay underlay;
    char **carriers; /* Devices of the machine that bring the pushed bridges frames from other pnodes. */
    struct link_manager *links;
    struct vswitch *vswitch;
    struct server_keeper *keeper; /* Of the private switch; NULL: the machine has its own. */
    struct vnode_runner *runner;
    struct health *health;
    struct lateness *lateness; /* NULL: cannot be watched. */
    struct player *player;     /* NULL: there was nothing to play yet. */
    int64_t play_start;        /* As it was told last. */
    bool play_again;           /* Another share was read since. */
    int64_t observe_at;        /* Monotonic ms: when to look at it again. */
    bool user_datapath;

    struct platform *wanted; /* Our share of the platform; NULL: none, or not known yet. */
    uint64_t generation;     /* What 'wanted' is of. */
    bool loaded;             /* 'wanted' has been read from a complete database. */
    bool matrix_failed;      /* Its latency matrix could not be set. */
    bool adopted;            /* The list of containers has arrived. */
    int64_t reload_at;       /* Monotonic ms: the share is not read before; */
    int64_t list_at;         /* when to ask for that list again; 0: it is on its way, or there; */
    int64_t report_at;       /* nothing is written to the database before. */
    GHashTable *items;       /* id -> struct item. */
    int epoll_fd;            /* Watches the items' pidfds. */

    uint64_t pushed_epoch;  /* Pushes to the switch so far ... */
    uint64_t settled_epoch; /* ... and the last one that has settled. */
    int64_t pushed_at;      /* Monotonic ms, of the last push. */
    bool push_needed;
    bool reporting; /* A report of vnodes is under way. */

    /* This machine's row. */
    bool known;           /* It has been in the database before this daemon. */
    bool registering;     /* A transaction that writes it, or how far it is, is under way. */
    bool introduced;      /* The first attempt to write it has ended. */
    bool registered;      /* It is there. */
    char *refusal;        /* Why it is not: another machine has that name. NULL: no such reason. */
    bool removed;         /* Somebody has removed it. */
    bool unregistered;    /* How far it is has not been written as it is in 'self'. */
    int64_t introduce_at; /* Monotonic ms: not written before; */
    int64_t heartbeat_at; /* written then at the latest. */
    char *peers;          /* Of what the pnodes said at the last push where their tunnels end. */
    unsigned peers_seqno; /* Of the database when that was looked at last ... */
    int64_t peers_at;     /* ... and when to look again at the earliest. */

    char *troubles[TROUBLE_COUNT]; /* NULL: none. */
};

/* daemon.c: notes (and logs, when it is new) what is wrong with the machine as a whole; NULL: nothing any more. */
void daemon_set_trouble(struct pnode_daemon *, enum trouble, const char *message);
/* Returns the first such thing, or NULL. */
const char *daemon_trouble(const struct pnode_daemon *);

/* converge.c: returns what the switch has complained of for so long that it will not pass by itself, or NULL. */
const char *converge_switch_error(const struct pnode_daemon *);

/* item.c */
struct item *item_new(uint32_t id);
void item_free(void *);
/* Sets what is reported; 'error' may be NULL and is copied. */
void item_set_state(struct item *, enum vnode_state, const char *error);
/* Notes a failure ('error' is freed): state FAILED, tried again after 1, 2, 4 ... 60 seconds. */
void item_fail(struct item *, const char *what, GError *error);
/* Watches the init 'pid' of a container that runs. */
void item_set_running(struct pnode_daemon *, struct item *, pid_t pid);
/* Its init has ended: forgets pid and pidfd. */
void item_unwatch(struct item *);
/* The container is gone. */
void item_set_absent(struct pnode_daemon *, struct item *);
/* Returns what a container is started with, to see whether it must be started anew. The caller frees it. */
char *item_container_print(const struct vnode *);

/* share.c: from the database to items, when something has changed there. */
void share_reload(struct pnode_daemon *);
/* Takes note of the containers that are there already. */
void share_adopt_containers(struct pnode_daemon *, const GArray *containers);

/* converge.c: does what can be done now for all items. */
void converge_run(struct pnode_daemon *);
void converge_wait(struct pnode_daemon *);
/* Handles what a runner's request came to. */
void converge_result(struct pnode_daemon *, struct vnode_result *);
/* Says whether the machine is as wanted. */
bool converge_is_done(const struct pnode_daemon *);

/* report.c: tells the database what changed, and that this machine is alive; writes its row. */
void report_run(struct pnode_daemon *);
void report_wait(struct pnode_daemon *);

/* observe.c: looks after this machine's health, now and then. */
void observe_start(struct pnode_daemon *);
void observe_end(struct pnode_daemon *);
void observe_run(struct pnode_daemon *);
void observe_wait(const struct pnode_daemon *);

/* playback.c: plays the traces that vnodes here follow. */
void playback_run(struct pnode_daemon *);
/* After another share was read: makes sure that there is something that plays, if there are traces. */
void playback_begin(struct pnode_daemon *);
/* Before the network of 'item' is made: leaves it alone, and sets what holds now. */
void playback_prepare(struct pnode_daemon *, const struct item *);
/* Once it is complete: has it played. */
void playback_play(struct pnode_daemon *, const struct item *);
/* Before networks are removed: leaves that of vnode 'id' alone. */
void playback_leave(struct pnode_daemon *, uint32_t id);

/* peers.c: notices that other pnodes' tunnels end elsewhere now, or that this one has been removed. */
void peers_look(struct pnode_daemon *);
/* From now on nothing is wanted here, and nothing reported. */
void peers_set_removed(struct pnode_daemon *);

#endif
