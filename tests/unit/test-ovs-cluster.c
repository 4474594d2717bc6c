/* SPDX-License-Identifier: Apache-2.0 */
/* The Distem database on three servers that replicate it: one of them dies, whichever it is, while platforms are being stored. */
#include <config.h>

#include <glib/gstdio.h>
#include <string.h>

#include "db-fixture.h"

#define SERVERS 3
#define CHANGES 12
#define VNODES_PER_CHANGE 5

struct cluster {
    struct sandbox *sandbox;
    pid_t pids[SERVERS];
    char *sockets[SERVERS]; /* Names of the files. */
    char *ctls[SERVERS];
    char *remotes[SERVERS]; /* "unix:..." */
    char *remote;           /* All of them. */
    struct db *full, *left, *right;
};

static void start_server(struct cluster *c, unsigned i)
{
    g_autofree char *db = g_strdup_printf("s%u.db", i);
    g_autofree char *log = g_strdup_printf("--log-file=s%u.log", i);
    g_autofree char *ctl = g_strdup_printf("--unixctl=%s", c->ctls[i]);
    g_autofree char *remote = g_strdup_printf("--remote=p%s", c->remotes[i]);
    c->pids[i] = sandbox_spawn(c->sandbox, (const char *const[]){"ovsdb-server", remote, ctl, "-vconsole:off", log, db, NULL});
    sandbox_wait_for(c->sandbox, c->sockets[i]);
    sandbox_wait_for(c->sandbox, c->ctls[i]);
}

static void kill_server(struct cluster *c, unsigned i)
{
    g_autofree char *socket = g_build_filename(c->sandbox->dir, c->sockets[i], NULL);
    g_autofree char *ctl = g_build_filename(c->sandbox->dir, c->ctls[i], NULL);
    sandbox_kill(&c->pids[i]);
    g_unlink(socket);
    g_unlink(ctl);
}

/* Says whether what server 'i' knows of the cluster contains 'text'. One that does not answer (yet) knows nothing. */
static bool server_says(const struct cluster *c, unsigned i, const char *text)
{
    g_autofree char *ctl = g_build_filename(c->sandbox->dir, c->ctls[i], NULL);
    const char *argv[] = {"ovs-appctl", "-t", ctl, "cluster/status", "Distem", NULL};
    g_autofree char *status = NULL;
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &status, NULL, NULL,
                 NULL);
    return status && strstr(status, text);
}

static unsigned find_leader(const struct cluster *c)
{
    for (unsigned i = 0; i < SERVERS; i++) {
        if (server_says(c, i, "Role: leader")) {
            return i;
        }
    }
    return SERVERS;
}

static struct cluster *cluster_new(void)
{
    struct cluster *c = g_new0(struct cluster, 1);
    c->sandbox = sandbox_new_empty();
    g_autofree char *schema = source_path("ovs/distem.ovsschema");
    g_autofree char *peer = g_strdup_printf("unix:%s/s0.raft", c->sandbox->dir);
    for (unsigned i = 0; i < SERVERS; i++) {
        g_autofree char *db = g_strdup_printf("s%u.db", i);
        g_autofree char *self = g_strdup_printf("unix:%s/s%u.raft", c->sandbox->dir, i);
        c->sockets[i] = g_strdup_printf("s%u.sock", i);
        c->ctls[i] = g_strdup_printf("s%u.ctl", i);
        c->remotes[i] = g_strdup_printf("unix:%s/%s", c->sandbox->dir, c->sockets[i]);
        g_free(i ? sandbox_command(c->sandbox, "ovsdb-tool", "join-cluster", db, "Distem", self, peer)
                 : sandbox_command(c->sandbox, "ovsdb-tool", "create-cluster", db, schema, self));
        start_server(c, i);
        WAIT_UNTIL(server_says(c, i, "Status: cluster member"), (void)0, poll_wait_ms(20));
    }
    c->remote = g_strjoin(",", c->remotes[0], c->remotes[1], c->remotes[2], NULL);
    c->full = db_open_ready(c->remote, NULL);
    c->left = db_open_ready(c->remote, "left");
    c->right = db_open_ready(c->remote, "right");
    return c;
}

static void cluster_free(struct cluster *c)
{
    db_close(c->full);
    db_close(c->left);
    db_close(c->right);
    for (unsigned i = 0; i < SERVERS; i++) {
        sandbox_kill(&c->pids[i]);
        g_free(c->sockets[i]);
        g_free(c->ctls[i]);
        g_free(c->remotes[i]);
    }
    sandbox_free(c->sandbox);
    g_free(c->remote);
    g_free(c);
}

static void run(const struct cluster *c)
{
    db_run(c->full);
    db_run(c->left);
    db_run(c->right);
}

static void wait(const struct cluster *c)
{
    db_wait(c->full);
    db_wait(c->left);
    db_wait(c->right);
}

#define WAIT_CLUSTER(C, CONDITION) WAIT_UNTIL(CONDITION, run(C), wait(C))

static bool is_current(const struct db *db, uint64_t generation)
{
    return db_generation(db) == generation && db_is_complete(db);
}

/* Checks that a pnode sees its half of 'wanted', and the other half as others'. */
static void assert_share(const struct db *db, const char *pnode, const struct platform *wanted)
{
    AUTO_PLATFORM share = db_platform(db);
    unsigned own = 0;
    for (unsigned i = 0; i < wanted->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(wanted, i);
        if (!strcmp(vnode->pnode, pnode)) {
            assert_vnodes_equal(vnode, platform_vnode(share, own++));
        }
    }
    g_assert_cmpuint(share->vnodes->len, ==, own);
    g_autoptr(GArray) remotes = db_remote_vifaces(db, pnode);
    g_assert_cmpuint(remotes->len / 2, ==, wanted->vnodes->len - own);
}

/* What happens when that many changes are done. */
struct event {
    unsigned after;
    bool kill, leader; /* Or it is started again. */
};

/* Stores a platform that grows, all changes asked for at once, with 'events' in between. */
static void store_through(struct cluster *c, const struct event *events, unsigned count)
{
    struct outcome outcomes[CHANGES] = {{0}};
    AUTO_PLATFORM wanted = NULL;
    for (unsigned i = 0; i < CHANGES; i++) {
        platform_free(wanted);
        wanted = whole_platform((i + 1) * VNODES_PER_CHANGE);
        db_store_platform(c->full, wanted, i, db_note, &outcomes[i]);
    }
    unsigned victim = SERVERS;
    for (unsigned i = 0; i < count; i++) {
        WAIT_CLUSTER(c, outcomes[events[i].after - 1].count);
        if (events[i].kill) {
            unsigned leader = find_leader(c);
            g_assert_cmpuint(leader, <, SERVERS);
            victim = events[i].leader ? leader : (leader + 1) % SERVERS;
            kill_server(c, victim);
        } else {
            start_server(c, victim);
        }
        int64_t start = poll_now_ms();
        /* The next one may have been done before, and only its answer is on its way. */
        WAIT_CLUSTER(c, outcomes[events[i].after + 1].count);
        g_test_message("%s %s: the change after the next took %d ms", events[i].kill ? "killed" : "started",
                       events[i].leader ? "leader" : "follower", (int)(poll_now_ms() - start));
    }
    WAIT_CLUSTER(c, outcomes[CHANGES - 1].count && is_current(c->left, CHANGES) && is_current(c->right, CHANGES));
    for (unsigned i = 0; i < CHANGES; i++) {
        g_assert_cmpuint(outcomes[i].count, ==, 1);
        g_assert_cmpint(outcomes[i].code, ==, -1);
    }
    AUTO_PLATFORM stored = db_platform(c->full);
    g_assert_cmpuint(db_generation(c->full), ==, CHANGES);
    assert_platforms_equal(wanted, stored);
    assert_share(c->left, "left", wanted);
    assert_share(c->right, "right", wanted);

    /* The server that was killed is back, with everything: a pnode that talks to it alone sees the same. */
    WAIT_UNTIL(server_says(c, victim, "Status: cluster member"), run(c), poll_wait_ms(20));
    struct db *alone = db_open(c->remotes[victim], "left");
    WAIT_DB(alone, is_current(alone, CHANGES));
    assert_share(alone, "left", wanted);
    db_close(alone);
}

static void test_follower(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct cluster *c = cluster_new();
    store_through(c, (const struct event[]){{.after = 4, .kill = true}, {.after = 8}}, 2);
    cluster_free(c);
}

static void test_leader(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct cluster *c = cluster_new();
    store_through(c, (const struct event[]){{.after = 4, .kill = true, .leader = true}, {.after = 8, .leader = true}}, 2);
    cluster_free(c);
}

/* Two of three are needed: until the second is back, a change waits, and then it is done once. */
static void test_majority(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct cluster *c = cluster_new();
    AUTO_PLATFORM wanted = whole_platform(5);
    db_store(c->full, wanted, 0, -1);
    unsigned leader = find_leader(c);
    g_assert_cmpuint(leader, <, SERVERS);
    kill_server(c, (leader + 1) % SERVERS);
    kill_server(c, (leader + 2) % SERVERS);
    struct outcome outcome = {0};
    db_store_platform(c->full, NULL, 1, db_note, &outcome);
    /* The one that is left notices after some elections that it is alone. */
    WAIT_CLUSTER(c, server_says(c, leader, "Status: disconnected from the cluster"));
    g_assert_cmpuint(outcome.count, ==, 0);
    start_server(c, (leader + 1) % SERVERS);
    WAIT_CLUSTER(c, outcome.count && is_current(c->left, 2) && is_current(c->right, 2));
    g_assert_cmpint(outcome.code, ==, -1);
    g_assert_null(db_platform(c->left));
    cluster_free(c);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ovs/cluster/follower", test_follower);
    g_test_add_func("/ovs/cluster/leader", test_leader);
    g_test_add_func("/ovs/cluster/majority", test_majority);
    return g_test_run();
}
