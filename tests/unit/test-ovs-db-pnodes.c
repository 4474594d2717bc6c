/* SPDX-License-Identifier: Apache-2.0 */
/* What pnodes see of the Distem database: their own vnodes, and the vifaces on the vnetworks that these are on. */
#include <config.h>

#include <signal.h>
#include <string.h>

#include "db-fixture.h"
#include "distem/error.h"

/* Three connections in one loop: all is well when each has seen the coordinator's generation. */
struct trio {
    struct sandbox *sandbox;
    struct db *full, *left, *right;
};

static void run(const struct trio *t)
{
    db_run(t->full);
    db_run(t->left);
    db_run(t->right);
}

static void wait(const struct trio *t)
{
    db_wait(t->full);
    db_wait(t->left);
    db_wait(t->right);
}

#define WAIT_TRIO(T, CONDITION) WAIT_UNTIL(CONDITION, run(T), wait(T))

static bool is_current(const struct db *db, uint64_t generation)
{
    return db_generation(db) == generation && db_is_complete(db);
}

static bool are_current(const struct trio *t)
{
    uint64_t generation = db_generation(t->full);
    return is_current(t->left, generation) && is_current(t->right, generation);
}

/* Stores, and waits until both pnodes have all of it. */
static void change(const struct trio *t, const struct platform *platform)
{
    db_store(t->full, platform, db_generation(t->full), -1);
    WAIT_TRIO(t, are_current(t));
}

static struct trio trio_new(void)
{
    struct sandbox *sandbox = new_db_sandbox();
    return (struct trio){.sandbox = sandbox,
                         .full = db_open_ready(sandbox->remote, NULL),
                         .left = db_open_ready(sandbox->remote, "left"),
                         .right = db_open_ready(sandbox->remote, "right")};
}

static void trio_close(struct trio *t)
{
    db_close(t->full);
    db_close(t->left);
    db_close(t->right);
    sandbox_free(t->sandbox);
}

/* Makes four vnetworks net1.. with ids 1.., and a vnode for each word of 'vnodes': "left:1,2" is on that pnode and these vnetworks.
 */
static struct platform *make_platform(const char *const *vnodes)
{
    struct platform *platform = platform_new("four");
    for (unsigned i = 1; i <= 4; i++) {
        g_autofree char *name = g_strdup_printf("net%u", i);
        struct vnetwork *vnetwork = platform_add_vnetwork(platform, name);
        vnetwork->id = i;
        vnetwork->transport = TRANSPORT_VXLAN;
        g_autofree char *prefix = g_strdup_printf("10.%u.0.0/16", i);
        g_assert_true(prefix_parse(prefix, &vnetwork->ipv4, NULL) && prefix_parse("fd00::/64", &vnetwork->ipv6, NULL));
    }
    for (unsigned i = 0; vnodes[i]; i++) {
        g_auto(GStrv) parts = g_strsplit(vnodes[i], ":", 2);
        g_auto(GStrv) nets = g_strsplit(parts[1], ",", -1);
        g_autofree char *name = g_strdup_printf("n%u", i);
        struct vnode *vnode = platform_add_vnode(platform, name);
        vnode->id = 100 + 10 * i;
        vnode->pnode = g_strdup(parts[0]);
        for (unsigned j = 0; nets[j]; j++) {
            g_autofree char *eth = g_strdup_printf("eth%u", j);
            struct vnetwork *vnetwork = platform_vnetwork(platform, (unsigned)atoi(nets[j]) - 1);
            struct viface *viface = vnode_add_viface(vnode, eth, vnetwork);
            viface->id = vnode->id + 1 + j;
            viface->ipv4 = prefix_host(&vnetwork->ipv4, viface->id - 1);
            viface->ipv6 = prefix_host(&vnetwork->ipv6, viface->id - 1);
            viface->mac = (struct mac_addr){{2, 0, 0, 0, 0, (uint8_t)viface->id}};
        }
    }
    platform->next_id = 1000;
    return platform;
}

#define PLATFORM(...) make_platform((const char *const[]){__VA_ARGS__, NULL})

/* Checks that 'db' sees exactly these as others' vifaces of 'pnode': "vnetwork/id@pnode ...". */
static void assert_remotes(const struct db *db, const char *pnode, const char *wanted)
{
    g_autoptr(GArray) vifaces = db_remote_vifaces(db, pnode);
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < vifaces->len; i++) {
        const struct remote_viface *viface = &g_array_index(vifaces, struct remote_viface, i);
        struct mac_addr mac = {{2, 0, 0, 0, 0, (uint8_t)viface->id}};
        g_string_append_printf(text, "%s%u/%u@%s", i ? " " : "", viface->vnetwork_id, viface->id, viface->pnode);
        g_assert_true(mac_equal(&mac, &viface->mac));
        char ip[IP_TEXT_SIZE];
        g_autofree char *ipv4 = g_strdup_printf("10.%u.0.%u", viface->vnetwork_id, viface->id);
        g_assert_cmpstr(ip_format(&viface->ipv4, ip), ==, ipv4);
        g_assert_cmpint(viface->ipv6.family, !=, 0);
    }
    g_assert_cmpstr(text->str, ==, wanted);
}

/* Checks that 'db' has these vnodes with all their vifaces, "n0 n2", and these vnetworks, "1 2". */
static void assert_share(const struct db *db, const struct platform *wanted, const char *vnodes, const char *vnetworks)
{
    AUTO_PLATFORM share = db_platform(db);
    g_autoptr(GString) names = g_string_new(NULL);
    g_autoptr(GString) ids = g_string_new(NULL);
    for (unsigned i = 0; i < share->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(share, i);
        g_string_append_printf(names, "%s%s", i ? " " : "", vnode->name);
        assert_vnodes_equal(vnode, platform_find_vnode(wanted, vnode->name));
    }
    for (unsigned i = 0; i < share->vnetworks->len; i++) {
        g_string_append_printf(ids, "%s%u", i ? " " : "", platform_vnetwork(share, i)->id);
    }
    g_assert_cmpstr(names->str, ==, vnodes);
    g_assert_cmpstr(ids->str, ==, vnetworks);
}

/* Checks that a pnode sees the same others as the coordinator does. */
static void assert_remotes_both(const struct trio *t, const char *pnode, const char *wanted)
{
    assert_remotes(!strcmp(pnode, "left") ? t->left : t->right, pnode, wanted);
    assert_remotes(t->full, pnode, wanted);
}

static void test_follow(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct trio t = trio_new();
    g_assert_true(are_current(&t)); /* Nothing there, nothing to wait for. */
    AUTO_PLATFORM first = PLATFORM("left:1,2", "right:2", "right:3", "far:1");
    change(&t, first);
    assert_share(t.left, first, "n0", "1 2");
    assert_share(t.right, first, "n1 n2", "2 3");
    assert_remotes_both(&t, "left", "1/131@far 2/111@right");
    assert_remotes_both(&t, "right", "2/102@left");
    assert_remotes(t.full, "far", "1/101@left");

    /* A vnode comes to a vnetwork that its pnode did not have, another leaves one. */
    AUTO_PLATFORM second = PLATFORM("left:1", "right:2", "right:3", "far:1", "left:3");
    change(&t, second);
    assert_share(t.left, second, "n0 n4", "1 3");
    assert_share(t.right, second, "n1 n2", "2 3");
    assert_remotes_both(&t, "left", "1/131@far 3/121@right");
    assert_remotes_both(&t, "right", "3/141@left");

    /* Vnodes move. */
    AUTO_PLATFORM third = PLATFORM("right:1", "left:2", "left:3", "far:1", "left:3");
    change(&t, third);
    assert_share(t.left, third, "n1 n2 n4", "2 3");
    assert_share(t.right, third, "n0", "1");
    assert_remotes_both(&t, "left", "");
    assert_remotes_both(&t, "right", "1/131@far");

    /* Nothing left. */
    AUTO_PLATFORM fourth = PLATFORM("far:1,2,3,4");
    change(&t, fourth);
    assert_share(t.left, fourth, "", "");
    assert_remotes_both(&t, "left", "");
    trio_close(&t);
}

/* The pnode never takes a copy without the others for complete, whatever it sees on the way. */
static void test_never_half(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct trio t = trio_new();
    AUTO_PLATFORM one = PLATFORM("left:1", "far:1", "far:2");
    AUTO_PLATFORM two = PLATFORM("left:2", "far:1", "far:2");
    bool was_incomplete = false;
    for (unsigned i = 0; i < 20; i++) {
        uint64_t generation = db_generation(t.full);
        struct outcome outcome = {0};
        db_store_platform(t.full, i % 2 ? two : one, generation, db_note, &outcome);
        WAIT_TRIO(&t, (was_incomplete |= !db_is_complete(t.left), is_current(t.left, generation + 1) && outcome.count));
        assert_remotes(t.left, "left", i % 2 ? "2/121@far" : "1/111@far");
        g_assert_cmpint(outcome.code, ==, -1);
    }
    g_assert_true(was_incomplete);
    trio_close(&t);
}

/* The server ends 'turns' turns of the loop after the pnode has begun to ask for the others' vifaces: it has them in the end. */
static void restart_after(unsigned turns)
{
    struct trio t = trio_new();
    AUTO_PLATFORM one = PLATFORM("left:1", "far:1", "far:2", "right:2");
    AUTO_PLATFORM two = PLATFORM("left:2", "far:1", "far:2", "right:1");
    change(&t, one);
    db_store(t.full, two, 1, -1);
    WAIT_DB(t.left, db_generation(t.left) == 2);
    g_assert_false(db_is_complete(t.left));
    for (unsigned i = 0; i < turns; i++) {
        db_run(t.left);
        db_wait(t.left);
        poll_wait_ms(20);
        poll_block_once();
    }
    sandbox_kill_db(t.sandbox);
    sandbox_start_db(t.sandbox);
    WAIT_TRIO(&t, (db_generation(t.left) != 2 || !db_is_complete(t.left) || (assert_remotes(t.left, "left", "2/121@far"), true)) &&
                      db_is_connected(t.left) && are_current(&t));
    assert_remotes_both(&t, "left", "2/121@far");
    assert_remotes_both(&t, "right", "1/111@far");
    trio_close(&t);
}

static void test_restart(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    for (unsigned turns = 0; turns < 4; turns++) {
        restart_after(turns);
    }
}

/* What others have changed while the connection was down is seen, too. */
static void test_reconnect(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct trio t = trio_new();
    AUTO_PLATFORM one = PLATFORM("left:1", "far:1", "far:3");
    change(&t, one);
    sandbox_kill_db(t.sandbox);
    WAIT_TRIO(&t, !db_is_connected(t.left) && !db_is_connected(t.right));
    sandbox_start_db(t.sandbox);
    AUTO_PLATFORM two = PLATFORM("left:3", "far:1", "far:3");
    struct db *other = db_open_ready(t.sandbox->remote, NULL);
    db_store(other, two, 1, -1);
    WAIT_TRIO(&t, db_generation(t.full) == 2 && are_current(&t));
    assert_remotes_both(&t, "left", "3/121@far");
    db_close(other);
    trio_close(&t);
}

static struct pnode *new_pnode(const char *name, const char *identity)
{
    struct pnode *pnode = pnode_new(name);
    pnode->identity = g_strdup(identity);
    pnode->address = g_strdup("192.0.2.1:4568");
    pnode->mtu = 1500;
    g_assert_true(ip_addr_parse("192.0.2.1", &pnode->ipv4, NULL));
    return pnode;
}

static uint64_t heartbeat(const struct db *db, unsigned i)
{
    g_autoptr(GPtrArray) pnodes = db_pnodes(db);
    return i < pnodes->len ? ((const struct pnode *)pnodes->pdata[i])->heartbeat : 0;
}

static unsigned count_pnodes(const struct db *db)
{
    g_autoptr(GPtrArray) pnodes = db_pnodes(db);
    return pnodes->len;
}

static void test_heartbeat(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct trio t = trio_new();
    struct pnode *left = new_pnode("left", "one");
    struct pnode *right = new_pnode("right", "two");
    struct outcome outcome = {0};
    db_introduce_pnode(t.left, left, db_note, &outcome);
    db_introduce_pnode(t.right, right, db_note, &outcome);
    WAIT_TRIO(&t, outcome.count == 2 && count_pnodes(t.full) == 2 && count_pnodes(t.left) == 2 && count_pnodes(t.right) == 2);
    g_assert_cmpint(outcome.code, ==, -1);

    /* Both write at once, again and again: nobody is refused, and nobody hears of the other, nor of himself. */
    unsigned seqno_left = db_seqno(t.left), seqno_right = db_seqno(t.right), seqno_full = db_seqno(t.full);
    for (unsigned i = 1; i <= 20; i++) {
        left->heartbeat = right->heartbeat = i;
        outcome = (struct outcome){0};
        db_report_pnode(t.left, left, db_note, &outcome);
        db_report_pnode(t.right, right, db_note, &outcome);
        WAIT_TRIO(&t, outcome.count == 2 && heartbeat(t.full, 0) == i && heartbeat(t.full, 1) == i);
        g_assert_cmpint(outcome.code, ==, -1);
    }
    g_assert_cmpuint(db_seqno(t.full), !=, seqno_full);
    g_assert_cmpuint(db_seqno(t.left), ==, seqno_left);
    g_assert_cmpuint(db_seqno(t.right), ==, seqno_right);
    /* Each knows what the other is, not how far it is. */
    g_assert_cmpuint(heartbeat(t.left, 0), ==, 20);
    g_assert_cmpuint(heartbeat(t.left, 1), ==, 0);
    pnode_free(left);
    pnode_free(right);
    trio_close(&t);
}

/* Turns the loop for a moment. */
static void turn_for(const struct trio *t, int ms)
{
    int64_t end = poll_now_ms() + ms;
    WAIT_TRIO(t, poll_now_ms() >= end);
}

static int32_t first_pid(const struct db *db)
{
    AUTO_PLATFORM platform = db_platform(db);
    return platform_vnode(platform, 0)->pid;
}

/* The server hangs, and goes on or is started again: what was reported meanwhile is written, once. */
static void test_frozen(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct trio t = trio_new();
    struct pnode *left = new_pnode("left", "one");
    struct outcome outcome = {0};
    db_introduce_pnode(t.left, left, db_note, &outcome);
    WAIT_TRIO(&t, outcome.count == 1);
    for (unsigned restart = 0; restart < 2; restart++) {
        struct outcome state = {0}, states = {0}, stored = {0};
        AUTO_PLATFORM platform = PLATFORM("left:1", "far:1");
        g_autoptr(GPtrArray) vnodes = g_ptr_array_new();
        struct vnode vnode = {.id = 100, .state = VNODE_STATE_RUNNING, .pid = 7 + (int)restart};
        g_ptr_array_add(vnodes, &vnode);
        change(&t, platform);
        kill(t.sandbox->db, SIGSTOP);
        left->heartbeat = 10 + restart;
        db_report_pnode(t.left, left, db_note, &state);
        db_report_vnodes(t.left, vnodes, db_note, &states);
        db_store_platform(t.full, platform, db_generation(t.full), db_note, &stored);
        turn_for(&t, 200);
        g_assert_cmpuint(state.count + states.count + stored.count, ==, 0);
        if (restart) {
            sandbox_kill_db(t.sandbox);
            turn_for(&t, 200);
            sandbox_start_db(t.sandbox);
        } else {
            kill(t.sandbox->db, SIGCONT);
        }
        uint64_t generation = UINT64_C(2) * (restart + 1);
        WAIT_TRIO(&t, state.count && states.count && stored.count && heartbeat(t.full, 0) == 10 + restart &&
                          db_generation(t.full) == generation && are_current(&t));
        g_assert_cmpuint(state.count + states.count + stored.count, ==, 3);
        g_assert_true(state.code == -1 && states.code == -1 && stored.code == -1);
        /* The two connections hear of it one after the other. */
        WAIT_TRIO(&t, first_pid(t.full) == vnode.pid);
        assert_remotes_both(&t, "left", "1/111@far");
    }
    pnode_free(left);
    trio_close(&t);
}

/* Two machines that call themselves the same: one of them is told, also when both come at the same moment. */
static void test_same_name(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct trio t = trio_new();
    struct db *twin = db_open_ready(t.sandbox->remote, "left");
    struct pnode *one = new_pnode("left", "one");
    struct pnode *two = new_pnode("left", "two");
    struct outcome outcomes[2] = {{0}};
    db_introduce_pnode(t.left, one, db_note, &outcomes[0]);
    db_introduce_pnode(twin, two, db_note, &outcomes[1]);
    WAIT_UNTIL(outcomes[0].count && outcomes[1].count, (run(&t), db_run(twin)), (wait(&t), db_wait(twin)));
    g_assert_cmpint(outcomes[0].code + outcomes[1].code, ==, DISTEM_ERROR_CONFLICT - 1);
    bool first_won = outcomes[0].code == -1;

    /* The loser's reports are refused; once the winner is removed, the winner's are. */
    struct outcome report = {0};
    WAIT_DB(first_won ? twin : t.left, count_pnodes(first_won ? twin : t.left) == 1);
    db_report_pnode(first_won ? twin : t.left, first_won ? two : one, db_note, &report);
    WAIT_DB(first_won ? twin : t.left, report.count == 1);
    g_assert_cmpint(report.code, ==, DISTEM_ERROR_NOT_FOUND);
    WAIT_DB(t.full, count_pnodes(t.full) == 1);
    db_drain_pnode(t.full, "left", true, db_note, &report);
    db_remove_pnode(t.full, "left", db_note, &report);
    WAIT_TRIO(&t, report.count == 3 && count_pnodes(t.left) == 0);
    g_assert_cmpint(report.code, ==, -1);
    WAIT_DB(twin, count_pnodes(twin) == 0);
    db_report_pnode(first_won ? t.left : twin, first_won ? one : two, db_note, &report);
    WAIT_DB(first_won ? t.left : twin, report.count == 4);
    g_assert_cmpint(report.code, ==, DISTEM_ERROR_NOT_FOUND);
    pnode_free(one);
    pnode_free(two);
    db_close(twin);
    trio_close(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ovs/db-pnodes/follow", test_follow);
    g_test_add_func("/ovs/db-pnodes/never-half", test_never_half);
    g_test_add_func("/ovs/db-pnodes/restart", test_restart);
    g_test_add_func("/ovs/db-pnodes/reconnect", test_reconnect);
    g_test_add_func("/ovs/db-pnodes/heartbeat", test_heartbeat);
    g_test_add_func("/ovs/db-pnodes/frozen", test_frozen);
    g_test_add_func("/ovs/db-pnodes/same-name", test_same_name);
    return g_test_run();
}
