/* SPDX-License-Identifier: Apache-2.0 */
/* Bridges, ports and rules on an ovs-vswitchd with dummy devices: settling, forwarding, mending, strangers, purging. */
#include <config.h>

#include "distem/vswitch.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "distem/poll.h"
#include "ovs-sandbox.h"

#define WAIT_VS(VS, CONDITION) WAIT_UNTIL(CONDITION, run(VS), vswitch_wait(VS))
#define OWNER "test"

/* Runs the switch, and says what it has to say. */
static void run(struct vswitch *vs)
{
    unsigned seqno = vswitch_seqno(vs);
    vswitch_run(vs);
    if (seqno != vswitch_seqno(vs)) {
        g_test_message("%s, %s", vswitch_is_settled(vs) ? "settled" : "not settled", vswitch_error(vs));
    }
}

static struct sandbox *new_sandbox(void)
{
    struct sandbox *sandbox = sandbox_new("/usr/share/openvswitch/vswitch.ovsschema");
    g_free(sandbox_command(sandbox, "ovs-vsctl", "--no-wait", "init"));
    sandbox_start_vswitchd(sandbox);
    return sandbox;
}

static struct vswitch *open_switch(const struct sandbox *sandbox)
{
    return vswitch_open(sandbox->remote, sandbox->dir, "dummy", OWNER);
}

static void bridge_clear(void *data)
{
    struct vswitch_bridge *bridge = data;
    g_array_unref(bridge->ports);
    if (bridge->remotes) {
        g_array_unref(bridge->remotes);
    }
}

/* Returns 'n_bridges' bridges with 'n_ports' ports each: bridge b has vnetwork b + 1 and port p viface 100 * (b + 1) + p, MAC
 * 02:00:00:00:b:p, 10.b.0.p and fd00:b::p. */
static GArray *make_bridges(unsigned n_bridges, unsigned n_ports)
{
    GArray *bridges = g_array_new(FALSE, TRUE, sizeof(struct vswitch_bridge));
    g_array_set_clear_func(bridges, bridge_clear);
    for (unsigned b = 0; b < n_bridges; b++) {
        struct vswitch_bridge bridge = {.vnetwork_id = b + 1, .ports = g_array_new(FALSE, TRUE, sizeof(struct vswitch_port))};
        vswitch_bridge_name(bridge.vnetwork_id, bridge.name);
        for (unsigned p = 1; p <= n_ports; p++) {
            struct vswitch_port port = {.viface_id = 100 * (b + 1) + p, .mac = {{2, 0, 0, 0, (uint8_t)b, (uint8_t)p}}};
            snprintf(port.netdev, sizeof port.netdev, "dv%u", port.viface_id);
            port.ipv4 = (struct ip_addr){.family = 4, .bytes = {10, (uint8_t)b, 0, (uint8_t)p}};
            port.ipv6 = (struct ip_addr){.family = 6, .bytes = {0xfd, 0, 0, (uint8_t)b, [15] = (uint8_t)p}};
            g_array_append_val(bridge.ports, port);
        }
        g_array_append_val(bridges, bridge);
    }
    return bridges;
}

/* Wants 'bridges' and waits until they are there. Returns how many transactions that took. */
static uint64_t settle(struct vswitch *vs, const GArray *bridges)
{
    uint64_t before;
    uint64_t after;
    uint64_t rules;
    vswitch_counters(vs, &before, &rules);
    vswitch_want(vs, bridges);
    WAIT_VS(vs, vswitch_is_settled(vs));
    g_assert_null(vswitch_error(vs));
    vswitch_counters(vs, &after, &rules);
    return after - before;
}

static uint64_t count_rules(const struct vswitch *vs)
{
    uint64_t transactions;
    uint64_t rules;
    vswitch_counters(vs, &transactions, &rules);
    return rules;
}

/* Returns the OpenFlow port of a device. */
static unsigned ofport(const struct sandbox *sandbox, const char *netdev)
{
    g_autofree char *text = sandbox_command(sandbox, "ovs-vsctl", "get", "Interface", netdev, "ofport");
    return (unsigned)g_ascii_strtoull(text, NULL, 10);
}

/* Returns the "Datapath actions" of a packet that comes from 'from', with the flow 'fields'. */
static char *trace(const struct sandbox *sandbox, const char *bridge, const char *from, const char *fields)
{
    g_autofree char *flow = g_strdup_printf("in_port=%u,%s", ofport(sandbox, from), fields);
    g_autofree char *text = sandbox_command(sandbox, "ovs-appctl", "-t", sandbox->ctl, "ofproto/trace", bridge, flow);
    const char *actions = strstr(text, "Datapath actions: ");
    g_assert_nonnull(actions);
    actions += strlen("Datapath actions: ");
    return g_strndup(actions, strcspn(actions, "\n"));
}

/* Fails unless a packet is given to exactly the devices 'to' (blanks between them, in the order of their ports), each once. */
static void assert_outputs(const struct sandbox *sandbox, const char *bridge, const char *from, const char *fields, const char *to)
{
    g_autofree char *actions = trace(sandbox, bridge, from, fields);
    g_autofree char *ports = sandbox_command(sandbox, "ovs-appctl", "-t", sandbox->ctl, "dpif/show");
    g_auto(GStrv) devices = g_strsplit(to, " ", -1);
    g_autoptr(GString) expected = g_string_new(*devices ? NULL : "drop");
    for (unsigned i = 0; devices[i]; i++) {
        /* "    dv101 1/3: (dummy)": OpenFlow port, datapath port. */
        g_autofree char *key = g_strdup_printf(" %s ", devices[i]);
        const char *place = strstr(ports, key);
        g_assert_nonnull(place);
        place = strchr(place, '/') + 1;
        g_string_append_printf(expected, "%s%.*s", i ? "," : "", (int)strcspn(place, ":"), place);
    }
    g_assert_cmpstr(actions, ==, expected->str);
}

static void test_settles(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_sandbox();
    g_free(sandbox_command(sandbox, "ovs-vsctl", "add-br", "foreign", "--", "set", "bridge", "foreign", "datapath_type=dummy", "--",
                           "add-port", "foreign", "theirs"));
    struct vswitch *vs = open_switch(sandbox);
    g_autoptr(GArray) bridges = make_bridges(3, 4);
    g_assert_cmpuint(settle(vs, bridges), ==, 1);
    g_autofree char *ports = sandbox_command(sandbox, "ovs-vsctl", "list-ports", "db2");
    g_assert_cmpstr(ports, ==, "dv201\ndv202\ndv203\ndv204\n");

    /* The same again: nothing. One port less: one transaction, few rules. */
    uint64_t rules = count_rules(vs);
    g_assert_cmpuint(settle(vs, bridges), ==, 0);
    g_assert_cmpuint(count_rules(vs), ==, rules);
    g_array_set_size(g_array_index(bridges, struct vswitch_bridge, 1).ports, 3);
    g_assert_cmpuint(settle(vs, bridges), ==, 1);
    g_assert_cmpuint(count_rules(vs) - rules, <, 10);
    vswitch_close(vs);

    /* A new daemon finds everything as it is. */
    vs = open_switch(sandbox);
    g_assert_cmpuint(settle(vs, bridges), ==, 0);
    g_assert_cmpuint(count_rules(vs), ==, 0);

    /* Nothing wanted: nothing of ours is left, strangers stay. */
    g_autoptr(GArray) none = make_bridges(0, 0);
    g_assert_cmpuint(settle(vs, none), ==, 1);
    g_autofree char *left = sandbox_command(sandbox, "ovs-vsctl", "list-br");
    g_assert_cmpstr(left, ==, "foreign\n");
    g_autofree char *theirs = sandbox_command(sandbox, "ovs-vsctl", "list-ports", "foreign");
    g_assert_cmpstr(theirs, ==, "theirs\n");
    vswitch_close(vs);
    sandbox_free(sandbox);
}

static void test_forwarding(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_sandbox();
    struct vswitch *vs = open_switch(sandbox);
    g_autoptr(GArray) bridges = make_bridges(2, 4);
    settle(vs, bridges);
    assert_outputs(sandbox, "db1", "dv101", "dl_dst=02:00:00:00:00:03", "dv103");
    assert_outputs(sandbox, "db1", "dv102", "dl_dst=ff:ff:ff:ff:ff:ff", "dv101 dv103 dv104");
    assert_outputs(sandbox, "db1", "dv102", "dl_dst=33:33:00:00:00:01", "dv101 dv103 dv104");
    assert_outputs(sandbox, "db1", "dv103", "dl_dst=02:ff:00:00:00:03", "dv101 dv102 dv104");
    /* A packet to its own sender goes nowhere; the other bridge's addresses are unknown here. */
    assert_outputs(sandbox, "db1", "dv103", "dl_dst=02:00:00:00:00:03", "");
    assert_outputs(sandbox, "db2", "dv201", "dl_dst=02:00:00:00:01:02", "dv202");
    assert_outputs(sandbox, "db2", "dv201", "dl_dst=02:00:00:00:00:02", "dv202 dv203 dv204");
    /* A stranger's port on our bridge stays there and is not served. */
    g_free(sandbox_command(sandbox, "ovs-vsctl", "add-port", "db1", "guest"));
    WAIT_VS(vs, vswitch_is_settled(vs));
    assert_outputs(sandbox, "db1", "guest", "dl_dst=02:00:00:00:00:03", "");
    assert_outputs(sandbox, "db1", "dv102", "dl_dst=ff:ff:ff:ff:ff:ff", "dv101 dv103 dv104");
    vswitch_close(vs);
    sandbox_free(sandbox);
}

/* Adds 'count' vifaces elsewhere to bridge b of make_bridges(): remote r has MAC 02:00:00:01:b:r, 10.b.1.r and fd00:b::1:r, and is
 * on the pnode 192.0.2.(2 + r % 2), or fd00::(2 + r % 2), as 'family' says. */
static void add_remotes(GArray *bridges, unsigned b, unsigned count, uint8_t family)
{
    struct vswitch_bridge *bridge = &g_array_index(bridges, struct vswitch_bridge, b);
    bridge->transport = TRANSPORT_VXLAN;
    bridge->vni = 77 + b;
    bridge->udp_port = 14789;
    bridge->local = family == 4 ? (struct ip_addr){.family = 4, .bytes = {192, 0, 2, 1}}
                                : (struct ip_addr){.family = 6, .bytes = {0xfd, [15] = 1}};
    bridge->remotes = bridge->remotes ? bridge->remotes : g_array_new(FALSE, TRUE, sizeof(struct vswitch_remote));
    for (unsigned r = 1; r <= count; r++) {
        uint8_t host = (uint8_t)(2 + r % 2);
        struct vswitch_remote remote = {
            .mac = {{2, 0, 0, 1, (uint8_t)b, (uint8_t)r}},
            .ipv4 = {.family = 4, .bytes = {10, (uint8_t)b, 1, (uint8_t)r}},
            .ipv6 = {.family = 6, .bytes = {0xfd, 0, 0, (uint8_t)b, [14] = 1, [15] = (uint8_t)r}},
            .tunnel = family == 4 ? (struct ip_addr){.family = 4, .bytes = {192, 0, 2, host}}
                                  : (struct ip_addr){.family = 6, .bytes = {0xfd, [15] = host}},
        };
        g_array_append_val(bridge->remotes, remote);
    }
}

/* Returns what ofproto/trace says of a packet, by names. */
static char *trace_text(const struct sandbox *sandbox, const char *bridge, const char *from, const char *fields)
{
    g_autofree char *flow = g_strdup_printf("in_port=%u,%s", ofport(sandbox, from), fields);
    return sandbox_command(sandbox, "ovs-appctl", "-t", sandbox->ctl, "ofproto/trace", "--names", bridge, flow);
}

/* Counts 'word' in what ofproto/trace says of a packet. */
static unsigned count_traced(const struct sandbox *sandbox, const char *bridge, const char *from, const char *fields,
                             const char *word)
{
    g_autofree char *text = trace_text(sandbox, bridge, from, fields);
    g_auto(GStrv) parts = g_strsplit(text, word, -1);
    g_test_message("%s", text);
    return g_strv_length(parts) - 1;
}

#define FROM_PNODE_2 "tun_id=77,tun_src=192.0.2.2,tun_dst=192.0.2.1,"
#define SOLICITATION "icmp6,icmpv6_type=135,icmpv6_code=0,dl_dst=33:33:ff:00:00:02,"

static void test_tunnels(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_sandbox();
    struct vswitch *vs = open_switch(sandbox);
    g_autoptr(GArray) bridges = make_bridges(2, 3);
    add_remotes(bridges, 0, 4, 4);
    g_assert_cmpuint(settle(vs, bridges), ==, 1);
    g_autofree char *options = sandbox_command(sandbox, "ovs-vsctl", "get", "Interface", "dt1", "type", "options");
    g_assert_cmpstr(options, ==, "vxlan\n{dst_port=\"14789\", key=\"77\", local_ip=\"192.0.2.1\", remote_ip=flow}\n");

    /* To a known MAC on another pnode: its tunnel alone. To all: each pnode once, each port but the sender's once. */
    g_assert_cmpuint(count_traced(sandbox, "db1", "dv101", "dl_dst=02:00:00:01:00:02", "output:"), ==, 1);
    g_assert_cmpuint(count_traced(sandbox, "db1", "dv101", "dl_dst=02:00:00:01:00:02", "set_field:192.0.2.2->tun_dst"), ==, 1);
    static const char *const floods[] = {"dl_dst=ff:ff:ff:ff:ff:ff", "dl_dst=02:ff:00:00:00:09"};
    for (unsigned i = 0; i < G_N_ELEMENTS(floods); i++) {
        g_assert_cmpuint(count_traced(sandbox, "db1", "dv101", floods[i], "output:dt1"), ==, 2);
        g_assert_cmpuint(count_traced(sandbox, "db1", "dv101", floods[i], "set_field:192.0.2.2->tun_dst"), ==, 1);
        g_assert_cmpuint(count_traced(sandbox, "db1", "dv101", floods[i], "set_field:192.0.2.3->tun_dst"), ==, 1);
        g_assert_cmpuint(count_traced(sandbox, "db1", "dv101", floods[i], "output:dv10"), ==, 3);
        /* What came from a pnode stays here. */
        g_autofree char *arrived = g_strconcat(FROM_PNODE_2, floods[i], NULL);
        g_assert_cmpuint(count_traced(sandbox, "db1", "dt1", arrived, "output:dt1"), ==, 0);
        g_assert_cmpuint(count_traced(sandbox, "db1", "dt1", arrived, "output:dv10"), ==, 3);
    }
    g_assert_cmpuint(count_traced(sandbox, "db1", "dt1", FROM_PNODE_2 "dl_dst=02:00:00:00:00:03", "output:dv103"), ==, 1);
    g_assert_cmpuint(count_traced(sandbox, "db1", "dt1", FROM_PNODE_2 "dl_dst=02:00:00:00:00:03", "output:"), ==, 1);
    /* Not from a stranger, nor of another vnetwork. */
    g_assert_cmpuint(count_traced(sandbox, "db1", "dt1", "tun_id=77,tun_src=192.0.2.9,dl_dst=02:00:00:00:00:03", "output:"), ==, 0);
    g_assert_cmpuint(count_traced(sandbox, "db1", "dt1", "tun_id=78,tun_src=192.0.2.2,dl_dst=02:00:00:00:00:03", "output:"), ==, 0);
    /* An address elsewhere: ARP is answered here, a solicitation goes to the owner, here and there. */
    g_assert_cmpuint(count_traced(sandbox, "db1", "dv101", "arp,arp_op=1,arp_spa=10.0.0.1,arp_tpa=10.0.1.2", "IN_PORT"), ==, 1);
    g_assert_cmpuint(count_traced(sandbox, "db1", "dv101", SOLICITATION "ipv6_src=fd00::1,nd_target=fd00::102", "output:dt1"), ==,
                     1);
    g_assert_cmpuint(
        count_traced(sandbox, "db1", "dt1", FROM_PNODE_2 SOLICITATION "ipv6_src=fd00::101,nd_target=fd00::2", "output:dv102"), ==,
        1);
    g_assert_cmpuint(count_traced(sandbox, "db1", "dt1", FROM_PNODE_2 SOLICITATION "ipv6_src=::,nd_target=fd00::2", "output:dv10"),
                     ==, 3);

    /* One more elsewhere changes its own rules and nothing else; the last one gone takes the tunnel along. */
    uint64_t rules = count_rules(vs);
    GArray *remotes = g_array_index(bridges, struct vswitch_bridge, 0).remotes;
    struct vswitch_remote another = g_array_index(remotes, struct vswitch_remote, 0);
    another.mac.bytes[5] = another.ipv4.bytes[3] = another.ipv6.bytes[15] = 99;
    g_array_append_val(remotes, another);
    g_assert_cmpuint(settle(vs, bridges), ==, 0);
    g_assert_cmpuint(count_rules(vs) - rules, ==, 4);
    g_array_set_size(remotes, 0);
    g_assert_cmpuint(settle(vs, bridges), ==, 1);
    g_autofree char *left = sandbox_command(sandbox, "ovs-vsctl", "list-ports", "db1");
    g_assert_cmpstr(left, ==, "dv101\ndv102\ndv103\n");

    /* Over IPv6; another port; what somebody changes is mended. */
    add_remotes(bridges, 0, 2, 6);
    g_array_index(bridges, struct vswitch_bridge, 0).udp_port = 4790;
    settle(vs, bridges);
    g_assert_cmpuint(count_traced(sandbox, "db1", "dv101", "dl_dst=02:00:00:01:00:02", "set_field:fd00::2->tun_ipv6_dst"), ==, 1);
    g_free(sandbox_command(sandbox, "ovs-vsctl", "set", "Interface", "dt1", "options:dst_port=1"));
    WAIT_VS(vs, !vswitch_is_settled(vs));
    WAIT_VS(vs, vswitch_is_settled(vs));
    g_autofree char *port = sandbox_command(sandbox, "ovs-vsctl", "get", "Interface", "dt1", "options:dst_port");
    g_assert_cmpstr(port, ==, "\"4790\"\n");
    vswitch_close(vs);
    sandbox_free(sandbox);
}

/* Several vnetworks share a physical interface. */
static void test_vlans(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_sandbox();
    struct vswitch *vs = open_switch(sandbox);
    g_autoptr(GArray) bridges = make_bridges(3, 2);
    for (unsigned b = 0; b < 2; b++) {
        add_remotes(bridges, b, 2, 4);
        struct vswitch_bridge *bridge = &g_array_index(bridges, struct vswitch_bridge, b);
        bridge->transport = TRANSPORT_VLAN;
        bridge->vlan = (uint16_t)(100 + b);
        g_strlcpy(bridge->interface, "phy0", sizeof bridge->interface);
        for (unsigned r = 0; r < bridge->remotes->len; r++) {
            g_array_index(bridge->remotes, struct vswitch_remote, r).tunnel = (struct ip_addr){0};
        }
    }
    g_assert_cmpuint(settle(vs, bridges), ==, 1);
    g_autofree char *names = sandbox_command(sandbox, "ovs-vsctl", "list-br");
    g_auto(GStrv) bridge_names = g_strsplit(names, "\n", -1);
    g_assert_true(g_str_has_prefix(bridge_names[3], "dp"));
    const char *provider = bridge_names[3];
    g_autofree char *ports = sandbox_command(sandbox, "ovs-vsctl", "list-ports", provider);
    g_assert_cmpstr(ports, ==, "dr1\ndr2\nphy0\n");

    static const char *const ways[] = {"dl_dst=02:00:00:01:00:02", "dl_dst=ff:ff:ff:ff:ff:ff"};
    for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_assert_cmpuint(count_traced(sandbox, "db1", "dv101", ways[i], "output:phy0"), ==, 1);
        g_assert_cmpuint(count_traced(sandbox, "db1", "dv101", ways[i], "set_field:4196->vlan_vid"), ==, 1);
    }
    g_assert_cmpuint(count_traced(sandbox, provider, "phy0", "dl_vlan=101,dl_dst=02:00:00:00:01:02", "output:dv202"), ==, 1);
    g_assert_cmpuint(count_traced(sandbox, provider, "phy0", "dl_vlan=101,dl_dst=ff:ff:ff:ff:ff:ff", "output:dv20"), ==, 2);
    g_assert_cmpuint(count_traced(sandbox, provider, "phy0", "dl_vlan=101,dl_dst=ff:ff:ff:ff:ff:ff", "output:phy0"), ==, 0);
    g_assert_cmpuint(count_traced(sandbox, provider, "phy0", "dl_vlan=102,dl_dst=ff:ff:ff:ff:ff:ff", "output:"), ==, 0);
    g_assert_cmpuint(count_traced(sandbox, provider, "phy0", "dl_dst=ff:ff:ff:ff:ff:ff", "output:"), ==, 0);

    /* The second goes, the first stays; the provider bridge goes with the last. */
    g_array_set_size(g_array_index(bridges, struct vswitch_bridge, 1).remotes, 0);
    g_assert_cmpuint(settle(vs, bridges), ==, 1);
    g_autofree char *fewer = sandbox_command(sandbox, "ovs-vsctl", "list-ports", provider);
    g_assert_cmpstr(fewer, ==, "dr1\nphy0\n");
    g_array_set_size(g_array_index(bridges, struct vswitch_bridge, 0).remotes, 0);
    g_assert_cmpuint(settle(vs, bridges), ==, 1);
    g_autofree char *left = sandbox_command(sandbox, "ovs-vsctl", "list-br");
    g_assert_cmpstr(left, ==, "db1\ndb2\ndb3\n");
    vswitch_close(vs);
    sandbox_free(sandbox);
}

/* Writes 'size' bytes as hexadecimal digits. */
static char *to_hex(const uint8_t *bytes, size_t size)
{
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < size; i++) {
        g_string_append_printf(text, "%02x", bytes[i]);
    }
    return g_string_free(text, FALSE);
}

/* Returns the size of a file. */
static size_t file_size(const char *path)
{
    GStatBuf status;
    return g_stat(path, &status) ? 0 : (size_t)status.st_size;
}

/* Gives device "dv101" a packet and returns the one that is sent to it in answer, as hexadecimal digits. */
static char *exchange(const struct sandbox *sandbox, const char *packet)
{
    g_autofree char *option = g_strdup_printf("options:tx_pcap=%s/dv101.pcap", sandbox->dir);
    g_autofree char *path = g_strdup_printf("%s/dv101.pcap", sandbox->dir);
    g_free(sandbox_command(sandbox, "ovs-vsctl", "set", "Interface", "dv101", option));
    size_t before = file_size(path);
    g_free(sandbox_command(sandbox, "ovs-appctl", "-t", sandbox->ctl, "netdev-dummy/receive", "dv101", packet));
    WAIT_UNTIL(file_size(path) > before, (void)0, poll_wait_ms(5));
    g_autofree char *content = NULL;
    size_t size = 0;
    g_assert_true(g_file_get_contents(path, &content, &size, NULL));
    /* A packet in the file has a header of 16 bytes. */
    return to_hex((const uint8_t *)content + before + 16, size - before - 16);
}

/* A request of port 1 (02:00:00:00:00:01, 10.0.0.1) for port 3 (02:00:00:00:00:03, 10.0.0.3), and the reply: destination, source,
 * type; header, sender's MAC and address, target's MAC and address; padded to 60 bytes. */
#define ARP_REQUEST "ffffffffffff020000000001080600010800060400010200000000010a0000010000000000000a000003" PADDING
#define ARP_REPLY "020000000001020000000003080600010800060400020200000000030a0000030200000000010a000001" PADDING
#define PADDING "000000000000000000000000000000000000"

static void test_answers(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_sandbox();
    struct vswitch *vs = open_switch(sandbox);
    g_autoptr(GArray) bridges = make_bridges(1, 3);
    settle(vs, bridges);
    g_autofree char *arp = exchange(sandbox, ARP_REQUEST);
    g_assert_cmpstr(arp, ==, ARP_REPLY);
    /* A solicitation reaches the owner alone, whoever it is from. */
    assert_outputs(sandbox, "db1", "dv101",
                   "icmp6,icmpv6_type=135,icmpv6_code=0,ipv6_src=fd00::1,nd_target=fd00::3,dl_dst=33:33:ff:00:00:03", "dv103");
    assert_outputs(sandbox, "db1", "dv103",
                   "icmp6,icmpv6_type=135,icmpv6_code=0,ipv6_src=fd00::3,nd_target=fd00::3,dl_dst=33:33:ff:00:00:03", "");

    /* These pass, so that all hear them: gratuitous, duplicate address detection, about oneself, unknown. */
    static const char *const passing[] = {
        "arp,arp_op=1,arp_spa=10.0.0.3,arp_tpa=10.0.0.3",
        "arp,arp_op=1,arp_spa=0.0.0.0,arp_tpa=10.0.0.3",
        "arp,arp_op=1,arp_spa=10.0.0.99,arp_tpa=10.0.0.1",
        "arp,arp_op=1,arp_spa=10.0.0.1,arp_tpa=10.0.0.77",
        "arp,arp_op=2,arp_spa=10.0.0.1,arp_tpa=10.0.0.3",
        "icmp6,icmpv6_type=135,icmpv6_code=0,ipv6_src=::,nd_target=fd00::3",
        "icmp6,icmpv6_type=135,icmpv6_code=0,ipv6_src=fd00::1,nd_target=fd00::77",
        "icmp6,icmpv6_type=136,icmpv6_code=0,ipv6_src=fd00::1,nd_target=fd00::3",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(passing); i++) {
        g_autofree char *fields = g_strdup_printf("%s,dl_src=02:00:00:00:00:01,dl_dst=ff:ff:ff:ff:ff:ff", passing[i]);
        assert_outputs(sandbox, "db1", "dv101", fields, "dv102 dv103");
    }
    vswitch_close(vs);
    sandbox_free(sandbox);
}

/* Runs a command that breaks something, and waits until it is noticed and mended. */
#define BREAK_AND_WAIT(SANDBOX, VS, ...)                                                                                           \
    do {                                                                                                                           \
        g_free(sandbox_command(SANDBOX, __VA_ARGS__));                                                                             \
        WAIT_VS(VS, !vswitch_is_settled(VS));                                                                                      \
        WAIT_VS(VS, vswitch_is_settled(VS));                                                                                       \
    } while (0)

static void test_mends(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_sandbox();
    struct vswitch *vs = open_switch(sandbox);
    g_autoptr(GArray) bridges = make_bridges(2, 3);
    settle(vs, bridges);
    BREAK_AND_WAIT(sandbox, vs, "ovs-vsctl", "--no-wait", "del-port", "dv102");
    assert_outputs(sandbox, "db1", "dv101", "dl_dst=02:00:00:00:00:02", "dv102");
    BREAK_AND_WAIT(sandbox, vs, "ovs-vsctl", "--no-wait", "del-br", "db2");
    assert_outputs(sandbox, "db2", "dv202", "dl_dst=ff:ff:ff:ff:ff:ff", "dv201 dv203");
    BREAK_AND_WAIT(sandbox, vs, "ovs-ofctl", "-O", "OpenFlow14", "del-flows", "db1");
    assert_outputs(sandbox, "db1", "dv101", "dl_dst=02:00:00:00:00:03", "dv103");
    BREAK_AND_WAIT(sandbox, vs, "ovs-vsctl", "--no-wait", "set", "bridge", "db1", "fail_mode=standalone");
    g_autofree char *mode = sandbox_command(sandbox, "ovs-vsctl", "get-fail-mode", "db1");
    g_assert_cmpstr(mode, ==, "secure\n");

    /* A switch that starts anew gets all its rules again. */
    sandbox_kill_vswitchd(sandbox);
    WAIT_VS(vs, !vswitch_is_settled(vs));
    sandbox_start_vswitchd(sandbox);
    WAIT_VS(vs, vswitch_is_settled(vs));
    assert_outputs(sandbox, "db1", "dv101", "dl_dst=02:00:00:00:00:03", "dv103");
    assert_outputs(sandbox, "db2", "dv202", "dl_dst=ff:ff:ff:ff:ff:ff", "dv201 dv203");
    /* So does one whose database was killed. */
    sandbox_kill_db(sandbox);
    WAIT_VS(vs, vswitch_error(vs) && strstr(vswitch_error(vs), "does not answer"));
    sandbox_start_db(sandbox);
    WAIT_VS(vs, vswitch_is_settled(vs));
    vswitch_close(vs);
    sandbox_free(sandbox);
}

static void test_strangers(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_sandbox();
    g_free(sandbox_command(sandbox, "ovs-vsctl", "add-br", "db1", "--", "set", "bridge", "db1", "datapath_type=dummy", "--",
                           "add-port", "db1", "dv202"));
    struct vswitch *vs = open_switch(sandbox);
    g_autoptr(GArray) bridges = make_bridges(2, 2);
    vswitch_want(vs, bridges);
    WAIT_VS(vs, vswitch_error(vs) && strstr(vswitch_error(vs), "bridge db1 exists already"));
    g_assert_false(vswitch_is_settled(vs));
    g_free(sandbox_command(sandbox, "ovs-vsctl", "--", "del-br", "db1"));
    WAIT_VS(vs, vswitch_is_settled(vs));

    /* A device that cannot be opened is named. */
    g_free(sandbox_command(sandbox, "ovs-vsctl", "--no-wait", "set", "Interface", "dv102", "type=nonsense"));
    WAIT_VS(vs, vswitch_error(vs) && g_str_has_prefix(vswitch_error(vs), "bridge db1: port dv102: "));
    g_assert_false(vswitch_is_settled(vs));
    g_free(sandbox_command(sandbox, "ovs-vsctl", "--no-wait", "set", "Interface", "dv102", "type=\"\""));
    WAIT_VS(vs, vswitch_is_settled(vs));
    vswitch_close(vs);
    sandbox_free(sandbox);
}

static void test_purge(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct sandbox *sandbox = new_sandbox();
    g_free(sandbox_command(sandbox, "ovs-vsctl", "add-br", "foreign"));
    struct vswitch *vs = open_switch(sandbox);
    g_autoptr(GArray) bridges = make_bridges(2, 2);
    settle(vs, bridges);
    vswitch_close(vs);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) others = vswitch_purge(sandbox->remote, "somebody else", true, 5000, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(others->len, ==, 0);
    g_autoptr(GPtrArray) listed = vswitch_purge(sandbox->remote, OWNER, false, 5000, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(listed->len, ==, 2);
    g_autoptr(GPtrArray) removed = vswitch_purge(sandbox->remote, NULL, true, 5000, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(removed->len, ==, 2);
    g_autofree char *left = sandbox_command(sandbox, "ovs-vsctl", "list-br");
    g_assert_cmpstr(left, ==, "foreign\n");
    sandbox_kill_db(sandbox);
    g_assert_null(vswitch_purge(sandbox->remote, NULL, true, 200, &error));
    g_assert_nonnull(error);
    sandbox_free(sandbox);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ovs/vswitch/settles", test_settles);
    g_test_add_func("/ovs/vswitch/forwarding", test_forwarding);
    g_test_add_func("/ovs/vswitch/answers", test_answers);
    g_test_add_func("/ovs/vswitch/mends", test_mends);
    g_test_add_func("/ovs/vswitch/strangers", test_strangers);
    g_test_add_func("/ovs/vswitch/tunnels", test_tunnels);
    g_test_add_func("/ovs/vswitch/vlans", test_vlans);
    g_test_add_func("/ovs/vswitch/purge", test_purge);
    return g_test_run();
}
