/* SPDX-License-Identifier: Apache-2.0 */
/* Servers of Open vSwitch in a temporary folder, for tests that need no root: children of the test, gone when it ends. */
#ifndef OVS_SANDBOX_H
#define OVS_SANDBOX_H 1

#include <stdbool.h>
#include <sys/types.h>

#include <glib.h>

struct sandbox {
    char *dir;    /* Temporary; the servers' run directory. */
    char *remote; /* "unix:DIR/db.sock". */
    char *ctl;    /* Control socket of ovs-vswitchd, for ovs-appctl. */
    pid_t db, vswitchd;
};

/* Says whether the programs are there; skips the running test when they are not. */
bool sandbox_is_possible(void);

/* Makes the folder and a database from 'schema' in it, and starts its server. */
struct sandbox *sandbox_new(const char *schema);
/* Makes the folder only. */
struct sandbox *sandbox_new_empty(void);
/* Stops everything (but what sandbox_spawn() started) and removes the folder. */
void sandbox_free(struct sandbox *);
/* Kills the database server, starts it again. */
void sandbox_kill_db(struct sandbox *);
void sandbox_start_db(struct sandbox *);
/* Starts and kills an ovs-vswitchd with nothing but dummy devices. */
void sandbox_start_vswitchd(struct sandbox *);
void sandbox_kill_vswitchd(struct sandbox *);

/* Starts a program that runs on, with the sandbox as its run directory; it does not outlive the test. */
pid_t sandbox_spawn(const struct sandbox *, const char *const *argv);
/* Kills such a process and waits for its end; 'pid' is 0 then, where nothing is done. */
void sandbox_kill(pid_t *pid);
/* Waits until the socket 'name' in the sandbox is listened to. */
void sandbox_wait_for(const struct sandbox *, const char *name);

/* Runs a program with the sandbox as its run directory and returns its standard output; it must succeed. 'argv' ends with NULL. The
 * caller frees the text. */
char *sandbox_run(const struct sandbox *, const char *const *argv);
#define sandbox_command(SANDBOX, ...) sandbox_run(SANDBOX, (const char *const[]){__VA_ARGS__, NULL})

/* Returns the path of a file of the source tree; the caller frees it. */
char *source_path(const char *name);

/* Turns the loop until CONDITION holds, running STEP each turn; the test fails after 20 s. */
#define WAIT_UNTIL(CONDITION, STEP, WAIT)                                                                                          \
    do {                                                                                                                           \
        int64_t deadline_ = poll_now_ms() + 20000;                                                                                 \
        for (;;) {                                                                                                                 \
            (STEP);                                                                                                                \
            if (CONDITION) {                                                                                                       \
                break;                                                                                                             \
            }                                                                                                                      \
            if (poll_now_ms() > deadline_) {                                                                                       \
                g_error("%s:%d: not within 20 s: %s", __FILE__, __LINE__, #CONDITION);                                             \
            }                                                                                                                      \
            (WAIT);                                                                                                                \
            poll_wait_ms(100);                                                                                                     \
            poll_block_once();                                                                                                     \
        }                                                                                                                          \
    } while (0)

#endif
