/* SPDX-License-Identifier: Apache-2.0 */
/* Commands in vnodes: outputs, input, exit codes, terminals, signals, and clients that go away. */
#include <config.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>

#include "src/vnode/cgroup.h"
#include "vnode-fixture.h"

static struct place *place;

/* Returns the client of a shell command. */
static struct client *shell(bool tty, const char *command)
{
    return client_new(place, 1, tty, (const char *const[]){"sh", "-c", command, NULL});
}

static void assert_bytes(const GByteArray *bytes, const char *text)
{
    g_assert_cmpmem(bytes->data, bytes->len, text, strlen(text));
}

static void test_outputs(void)
{
    struct client *client = shell(false, "echo out; echo err >&2; exit 3");
    client_finish(client);
    g_assert_cmpint(client->code, ==, 3);
    assert_bytes(client->out, "out\n");
    assert_bytes(client->err, "err\n");
    client_free(client);
}

static void test_codes(void)
{
    static const struct {
        const char *argv[4];
        int code;
    } cases[] = {
        {{"true"}, 0},
        {{"false"}, 1},
        {{"no-such-command"}, 127},
        {{"/etc/passwd"}, 126},
        {{"/"}, 126},
        {{"sh", "-c", "kill -KILL $$"}, 137},
        {{"sh", "-c", "kill -TERM $$"}, 143},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct client *client = client_new(place, 1, false, cases[i].argv);
        client_finish(client);
        g_assert_cmpint(client->code, ==, cases[i].code);
        g_assert_true((client->err->len > 0) == (client->code == 126 || client->code == 127));
        client_free(client);
    }
}

static void test_not_running(void)
{
    struct client *client = client_new(place, 2, false, (const char *const[]){"true", NULL});
    client_finish(client);
    g_assert_cmpint(client->code, ==, -1);
    g_assert_cmpstr(client->error, ==, "vnode n2 is not running");
    client_free(client);
}

/* Much more than any buffer holds goes in and comes back the same. */
static void test_through(void)
{
    static const size_t pieces = 400, piece_size = 50000;
    struct client *client = client_new(place, 1, false, (const char *const[]){"cat", NULL});
    g_autofree uint32_t *piece = g_malloc(piece_size);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    for (size_t i = 0; i < pieces; i++) {
        for (size_t j = 0; j < piece_size / 4; j++) {
            piece[j] = (uint32_t)g_test_rand_int();
        }
        g_checksum_update(sum, (const guchar *)piece, piece_size);
        client_send(client, EXEC_STDIN, piece, piece_size);
    }
    client_send(client, EXEC_STDIN, "", 0);
    client_finish(client);
    g_assert_cmpint(client->code, ==, 0);
    g_assert_cmpuint(client->out->len, ==, pieces * piece_size);
    g_autofree char *back = g_compute_checksum_for_data(G_CHECKSUM_SHA256, client->out->data, client->out->len);
    g_assert_cmpstr(back, ==, g_checksum_get_string(sum));
    client_free(client);
}

static void test_large_output(void)
{
    struct client *client = shell(false, "head -c 100000000 /dev/zero; head -c 1000000 /dev/zero >&2");
    client_finish(client);
    g_assert_cmpint(client->code, ==, 0);
    g_assert_cmpuint(client->out->len, ==, 100000000);
    g_assert_cmpuint(client->err->len, ==, 1000000);
    client_free(client);
}

/* A command that does not read holds the input up, and only that: a signal behind what the pipe takes still comes. */
static void test_slow_reader(void)
{
    struct client *client = shell(false, "trap 'exit 9' USR1; echo ready; sleep 1000 & wait");
    client_expect(client, "ready\n");
    static const char piece[30000];
    client_send(client, EXEC_STDIN, piece, sizeof piece);
    client_send(client, EXEC_STDIN, piece, sizeof piece);
    client_send(client, EXEC_SIGNAL, "\x0a", 1);
    client_finish(client);
    g_assert_cmpint(client->code, ==, 9);
    client_free(client);
    g_free(shell_in(place, 1, 0, "pkill -x sleep || true"));
}

/* One that closes its input loses nothing else. */
static void test_closed_input(void)
{
    struct client *client = shell(false, "exec <&-; echo closed; while [ ! -e /tmp/go ]; do sleep 0.01; done; echo done");
    client_expect(client, "closed\n");
    static const char piece[60000];
    for (unsigned i = 0; i < 20; i++) {
        client_send(client, EXEC_STDIN, piece, sizeof piece);
    }
    g_free(shell_in(place, 1, 0, "touch /tmp/go"));
    client_finish(client);
    assert_bytes(client->out, "closed\ndone\n");
    client_free(client);
}

static void test_signal(void)
{
    struct client *client = shell(false, "trap 'echo int; exit 5' INT; echo ready; while :; do sleep 0.01; done");
    client_expect(client, "ready\n");
    client_send(client, EXEC_SIGNAL, "\x02", 1);
    client_finish(client);
    assert_bytes(client->out, "ready\nint\n");
    g_assert_cmpint(client->code, ==, 5);
    client_free(client);
}

/* Its output is complete when it ends, whatever it leaves running. */
static void test_background(void)
{
    struct client *client = shell(false, "sleep 1000 & echo text");
    client_finish(client);
    g_assert_cmpint(client->code, ==, 0);
    assert_bytes(client->out, "text\n");
    client_free(client);
    g_free(shell_in(place, 1, 0, "pkill -x sleep"));
}

static void test_terminal(void)
{
    struct client *client =
        shell(true, "tty; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo $TERM; read -r a; stty size; echo \"got $a\"");
    client_expect(client, "xterm-256color\r\n");
    client_send(client, EXEC_RESIZE, "\0\x28\0\x84", 4);
    client_send(client, EXEC_STDIN, "hello\n", 6);
    client_finish(client);
    assert_bytes(client->out, "/dev/pts/0\r\nxterm-256color\r\nhello\r\n40 132\r\ngot hello\r\n");
    g_assert_cmpuint(client->err->len, ==, 0);
    g_assert_cmpint(client->code, ==, 0);
    client_free(client);

    client = client_new(place, 1, true, (const char *const[]){"cat", NULL});
    client_send(client, EXEC_STDIN, "x\n", 2);
    client_send(client, EXEC_STDIN, "", 0);
    client_finish(client);
    assert_bytes(client->out, "x\r\nx\r\n");
    client_free(client);

    /* ^C reaches what is in front, not the shell. */
    client = client_new(place, 1, true, (const char *const[]){"sh", "-i", NULL});
    client_send(client, EXEC_STDIN, "sleep 1000 || echo $?\n", 22);
    client_expect(client, "sleep 1000");
    g_free(shell_in(place, 1, 0, "until pgrep -x sleep; do sleep 0.01; done"));
    client_send(client, EXEC_STDIN, "\x03", 1);
    client_send(client, EXEC_STDIN, "echo still $((40 + 2))\n", 23);
    client_expect(client, "still 42");
    client_send(client, EXEC_STDIN, "exit 6\n", 7);
    client_finish(client);
    g_assert_cmpint(client->code, ==, 6);
    client_free(client);
}

static unsigned processes(void)
{
    AUTO_CGROUPS cgroups = cgroups_open(NULL);
    g_autofree char *cgroup = vnode_cgroup(place->run_dir, 1);
    g_autoptr(GArray) pids = cgroups_processes(cgroups, cgroup);
    return pids->len;
}

static bool only_init(const void *aux G_GNUC_UNUSED)
{
    return processes() == 1;
}

static void test_hang_up(void)
{
    static const char *const commands[] = {
        "echo ready; exec sleep 1000",
        "trap '' HUP TERM INT; echo ready; while :; do sleep 1; done",
        /* Busy writing to someone who does not read, with input that waits. */
        "echo ready; exec cat /dev/zero",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(commands) * 2; i++) {
        struct client *client = shell(i % 2, commands[i / 2]);
        client_expect(client, "ready");
        g_assert_cmpuint(processes(), >, 1);
        client_free(client);
        wait_for(only_init, NULL);
    }
}

/* A frame that makes no sense ends it, with a reason. */
static void test_nonsense(void)
{
    static const uint8_t frames[][8] = {{'?', 0, 0, 0, 0}, {'s', 0, 0, 0, 1, 200}, {'i', 1, 0, 0, 0}, {'w', 0, 0, 0, 0}};
    for (unsigned i = 0; i < G_N_ELEMENTS(frames); i++) {
        struct client *client = shell(false, "echo ready; exec sleep 1000");
        client_expect(client, "ready");
        g_assert_cmpint(send(client->socket, frames[i], sizeof frames[i], MSG_NOSIGNAL), ==, sizeof frames[i]);
        client_finish(client);
        g_assert_nonnull(client->error);
        client_free(client);
        wait_for(only_init, NULL);
    }
}

static void test_many(void)
{
    struct client *clients[20];
    for (unsigned i = 0; i < G_N_ELEMENTS(clients); i++) {
        g_autofree char *command = g_strdup_printf("cat; exit %u", i);
        clients[i] = shell(false, command);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(clients); i++) {
        client_send(clients[i], EXEC_STDIN, "x", 1);
        client_send(clients[i], EXEC_STDIN, "", 0);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(clients); i++) {
        client_finish(clients[i]);
        g_assert_cmpint(clients[i]->code, ==, (int)i);
        assert_bytes(clients[i]->out, "x");
        client_free(clients[i]);
    }
}

/* The vnode is stopped under a command. */
static void test_stopped(void)
{
    struct client *client = shell(false, "trap '' TERM; echo ready; while :; do sleep 0.01; done");
    client_expect(client, "ready");
    place_stop(place, 1, 100, false);
    client_finish(client);
    g_assert_cmpint(client->code, ==, 137);
    client_free(client);
}

static void stop_place(void)
{
    place_free(place);
}

static void add_tests(void)
{
    place = place_new(1);
    g_autoptr(GError) error = NULL;
    place_start(place, 1, "host", 0, &error);
    g_assert_no_error(error);
    g_test_add_func("/exec/outputs", test_outputs);
    g_test_add_func("/exec/codes", test_codes);
    g_test_add_func("/exec/not-running", test_not_running);
    g_test_add_func("/exec/through", test_through);
    g_test_add_func("/exec/large-output", test_large_output);
    g_test_add_func("/exec/slow-reader", test_slow_reader);
    g_test_add_func("/exec/closed-input", test_closed_input);
    g_test_add_func("/exec/signal", test_signal);
    g_test_add_func("/exec/background", test_background);
    g_test_add_func("/exec/terminal", test_terminal);
    g_test_add_func("/exec/hang-up", test_hang_up);
    g_test_add_func("/exec/nonsense", test_nonsense);
    g_test_add_func("/exec/many", test_many);
    g_test_add_func("/exec/stopped", test_stopped);
    /* The last one, as they run in this order. */
    g_test_add_func("/exec/stop", stop_place);
}

int main(int argc, char **argv)
{
    return place_main(&argc, &argv, add_tests);
}
