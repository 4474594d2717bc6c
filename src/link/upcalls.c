/* SPDX-License-Identifier: Apache-2.0 */
/* What Open vSwitch's kernel module has lost, for the pnode's watch over itself. */
#include <config.h>

#include <linux/openvswitch.h>
#include <string.h>

#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>

#include "distem/error.h"
#include "distem/link.h"

static int add(struct nl_msg *message, void *aux)
{
    uint64_t *lost = aux;
    struct nlattr *stats = nlmsg_find_attr(nlmsg_hdr(message), (int)(GENL_HDRLEN + sizeof(struct ovs_header)), OVS_DP_ATTR_STATS);
    struct ovs_dp_stats figures;
    if (stats && nla_len(stats) >= (int)sizeof figures) {
        memcpy(&figures, nla_data(stats), sizeof figures);
        *lost += figures.n_lost;
    }
    return NL_OK;
}

/* Asks for all datapaths. Returns an error of libnl, or 0. */
static int ask(struct nl_sock *socket, uint64_t *lost)
{
    int result = genl_connect(socket);
    int family = result < 0 ? result : genl_ctrl_resolve(socket, OVS_DATAPATH_FAMILY);
    if (family == -NLE_OBJ_NOTFOUND) {
        return 0;
    }
    if (family < 0) {
        return family;
    }
    struct nl_msg *message = nlmsg_alloc();
    if (!genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, family, sizeof(struct ovs_header), NLM_F_DUMP, OVS_DP_CMD_GET,
                     OVS_DATAPATH_VERSION)) {
        nlmsg_free(message);
        return -NLE_NOMEM;
    }
    nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, add, lost);
    result = nl_send_sync(socket, message);
    return result < 0 ? result : 0;
}

bool link_read_lost_upcalls(uint64_t *ret_frames, GError **error)
{
    *ret_frames = 0;
    struct nl_sock *socket = nl_socket_alloc();
    int result = socket ? ask(socket, ret_frames) : -NLE_NOMEM;
    nl_socket_free(socket);
    if (result < 0) {
        return fail(error, DISTEM_ERROR_SYSTEM, 0, "cannot ask the kernel for Open vSwitch's datapaths: %s", nl_geterror(result));
    }
    return true;
}
