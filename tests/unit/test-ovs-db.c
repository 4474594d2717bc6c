/* SPDX-License-Identifier: Apache-2.0 */
/* The Distem database: round trip, differences, conflicts, a killed server, conditional monitoring. */
#include <config.h>

#include <string.h>

#include "db-fixture.h"
#include "distem/error.h"

static void test_round_trip(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_db_sandbox();
    struct db *db = db_open_ready(sandbox->remote, NULL);
    g_assert_null(db_platform(db));
    g_assert_cmpuint(db_generation(db), ==, 0);

    AUTO_PLATFORM wanted = whole_platform(7);
    db_store(db, wanted, 0, -1);
    g_assert_cmpuint(db_generation(db), ==, 1);
    AUTO_PLATFORM stored = db_platform(db);
    assert_platforms_equal(wanted, stored);
    /* What was shared is shared again, per pnode. */
    g_assert_true(platform_vnode(stored, 1)->routes == platform_vnode(stored, 3)->routes);

    /* The table of jitter, too, which this process has known before. */
    g_autofree char *tables =
        sandbox_command(sandbox, "ovsdb-client", "--format=list", "--no-headings", "dump", sandbox->remote, "Platform", "tables");
    g_assert_nonnull(strstr(tables, "few=\"1 2 -3\""));

    /* A reader that comes later sees the same; taking it down leaves the generation. */
    struct db *reader = db_open_ready(sandbox->remote, NULL);
    AUTO_PLATFORM seen = db_platform(reader);
    assert_platforms_equal(wanted, seen);
    db_store(db, NULL, 1, -1);
    g_assert_null(db_platform(db));
    g_assert_cmpuint(db_generation(db), ==, 2);
    WAIT_DB(reader, db_generation(reader) == 2);
    g_autofree char *rest =
        sandbox_command(sandbox, "ovsdb-client", "--format=list", "--no-headings", "dump", sandbox->remote, "Vnode");
    g_assert_null(strstr(rest, "_uuid"));
    db_close(reader);
    db_close(db);
    sandbox_free(sandbox);
}

static void test_only_differences(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_db_sandbox();
    struct db *db = db_open_ready(sandbox->remote, NULL);
    AUTO_PLATFORM wanted = whole_platform(50);
    db_store(db, wanted, 0, -1);
    platform_vnode(wanted, 10)->memory = 4096;
    db_store(db, wanted, 1, -1);
    g_autofree char *change = db_last_change(sandbox);
    g_test_message("%s", change);
    g_auto(GStrv) rows = g_strsplit(change, "\n", -1);
    g_assert_cmpuint(g_strv_length(rows), ==, 2);
    g_assert_nonnull(strstr(change, "table Vnode "));
    g_assert_nonnull(strstr(change, "table Platform "));

    /* Other routes for one vnode make one route table. */
    struct vnode *vnode = platform_vnode(wanted, 11);
    g_array_unref(vnode->routes);
    vnode->routes = new_routes((const char *const[]){"0.0.0.0/0", "10.1.0.9", NULL});
    db_store(db, wanted, 2, -1);
    g_autofree char *routes_change = db_last_change(sandbox);
    g_auto(GStrv) routes_rows = g_strsplit(routes_change, "\n", -1);
    g_assert_cmpuint(g_strv_length(routes_rows), ==, 3);
    AUTO_PLATFORM stored = db_platform(db);
    assert_platforms_equal(wanted, stored);
    db_close(db);
    sandbox_free(sandbox);
}

/* A matrix is read once, and again when anything of it has changed: a value, the seed, or an address of a vnode in it. */
static void test_matrix(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_db_sandbox();
    struct db *db = db_open_ready(sandbox->remote, NULL);
    AUTO_PLATFORM wanted = whole_platform(2);
    db_store(db, wanted, 0, -1);
    AUTO_PLATFORM first = db_platform(db);
    g_assert_true(g_str_has_prefix(first->matrix->group[1].addresses, "10.1.0.1,"));
    platform_vnode(first, 1)->memory = 7;
    db_store(db, first, 1, -1);
    AUTO_PLATFORM second = db_platform(db);
    g_assert_true(second->matrix == first->matrix);
    g_assert_cmpuint(platform_vnode(second, 1)->memory, ==, 7);
    vnode_viface(platform_vnode(second, 0), 0)->ipv4.bytes[3] = 77;
    db_store(db, second, 2, -1);
    AUTO_PLATFORM third = db_platform(db);
    g_assert_true(g_str_has_prefix(third->matrix->group[1].addresses, "10.1.0.77,"));
    struct matrix *changed = matrix_copy(third->matrix);
    changed->seed = 9;
    matrix_unref(third->matrix);
    third->matrix = changed;
    db_store(db, third, 3, -1);
    AUTO_PLATFORM fourth = db_platform(db);
    g_assert_cmpuint(fourth->matrix->seed, ==, 9);
    g_assert_true(matrix_equal(third->matrix, fourth->matrix));
    db_store(db, NULL, 4, -1);
    db_store(db, fourth, 5, -1);
    AUTO_PLATFORM again = db_platform(db);
    assert_platforms_equal(fourth, again);
    db_close(db);
    sandbox_free(sandbox);
}

static void test_conflict(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_db_sandbox();
    struct db *one = db_open_ready(sandbox->remote, NULL);
    struct db *two = db_open_ready(sandbox->remote, NULL);
    AUTO_PLATFORM wanted = whole_platform(2);
    db_store(one, wanted, 0, -1);
    /* Found out at once, from the copy. */
    db_store(one, wanted, 0, DISTEM_ERROR_CONFLICT);
    /* Found out by the server: both write on top of what both know. */
    WAIT_DB(two, db_generation(two) == 1);
    struct outcome first = {0};
    struct outcome second = {0};
    db_store_platform(one, wanted, 1, db_note, &first);
    db_store_platform(two, wanted, 1, db_note, &second);
    db_run(one);
    db_run(two);
    WAIT_DB(one, first.count);
    WAIT_DB(two, second.count);
    /* Which of the two the server looks at first is its own affair. */
    const struct outcome *won = first.code == -1 ? &first : &second, *lost = first.code == -1 ? &second : &first;
    g_assert_cmpint(won->code, ==, -1);
    g_assert_cmpint(lost->code, ==, DISTEM_ERROR_CONFLICT);
    g_assert_cmpuint(first.count + second.count, ==, 2);
    db_close(one);
    db_close(two);
    sandbox_free(sandbox);
}

static void test_killed_server(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_db_sandbox();
    struct db *db = db_open_ready(sandbox->remote, NULL);
    AUTO_PLATFORM wanted = whole_platform(20);
    db_store(db, wanted, 0, -1);
    sandbox_kill_db(sandbox);
    WAIT_DB(db, !db_is_connected(db));
    /* The copy stays; what is asked for waits, also when it was on its way. */
    g_assert_true(db_is_ready(db));
    struct outcome waiting = {0};
    db_store_platform(db, NULL, 1, db_note, &waiting);
    db_run(db);
    g_assert_cmpuint(waiting.count, ==, 0);
    sandbox_start_db(sandbox);
    WAIT_DB(db, waiting.count);
    g_assert_cmpint(waiting.code, ==, -1);

    /* Killed with a transaction in the air: it is done exactly once. */
    struct outcome flying = {0};
    db_store_platform(db, wanted, 2, db_note, &flying);
    db_run(db);
    sandbox_kill_db(sandbox);
    sandbox_start_db(sandbox);
    WAIT_DB(db, flying.count);
    g_assert_cmpint(flying.code, ==, -1);
    g_assert_cmpuint(db_generation(db), ==, 3);
    AUTO_PLATFORM stored = db_platform(db);
    assert_platforms_equal(wanted, stored);
    db_close(db);
    sandbox_free(sandbox);
}

static unsigned count_pnodes(const struct db *db)
{
    g_autoptr(GPtrArray) pnodes = db_pnodes(db);
    return pnodes->len;
}

/* Returns the state of the 'i'-th vnode in the database. */
static enum vnode_state vnode_state(struct db *db, unsigned i)
{
    AUTO_PLATFORM platform = db_platform(db);
    return platform_vnode(platform, i)->state;
}

static void test_pnode(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_db_sandbox();
    struct db *coordinator = db_open_ready(sandbox->remote, NULL);
    struct db *pnode = db_open_ready(sandbox->remote, "left");
    AUTO_PLATFORM wanted = whole_platform(7);
    db_store(coordinator, wanted, 0, -1);
    WAIT_DB(pnode, db_generation(pnode) == 1 && db_is_complete(pnode));
    AUTO_PLATFORM share = db_platform(pnode);
    g_assert_cmpuint(share->vnetworks->len, ==, 2);
    g_assert_cmpuint(share->vnodes->len, ==, 4);
    g_assert_cmpuint(share->vroutes->len, ==, 0);
    for (unsigned i = 0; i < share->vnodes->len; i++) {
        assert_vnodes_equal(platform_vnode(share, i), platform_vnode(wanted, 2 * i));
    }

    /* It reports itself and its vnodes; strangers are passed over. */
    struct outcome outcome = {0};
    struct pnode *self = pnode_new("left");
    self->cores = 4;
    self->memory = 1 << 30;
    self->leaving = 3;
    self->generation = 1;
    self->missing = g_strdup("netem: kernel module sch_netem");
    self->no_matrix = g_strdup("fq: kernel module sch_fq");
    self->no_blackouts = g_strdup("plug: kernel module sch_plug");
    self->error = g_strdup("no room");
    db_introduce_pnode(pnode, self, db_note, &outcome);
    pnode_free(self); /* What was handed over is a copy. */
    struct vnode *reported = platform_vnode(share, 1);
    reported->state = VNODE_STATE_FAILED;
    reported->error = g_strdup("it broke");
    reported->pid = 42;
    struct vnode stranger = {.id = 9999};
    g_autoptr(GPtrArray) reports = g_ptr_array_new();
    g_ptr_array_add(reports, reported);
    g_ptr_array_add(reports, &stranger);
    db_report_vnodes(pnode, reports, db_note, &outcome);
    WAIT_DB(pnode, outcome.count == 2);
    g_assert_cmpint(outcome.code, ==, -1);
    WAIT_DB(coordinator, count_pnodes(coordinator) == 1 && vnode_state(coordinator, 2) != VNODE_STATE_UNKNOWN);
    g_autoptr(GPtrArray) registered = db_pnodes(coordinator);
    const struct pnode *left = registered->pdata[0];
    g_assert_cmpstr(left->missing, ==, "netem: kernel module sch_netem");
    g_assert_cmpstr(left->no_matrix, ==, "fq: kernel module sch_fq");
    g_assert_cmpstr(left->no_blackouts, ==, "plug: kernel module sch_plug");
    g_assert_cmpstr(left->error, ==, "no room");
    g_assert_cmpuint(left->leaving, ==, 3);

    AUTO_PLATFORM observed = db_platform(coordinator);
    g_assert_cmpint(platform_vnode(observed, 2)->state, ==, VNODE_STATE_FAILED);
    g_assert_cmpstr(platform_vnode(observed, 2)->error, ==, "it broke");
    g_assert_cmpint(platform_vnode(observed, 2)->pid, ==, 42);
    g_assert_cmpint(platform_vnode(observed, 1)->state, ==, VNODE_STATE_UNKNOWN);
    /* Storing the plan again leaves what was observed, except for a vnode that moves. */
    db_store(coordinator, wanted, 1, -1);
    AUTO_PLATFORM kept = db_platform(coordinator);
    g_assert_cmpint(platform_vnode(kept, 2)->pid, ==, 42);
    g_free(platform_vnode(wanted, 2)->pnode);
    platform_vnode(wanted, 2)->pnode = g_strdup("right");
    db_store(coordinator, wanted, 2, -1);
    AUTO_PLATFORM moved = db_platform(coordinator);
    g_assert_cmpint(platform_vnode(moved, 2)->pid, ==, 0);
    g_assert_null(platform_vnode(moved, 2)->error);
    WAIT_DB(pnode, db_generation(pnode) == 3);
    AUTO_PLATFORM smaller = db_platform(pnode);
    g_assert_cmpuint(smaller->vnodes->len, ==, 3);

    db_remove_pnode(coordinator, "left", db_note, &outcome);
    WAIT_DB(coordinator, outcome.count == 3);
    g_assert_cmpuint(count_pnodes(coordinator), ==, 0);
    db_close(pnode);
    db_close(coordinator);
    sandbox_free(sandbox);
}

/* Traces keep their start until one of them changes. */
static void test_playbacks(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_db_sandbox();
    struct db *db = db_open_ready(sandbox->remote, NULL), *pnode = db_open_ready(sandbox->remote, "left");
    struct outcome outcome = {0};
    AUTO_PLATFORM wanted = whole_platform(7);
    g_assert_false(db_has_playbacks(db));
    db_store(db, wanted, 0, -1);
    g_assert_true(db_has_playbacks(db));
    g_assert_cmpint(db_playback_start(db), ==, 0);
    db_start_playbacks(db, 42, 0, db_note, &outcome);
    WAIT_DB(db, outcome.count == 1);
    g_assert_cmpint(outcome.code, ==, DISTEM_ERROR_CONFLICT);
    db_start_playbacks(db, INT64_C(1800000000123456789), 1, db_note, &outcome);
    WAIT_DB(db, outcome.count == 2);
    g_assert_cmpint(outcome.code, ==, -1);
    g_assert_cmpuint(db_generation(db), ==, 1);
    WAIT_DB(pnode, db_playback_start(pnode) == INT64_C(1800000000123456789));
    AUTO_PLATFORM share = db_platform(pnode);
    g_assert_cmpuint(share->playbacks->len, ==, 2);
    vnode_viface(platform_vnode(wanted, 0), 0)->input.latency++;
    db_store(db, wanted, 1, -1);
    g_assert_cmpint(db_playback_start(db), ==, INT64_C(1800000000123456789));
    platform_add_playback(wanted, "joins them", "0 7ms");
    db_store(db, wanted, 2, -1);
    g_assert_cmpint(db_playback_start(db), ==, INT64_C(1800000000123456789));
    g_free(platform_playback(wanted, 1)->text);
    platform_playback(wanted, 1)->text = g_strdup("0 5ms");
    db_store(db, wanted, 3, -1);
    g_assert_cmpint(db_playback_start(db), ==, 0);
    AUTO_PLATFORM stored = db_platform(db);
    assert_platforms_equal(wanted, stored);
    db_store(db, NULL, 4, -1);
    g_assert_false(db_has_playbacks(db));
    db_close(pnode);
    db_close(db);
    sandbox_free(sandbox);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ovs/db/round-trip", test_round_trip);
    g_test_add_func("/ovs/db/only-differences", test_only_differences);
    g_test_add_func("/ovs/db/matrix", test_matrix);
    g_test_add_func("/ovs/db/conflict", test_conflict);
    g_test_add_func("/ovs/db/killed-server", test_killed_server);
    g_test_add_func("/ovs/db/pnode", test_pnode);
    g_test_add_func("/ovs/db/playbacks", test_playbacks);
    return g_test_run();
}
