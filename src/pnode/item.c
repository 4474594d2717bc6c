/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "item.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "distem/error.h"
#include "distem/log.h"
#include "distem/poll.h"
#include "marks.h"

struct item *item_new(uint32_t id)
{
    struct item *item = g_new0(struct item, 1);
    item->id = id;
    item->pidfd = -1;
    item->forgotten = !id; /* Devices of ours whose mark names no vnode. */
    return item;
}

void item_unwatch(struct item *item)
{
    if (item->pidfd >= 0) {
        close(item->pidfd); /* Which takes it out of the epoll set. */
        item->pidfd = -1;
    }
    item->pid = 0;
}

void item_free(void *data)
{
    struct item *item = data;
    item_unwatch(item);
    g_free(item->network_wanted);
    g_free(item->network_done);
    g_free(item->container_done);
    g_free(item->error);
    g_free(item);
}

void item_set_state(struct item *item, enum vnode_state state, const char *error)
{
    if (item->state != state || g_strcmp0(item->error, error)) {
        item->state = state;
        g_free(item->error);
        item->error = g_strdup(error);
        item->unreported = true;
    }
}

void item_fail(struct item *item, const char *what, GError *error)
{
    int64_t pause = MIN(INT64_C(1000) << MIN(item->failures, 6), 60000);
    item->failures++;
    item->retry_at = poll_now_ms() + pause;
    log_warning("pnode", what, "vnode=%s error=\"%s\" retry_in_ms=%" PRId64, item->vnode ? item->vnode->name : "-", error->message,
                pause);
    item_set_state(item, VNODE_STATE_FAILED, error->message);
    g_error_free(error);
}

void item_set_running(struct pnode_daemon *p, struct item *item, pid_t pid)
{
    item_unwatch(item);
    item->container = CONTAINER_RUNNING;
    item->pid = pid;
    item->forgotten = false;
    item->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = item->id};
    if (item->pidfd < 0 || epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, item->pidfd, &event) < 0) {
        int errnum = errno;
        item_set_absent(p, item);
        if (errnum != ESRCH) { /* It has not just ended: another start will find it running. */
            GError *error = NULL;
            fail(&error, DISTEM_ERROR_SYSTEM, errnum, "cannot watch the init of a vnode");
            item_fail(item, "cannot watch a vnode", error);
        }
        return;
    }
    item->unreported = true;
}

void item_set_absent(struct pnode_daemon *p, struct item *item)
{
    item_unwatch(item);
    marks_remove(p->run_dir, "container", item->id);
    g_clear_pointer(&item->container_done, g_free);
    item->container = CONTAINER_ABSENT;
    item->unreported = true;
}

char *item_container_print(const struct vnode *vnode)
{
    return g_strdup_printf("name=%s memory=%" PRIu64 " image=%s", vnode->name, vnode->memory, vnode->image);
}
