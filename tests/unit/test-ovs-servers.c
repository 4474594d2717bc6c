/* SPDX-License-Identifier: Apache-2.0 */
/* The private database server: made, found again, converted, mended after a kill, stopped. */
#include <config.h>

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "distem/db.h"
#include "distem/poll.h"
#include "distem/vswitch.h"
#include "ovs-sandbox.h"

/* A folder for a server, and the schema. */
struct place {
    char *dir, *db_file, *schema, *pid_file, *remote;
};

static struct place *place_new(void)
{
    struct place *place = g_new0(struct place, 1);
    g_autoptr(GError) error = NULL;
    place->dir = g_dir_make_tmp("distem-test-XXXXXX", &error);
    g_assert_no_error(error);
    place->db_file = g_build_filename(place->dir, "state", "distem.db", NULL);
    place->schema = source_path("ovs/distem.ovsschema");
    place->pid_file = g_build_filename(place->dir, "distem-db.pid", NULL);
    place->remote = g_strdup_printf("unix:%s/distem-db.sock", place->dir);
    return place;
}

static void place_free(struct place *place)
{
    static const char *const names[] = {
        "distem-db.log", "state/distem.db", "state/.distem.db.~lock~", "state/.distem.db.tmp.~lock~", "state", "old.ovsschema"};
    g_autoptr(GError) error = NULL;
    g_assert_true(server_stop_db(place->dir, &error));
    g_assert_no_error(error);
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(place->dir, names[i], NULL);
        g_remove(path);
    }
    /* Nothing else is left. */
    g_assert_cmpint(g_rmdir(place->dir), ==, 0);
    g_free(place->dir);
    g_free(place->db_file);
    g_free(place->schema);
    g_free(place->pid_file);
    g_free(place->remote);
    g_free(place);
}

/* Returns the pid that the pid file names. */
static pid_t read_pid(const struct place *place)
{
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(place->pid_file, &text, NULL, NULL));
    return (pid_t)g_ascii_strtoll(text, NULL, 10);
}

static void ensure(const struct place *place)
{
    g_autoptr(GError) error = NULL;
    server_ensure_db(place->dir, place->db_file, place->schema, NULL, &error);
    g_assert_no_error(error);
}

static void test_listen(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct place *place = place_new();
    g_autofree char *first = g_build_filename(place->dir, "first.sock", NULL);
    g_autofree char *second = g_build_filename(place->dir, "second.sock", NULL);
    const char *const sockets[] = {first, second, NULL};
    for (unsigned i = 0; i < G_N_ELEMENTS(sockets); i++) {
        g_autofree char *listen = sockets[i] ? g_strdup_printf("punix:%s", sockets[i]) : NULL;
        g_autoptr(GError) error = NULL;
        for (unsigned times = 0; times < 2; times++) {
            server_ensure_db(place->dir, place->db_file, place->schema, listen, &error);
            g_assert_no_error(error);
        }
        /* Only what was said last is listened on. */
        for (unsigned k = 0; k < 2; k++) {
            g_assert_cmpint(g_file_test(sockets[k], G_FILE_TEST_EXISTS), ==, k == i);
        }
    }
    place_free(place);
}

static void test_database(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct place *place = place_new();
    ensure(place);
    pid_t first = read_pid(place);
    ensure(place);
    g_assert_cmpint(read_pid(place), ==, first);
    struct db *db = db_open(place->remote, NULL);
    WAIT_UNTIL(db_is_ready(db), db_run(db), db_wait(db));

    /* Killed, it comes back, and the copy finds it. */
    g_assert_cmpint(kill(first, SIGKILL), ==, 0);
    WAIT_UNTIL(!db_is_connected(db), db_run(db), db_wait(db));
    ensure(place);
    g_assert_cmpint(read_pid(place), !=, first);
    WAIT_UNTIL(db_is_connected(db), db_run(db), db_wait(db));
    db_close(db);
    place_free(place);
}

static void test_conversion(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct place *place = place_new();
    g_autofree char *old_schema = g_build_filename(place->dir, "old.ovsschema", NULL);
    g_assert_true(g_file_set_contents(old_schema, "{\"name\": \"Distem\", \"version\": \"0.1.0\", \"tables\": {}}", -1, NULL));
    g_autoptr(GError) error = NULL;
    /* A server with an old schema that runs, and one that does not. */
    for (unsigned running = 0; running < 2; running++) {
        server_ensure_db(place->dir, place->db_file, old_schema, NULL, &error);
        g_assert_no_error(error);
        if (!running) {
            g_assert_true(server_stop_db(place->dir, &error));
        }
        ensure(place);
        struct db *db = db_open(place->remote, NULL);
        WAIT_UNTIL(db_is_ready(db), db_run(db), db_wait(db));
        db_close(db);
        g_assert_true(server_stop_db(place->dir, &error));
        g_unlink(place->db_file);
    }
    place_free(place);
}

static void test_failure(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct place *place = place_new();
    g_autoptr(GError) error = NULL;
    /* Nothing runs: stopping is fine. */
    g_assert_true(server_stop_db(place->dir, &error));
    g_assert_true(server_stop_vswitch(place->dir, &error));
    g_assert_no_error(error);
    g_assert_false(server_ensure_db(place->dir, place->db_file, "/nonexistent.ovsschema", NULL, &error));
    g_assert_nonnull(strstr(error->message, "nonexistent.ovsschema"));
    g_clear_error(&error);
    g_assert_true(g_file_set_contents(place->db_file, "garbage", -1, NULL));
    g_assert_false(server_ensure_db(place->dir, place->db_file, place->schema, NULL, &error));
    g_test_message("%s", error->message);
    place_free(place);
}

static void test_keeper(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct place *place = place_new();
    ensure(place);
    struct server_keeper *keeper = server_keep_db(place->dir, place->db_file, place->schema, NULL);
    g_assert_false(server_keeper_run(keeper));
    struct db *db = db_open(place->remote, NULL);
    WAIT_UNTIL(db_is_ready(db), db_run(db), db_wait(db));
    /* Twice: the new one is watched, too. */
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpint(kill(read_pid(place), SIGKILL), ==, 0);
        WAIT_UNTIL(server_keeper_run(keeper), db_run(db), (server_keeper_wait(keeper), db_wait(db)));
        g_assert_null(server_keeper_error(keeper));
        WAIT_UNTIL(db_is_connected(db), db_run(db), db_wait(db));
    }
    /* One that does not start is told of, until it does. */
    g_autofree char *away = g_strdup_printf("%s.away", place->db_file);
    g_assert_cmpint(kill(read_pid(place), SIGKILL), ==, 0);
    g_assert_cmpint(g_rename(place->db_file, away), ==, 0);
    g_assert_true(g_file_set_contents(place->db_file, "garbage", -1, NULL));
    WAIT_UNTIL(server_keeper_error(keeper), server_keeper_run(keeper), server_keeper_wait(keeper));
    g_assert_cmpint(g_rename(away, place->db_file), ==, 0);
    WAIT_UNTIL(server_keeper_run(keeper), db_run(db), server_keeper_wait(keeper));
    g_assert_null(server_keeper_error(keeper));
    db_close(db);
    server_keeper_free(keeper);
    place_free(place);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ovs/servers/database", test_database);
    g_test_add_func("/ovs/servers/listen", test_listen);
    g_test_add_func("/ovs/servers/conversion", test_conversion);
    g_test_add_func("/ovs/servers/failure", test_failure);
    g_test_add_func("/ovs/servers/keeper", test_keeper);
    return g_test_run();
}
