/* SPDX-License-Identifier: Apache-2.0 */
/* What a pnode plays while its share changes, with links that only count what the player does. */
#include <config.h>

#include <string.h>

#include "distem/error.h"
#include "distem/units.h"
#include "fake-db.h"
#include "src/pnode/item.h"

#define VNODES 3
#define PATIENCE_US (20 * (gint64)G_USEC_PER_SEC)

/* What was done to the latency of one direction. */
struct done {
    unsigned changes;
    int64_t latency;
};

/* The links of this test. A direction's netem is the id of its viface. */
static GMutex lock;
static GCond changed;
static struct done done[VNODES + 1];
static bool flush_fails;
static int failing; /* This direction cannot be changed. */
static char *trouble;

struct link_player *link_player_new(GError **error G_GNUC_UNUSED)
{
    return (struct link_player *)done;
}

void link_player_free(struct link_player *links)
{
    g_assert_true(links == (struct link_player *)done);
}

bool link_find_direction(struct link_manager *manager G_GNUC_UNUSED, const struct viface *viface, bool output, uint16_t mtu,
                         struct link_direction *ret)
{
    g_assert_true(output);
    *ret = (struct link_direction){.queue = (int)viface->id, .netem = (int)viface->id, .mtu = mtu};
    return true;
}

void link_play(struct link_player *links G_GNUC_UNUSED, const struct link_direction *direction, const struct impairment *impairment,
               unsigned changes, const char *what G_GNUC_UNUSED, bool *failed)
{
    g_assert_cmpuint(changes, ==, LINK_CHANGES_NETEM);
    g_mutex_lock(&lock);
    done[direction->netem].changes++;
    done[direction->netem].latency = impairment->now.latency;
    *failed = direction->netem == failing;
    flush_fails |= *failed;
    g_mutex_unlock(&lock);
}

bool link_player_flush(struct link_player *links G_GNUC_UNUSED, GError **error)
{
    g_mutex_lock(&lock);
    bool fails = flush_fails;
    flush_fails = false;
    g_cond_broadcast(&changed);
    g_mutex_unlock(&lock);
    return !fails || fail(error, DISTEM_ERROR_SYSTEM, 0, "that one fails");
}

void daemon_set_trouble(struct pnode_daemon *p G_GNUC_UNUSED, enum trouble which, const char *message)
{
    g_assert_cmpint(which, ==, TROUBLE_PLAYBACK);
    g_free(trouble);
    trouble = g_strdup(message);
}

static void set_failing(int id)
{
    g_mutex_lock(&lock);
    failing = id;
    g_mutex_unlock(&lock);
}

static struct done done_to(uint32_t id)
{
    g_mutex_lock(&lock);
    struct done copy = done[id];
    g_mutex_unlock(&lock);
    return copy;
}

/* Waits until the latency of vnode 'id' has changed 'count' more times. */
static void wait_for_changes(uint32_t id, unsigned count)
{
    gint64 deadline = g_get_monotonic_time() + PATIENCE_US;
    g_mutex_lock(&lock);
    unsigned enough = done[id].changes + count;
    while (done[id].changes < enough) {
        g_assert_true(g_cond_wait_until(&changed, &lock, deadline));
    }
    g_mutex_unlock(&lock);
}

struct world {
    struct pnode_daemon p;
    struct item items[VNODES];
};

/* Reads a share in which vnodes 1 to 3 follow the traces 'texts'; it asks for networks of that 'print'. */
static void read_share(struct world *w, const char *const texts[VNODES], const char *print)
{
    struct platform *wanted = platform_new("p");
    struct vnetwork *vnetwork = platform_add_vnetwork(wanted, "net");
    for (unsigned i = 0; i < VNODES; i++) {
        g_autofree char *name = g_strdup_printf("n%u", i + 1);
        struct vnode *vnode = platform_add_vnode(wanted, name);
        struct viface *viface = vnode_add_viface(vnode, "if0", vnetwork);
        vnode->id = viface->id = i + 1;
        viface->output.latency = NS_PER_MS;
        viface->output.latency_trace = (i + 1) | PLAYBACK_LOOP;
        platform_add_playback(wanted, name, texts[i]);
        w->items[i].id = vnode->id;
        w->items[i].vnode = vnode;
        g_free(w->items[i].network_wanted);
        w->items[i].network_wanted = g_strdup(print);
        g_hash_table_insert(w->p.items, GUINT_TO_POINTER(vnode->id), &w->items[i]);
    }
    platform_free(w->p.wanted);
    w->p.wanted = wanted;
    w->p.play_again = true;
    playback_begin(&w->p);
}

static void begin_network(struct world *w, unsigned i)
{
    g_clear_pointer(&w->items[i].network_done, g_free);
    playback_prepare(&w->p, &w->items[i]);
}

static void end_network(struct world *w, unsigned i)
{
    w->items[i].network_done = g_strdup(w->items[i].network_wanted);
    playback_play(&w->p, &w->items[i]);
}

static void begin(struct world *w, const char *first, const char *second, const char *third)
{
    *w = (struct world){.p = {.db = fake_db_new(), .items = g_hash_table_new(NULL, NULL)}};
    memset(done, 0, sizeof done);
    w->p.db->start = g_get_real_time() * (NS_PER_S / G_USEC_PER_SEC);
    read_share(w, (const char *const[]){first, second, third}, "as at first");
    for (unsigned i = 0; i < VNODES; i++) {
        begin_network(w, i);
        end_network(w, i);
    }
    playback_run(&w->p);
    for (uint32_t id = 1; id <= VNODES; id++) {
        while (!done_to(id).changes) {
            g_usleep(1000);
        }
    }
}

static void end(struct world *w)
{
    player_free(w->p.player);
    g_clear_pointer(&trouble, g_free);
    platform_free(w->p.wanted);
    g_hash_table_unref(w->p.items);
    for (unsigned i = 0; i < VNODES; i++) {
        g_free(w->items[i].network_wanted);
        g_free(w->items[i].network_done);
    }
    db_close(w->p.db);
}

#define QUICK "0 1ms\n4ms 2ms\n8ms end"
#define SLOW "0 1ms\n3600s 2ms\n7200s end"
#define SLOWER "0 3ms\n3600s 4ms\n7200s end"

/* Who only waits for its turn to be changed plays on, and who has its turn is left alone as long. */
static void test_turns(void)
{
    struct world w;
    begin(&w, QUICK, QUICK, QUICK);
    read_share(&w, (const char *const[]){QUICK, QUICK, QUICK}, "another");
    playback_run(&w.p);
    wait_for_changes(1, 3);
    wait_for_changes(2, 3);
    (void)player_take_late(w.p.player);
    begin_network(&w, 0);
    unsigned before = done_to(1).changes;
    wait_for_changes(2, 3);
    playback_run(&w.p);
    wait_for_changes(2, 3);
    g_assert_cmpuint(done_to(1).changes, ==, before);
    end_network(&w, 0);
    wait_for_changes(1, 3);
    g_assert_cmpuint(player_take_late(w.p.player), >, 0);
    begin_network(&w, 1);
    playback_leave(&w.p, 2);
    before = done_to(2).changes;
    wait_for_changes(1, 3);
    g_assert_cmpuint(done_to(2).changes, ==, before);
    end(&w);
}

/* Another share touches only who follows another trace, however that is called. */
static void test_shares(void)
{
    struct world w;
    begin(&w, SLOW, QUICK, SLOW);
    read_share(&w, (const char *const[]){SLOW, QUICK, SLOW}, "as at first");
    playback_run(&w.p);
    wait_for_changes(2, 3);
    unsigned before = done_to(1).changes;
    read_share(&w, (const char *const[]){SLOWER, QUICK, SLOW}, "as at first");
    playback_run(&w.p);
    wait_for_changes(2, 3);
    g_assert_cmpuint(done_to(1).changes, ==, before + 1);
    g_assert_cmpint(done_to(1).latency, ==, 3 * NS_PER_MS);
    end(&w);
}

/* Another start is another moment in all traces. */
static void test_starts(void)
{
    struct world w;
    begin(&w, SLOW, SLOWER, SLOW);
    w.p.db->start -= 3600 * NS_PER_S;
    playback_run(&w.p);
    while (done_to(1).latency != 2 * NS_PER_MS || done_to(2).latency != 4 * NS_PER_MS) {
        g_usleep(1000);
    }
    end(&w);
}

/* What fails is tried again now and then; all others neither wait for it nor are made anew. */
static void test_failure(void)
{
    struct world w;
    begin(&w, QUICK, QUICK, SLOW);
    playback_run(&w.p);
    g_assert_null(trouble);
    set_failing(1);
    wait_for_changes(1, 1);
    gint64 since = g_get_monotonic_time();
    unsigned tries = done_to(1).changes, others = done_to(3).changes;
    wait_for_changes(2, 20);
    playback_run(&w.p);
    g_assert_cmpstr(trouble, ==, "that one fails");
    wait_for_changes(1, 2);
    tries = done_to(1).changes - tries;
    g_assert_cmpint(tries - 1, <=, (g_get_monotonic_time() - since) / G_USEC_PER_SEC);
    g_assert_cmpuint(done_to(3).changes, ==, others);
    set_failing(0);
    wait_for_changes(1, 3);
    playback_run(&w.p);
    g_assert_null(trouble);
    end(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pnode/playback/turns", test_turns);
    g_test_add_func("/pnode/playback/shares", test_shares);
    g_test_add_func("/pnode/playback/starts", test_starts);
    g_test_add_func("/pnode/playback/failure", test_failure);
    return g_test_run();
}
