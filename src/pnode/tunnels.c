/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "tunnels.h"

#include "distem/vswitch.h"

char **tunnels_devices(const GArray *bridges, const char *underlay)
{
    g_autoptr(GHashTable) set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (unsigned i = 0; i < bridges->len; i++) {
        const struct vswitch_bridge *bridge = &g_array_index(bridges, struct vswitch_bridge, i);
        if (!bridge->remotes->len) {
            continue;
        }
        if (bridge->transport == TRANSPORT_VXLAN) {
            g_hash_table_add(set, g_strdup_printf("vxlan_sys_%u", bridge->udp_port)); /* So Open vSwitch calls it. */
            g_hash_table_add(set, g_strdup(underlay));
        } else {
            g_hash_table_add(set, g_strdup(bridge->interface));
        }
    }
    char **names = (char **)g_hash_table_get_keys_as_array(set, NULL);
    g_hash_table_steal_all(set);
    return names;
}
