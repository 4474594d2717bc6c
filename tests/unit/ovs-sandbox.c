/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ovs-sandbox.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "distem/poll.h"

bool sandbox_is_possible(void)
{
    static const char *const programs[] = {"ovsdb-server", "ovsdb-tool", "ovs-vswitchd", "ovs-vsctl", "ovs-appctl"};
    /* Debian keeps the daemons in a folder that is not in everybody's PATH. */
    static bool path_is_set;
    if (!path_is_set) {
        g_autofree char *path = g_strdup_printf("%s:/usr/sbin:/sbin", g_getenv("PATH"));
        g_setenv("PATH", path, TRUE);
        path_is_set = true;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(programs); i++) {
        g_autofree char *found = g_find_program_in_path(programs[i]);
        if (!found) {
            g_autofree char *reason = g_strdup_printf(
                "%s is missing: install the Debian packages openvswitch-common and openvswitch-switch", programs[i]);
            g_test_skip(reason);
            return false;
        }
    }
    return true;
}

/* The servers do not outlive a test that dies. */
static void die_with_parent(void *data G_GNUC_UNUSED)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Returns the environment with the sandbox as the only place that OVS programs know. */
static char **environment(const struct sandbox *sandbox)
{
    char **env = g_get_environ();
    env = g_environ_setenv(env, "OVS_RUNDIR", sandbox->dir, TRUE);
    env = g_environ_setenv(env, "OVS_LOGDIR", sandbox->dir, TRUE);
    env = g_environ_setenv(env, "OVS_DBDIR", sandbox->dir, TRUE);
    env = g_environ_setenv(env, "OVS_SYSCONFDIR", sandbox->dir, TRUE);
    return env;
}

pid_t sandbox_spawn(const struct sandbox *sandbox, const char *const *argv)
{
    g_auto(GStrv) env = environment(sandbox);
    GPid pid;
    g_autoptr(GError) error = NULL;
    g_spawn_async(sandbox->dir, (char **)argv, env, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH, die_with_parent, NULL, &pid,
                  &error);
    g_assert_no_error(error);
    return pid;
}

void sandbox_kill(pid_t *pid)
{
    if (*pid) {
        kill(*pid, SIGKILL);
        while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR) {
        }
        *pid = 0;
    }
}

/* Says whether a connection to the socket 'path' is taken. Its file is there a moment before. */
static bool is_listening(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_assert_cmpuint(g_strlcpy(address.sun_path, path, sizeof address.sun_path), <, sizeof address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool listening = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return listening;
}

void sandbox_wait_for(const struct sandbox *sandbox, const char *name)
{
    g_autofree char *path = g_build_filename(sandbox->dir, name, NULL);
    WAIT_UNTIL(is_listening(path), (void)0, poll_wait_ms(5));
}

char *sandbox_run(const struct sandbox *sandbox, const char *const *argv)
{
    g_auto(GStrv) env = environment(sandbox);
    g_autoptr(GError) error = NULL;
    g_autofree char *errors = NULL;
    char *output = NULL;
    int status = 0;
    g_spawn_sync(sandbox->dir, (char **)argv, env, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, &errors, &status, &error);
    g_assert_no_error(error);
    if (!g_spawn_check_wait_status(status, &error)) {
        g_error("%s %s: %s: %s", argv[0], argv[1], error->message, errors);
    }
    return output;
}

struct sandbox *sandbox_new_empty(void)
{
    struct sandbox *sandbox = g_new0(struct sandbox, 1);
    g_autoptr(GError) error = NULL;
    sandbox->dir = g_dir_make_tmp("distem-test-XXXXXX", &error);
    g_assert_no_error(error);
    return sandbox;
}

struct sandbox *sandbox_new(const char *schema)
{
    struct sandbox *sandbox = sandbox_new_empty();
    sandbox->remote = g_strdup_printf("unix:%s/db.sock", sandbox->dir);
    sandbox->ctl = g_build_filename(sandbox->dir, "vswitchd.ctl", NULL);
    g_free(sandbox_command(sandbox, "ovsdb-tool", "create", "conf.db", schema));
    sandbox_start_db(sandbox);
    return sandbox;
}

void sandbox_start_db(struct sandbox *sandbox)
{
    g_autofree char *remote = g_strdup_printf("--remote=p%s", sandbox->remote);
    sandbox->db = sandbox_spawn(sandbox, (const char *const[]){"ovsdb-server", remote, "--unixctl=db.ctl", "-vconsole:off",
                                                               "--log-file=db.log", "conf.db", NULL});
    sandbox_wait_for(sandbox, "db.sock");
}

void sandbox_kill_db(struct sandbox *sandbox)
{
    g_autofree char *socket = g_build_filename(sandbox->dir, "db.sock", NULL);
    sandbox_kill(&sandbox->db);
    g_unlink(socket);
}

void sandbox_start_vswitchd(struct sandbox *sandbox)
{
    sandbox->vswitchd = sandbox_spawn(sandbox, (const char *const[]){"ovs-vswitchd", sandbox->remote, "--unixctl=vswitchd.ctl",
                                                                     "-vconsole:off", "--log-file=vswitchd.log",
                                                                     "--enable-dummy=override", "--disable-system", NULL});
    sandbox_wait_for(sandbox, "vswitchd.ctl");
}

void sandbox_kill_vswitchd(struct sandbox *sandbox)
{
    sandbox_kill(&sandbox->vswitchd);
    g_unlink(sandbox->ctl);
}

void sandbox_free(struct sandbox *sandbox)
{
    sandbox_kill(&sandbox->vswitchd);
    sandbox_kill(&sandbox->db);
    g_autoptr(GDir) dir = g_dir_open(sandbox->dir, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(sandbox->dir, name, NULL);
        g_unlink(path);
    }
    g_rmdir(sandbox->dir);
    g_free(sandbox->ctl);
    g_free(sandbox->remote);
    g_free(sandbox->dir);
    g_free(sandbox);
}

char *source_path(const char *name)
{
    const char *top = g_getenv("top_srcdir");
    return g_canonicalize_filename(name, top);
}
