/* SPDX-License-Identifier: Apache-2.0 */
/* Which switches a trace asks of what, and how their answers are read. */
#include <config.h>

#include <string.h>

#include "distem/error.h"
#include "distem/plan.h"
#include "distem/topology.h"
#include "src/coordinator/trace-plan.h"
#include "src/coordinator/trace-text.h"

/* a and b on x, b and c on y; a is on one machine, b and c on the other, d on a third. */
static const char topology[] =
    "{\"distem\": 2, \"name\": \"row\","
    " \"vnetworks\": {\"x\": {\"ipv4\": \"10.0.1.0/24\"}, \"y\": {\"ipv4\": \"10.0.2.0/24\", \"ipv6\": \"fd00:2::/64\"}},"
    " \"vnodes\": {"
    "  \"a\": {\"pnode\": \"p1\", \"vifaces\": {\"if0\": {\"vnetwork\": \"x\"}}},"
    "  \"b\": {\"pnode\": \"p2\", \"gateway\": true, \"vifaces\": {\"if0\": {\"vnetwork\": \"x\"}, \"if1\": {\"vnetwork\": "
    "\"y\"}}},"
    "  \"c\": {\"pnode\": \"p2\", \"vifaces\": {\"if0\": {\"vnetwork\": \"y\"}}},"
    "  \"d\": {\"pnode\": \"p3\", \"vifaces\": {\"if0\": {\"vnetwork\": \"x\"}}}}}";

static GPtrArray *make_pnodes(void)
{
    GPtrArray *pnodes = g_ptr_array_new_with_free_func((GDestroyNotify)pnode_free);
    for (unsigned i = 1; i <= 3; i++) {
        g_autofree char *name = g_strdup_printf("p%u", i), *address = g_strdup_printf("192.0.2.%u", i);
        struct pnode *pnode = pnode_new(name);
        pnode->cores = 1;
        pnode->memory = 1 << 30;
        pnode->mtu = 1500;
        g_assert_true(ip_addr_parse(address, &pnode->ipv4, NULL));
        g_ptr_array_add(pnodes, pnode);
    }
    return pnodes;
}

static struct platform *make_platform(const GPtrArray *pnodes)
{
    AUTO_DIAGNOSTICS problems = {0};
    AUTO_PLATFORM asked = topology_parse(topology, strlen(topology), NULL, &problems);
    g_assert_nonnull(asked);
    struct platform *planned = plan(asked, NULL, pnodes, &problems, NULL);
    g_assert_nonnull(planned);
    for (unsigned i = 0; i < planned->vnetworks->len; i++) {
        platform_vnetwork(planned, i)->transport = TRANSPORT_VXLAN;
        platform_vnetwork(planned, i)->underlay = 4;
    }
    return planned;
}

static const struct trace_station *station(const GPtrArray *legs, unsigned leg, unsigned i)
{
    g_assert_cmpuint(leg, <, legs->len);
    const struct trace_leg *of = legs->pdata[leg];
    g_assert_cmpuint(i, <, of->stations->len);
    return of->stations->pdata[i];
}

static unsigned count_stations(const GPtrArray *legs, unsigned leg)
{
    return ((const struct trace_leg *)legs->pdata[leg])->stations->len;
}

static void test_way_through_a_gateway(void)
{
    g_autoptr(GPtrArray) pnodes = make_pnodes();
    AUTO_PLATFORM platform = make_platform(pnodes);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) legs = trace_plan(platform, pnodes, "a:if0", "c", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(legs->len, ==, 2);
    /* From p1 through a tunnel to p2, there from the gateway to c without one. */
    g_assert_cmpuint(count_stations(legs, 0), ==, 2);
    g_assert_cmpuint(count_stations(legs, 1), ==, 1);
    const struct vnode *a = platform_find_vnode(platform, "a"), *b = platform_find_vnode(platform, "b");
    char a_mac[MAC_TEXT_SIZE], b_mac[MAC_TEXT_SIZE];
    mac_format(&vnode_viface(a, 0)->mac, a_mac);
    mac_format(&vnode_viface(b, 0)->mac, b_mac);
    g_autofree char *packet =
        g_strdup_printf("dl_src=%s,dl_dst=%s,icmp,icmp_type=8,nw_src=10.0.1.1,nw_dst=10.0.2.2,nw_ttl=64", a_mac, b_mac);
    g_autofree char *sent = g_strdup_printf("in_port=dv%u,%s", vnode_viface(a, 0)->id, packet);
    g_autofree char *received = g_strdup_printf("in_port=dt%u,tun_id=%u,tun_src=192.0.2.1,tun_dst=192.0.2.2,%s",
                                                platform_vnetwork(platform, 0)->id, platform_vnetwork(platform, 0)->vni, packet);
    g_assert_cmpstr(station(legs, 0, 0)->pnode, ==, "p1");
    g_assert_cmpstr(station(legs, 0, 0)->flow, ==, sent);
    g_assert_cmpstr(station(legs, 0, 1)->pnode, ==, "p2");
    g_assert_cmpstr(station(legs, 0, 1)->flow, ==, received);
    g_assert_cmpstr(station(legs, 1, 0)->pnode, ==, "p2");
}

static void test_broadcast_and_ipv6(void)
{
    g_autoptr(GPtrArray) pnodes = make_pnodes();
    AUTO_PLATFORM platform = make_platform(pnodes);
    g_autoptr(GPtrArray) legs = trace_plan(platform, pnodes, "a", "broadcast", NULL);
    g_assert_cmpuint(legs->len, ==, 1);
    g_assert_cmpuint(count_stations(legs, 0), ==, 3);
    g_assert_cmpstr(station(legs, 0, 1)->pnode, ==, "p2");
    g_assert_cmpstr(station(legs, 0, 2)->pnode, ==, "p3");
    g_assert_nonnull(strstr(station(legs, 0, 0)->flow, "dl_dst=ff:ff:ff:ff:ff:ff"));

    g_autoptr(GPtrArray) six = trace_plan(platform, pnodes, "b:if1", "fd00:2::2", NULL);
    g_assert_nonnull(six);
    g_assert_nonnull(strstr(station(six, 0, 0)->flow, "icmp6,icmpv6_type=128,ipv6_src=fd00:2::1,ipv6_dst=fd00:2::2"));
}

static void refuse(const struct platform *platform, const GPtrArray *pnodes, const char *from, const char *to, const char *sentence)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(trace_plan(platform, pnodes, from, to, &error));
    g_assert_nonnull(strstr(error->message, sentence));
}

static void test_refusals(void)
{
    g_autoptr(GPtrArray) pnodes = make_pnodes();
    AUTO_PLATFORM platform = make_platform(pnodes);
    refuse(platform, pnodes, "nobody", "c", "no vnode \"nobody\"");
    refuse(platform, pnodes, "a:if7", "c", "no viface \"if7\"");
    refuse(platform, pnodes, "a", "nobody", "no vnode \"nobody\"");
    refuse(platform, pnodes, "a", "10.0.1.99", "10.0.1.99");
    refuse(platform, pnodes, "b:if1", "a", "vnode b sends this by if0, not by if1");
}

/* What ovs-vswitchd 3.1 said. */
static const char unicast[] = "Flow: icmp,in_port=dv4,dl_dst=02:d1:00:00:00:05\n"
                              "\n"
                              "bridge(\"db1\")\n"
                              "-------------\n"
                              " 0. in_port=dv4, priority 100, cookie 0x64697374656d0001\n"
                              "    goto_table:1\n"
                              " 1. priority 0\n"
                              "    goto_table:2\n"
                              " 2. dl_dst=02:d1:00:00:00:05, priority 100\n"
                              "    set_field:192.0.2.2->tun_dst\n"
                              "    output:dt1\n"
                              "     -> output to kernel tunnel\n"
                              "\n"
                              "Final flow: icmp,tun_src=0.0.0.0,tun_dst=192.0.2.2\n"
                              "Megaflow: recirc_id=0,eth,ip,in_port=dv4\n"
                              "Datapath actions: set(tunnel(tun_id=0x4d,dst=192.0.2.2)),dt1\n";

static const char through_a_patch[] = "bridge(\"db1\")\n"
                                      "-------------\n"
                                      " 2. priority 0\n"
                                      "    output:dq1\n"
                                      "\n"
                                      "    bridge(\"dpabc\")\n"
                                      "    ---------------\n"
                                      "         0. in_port=dr1, priority 100\n"
                                      "            push_vlan:0x8100\n"
                                      "    output:dv5\n"
                                      " 3. No match.\n"
                                      "    drop\n"
                                      "\n"
                                      "Final flow: unchanged\n"
                                      "Datapath actions: eth1,dv5\n";

static void check_steps(const char *text, const char *expected)
{
    json_t *steps = trace_text_steps(text), *wanted = json_loads(expected, 0, NULL);
    g_assert_nonnull(wanted);
    g_autofree char *shown = json_dumps(steps, JSON_COMPACT);
    g_test_message("%s", shown);
    g_assert_true(json_equal(steps, wanted));
    json_decref(steps);
    json_decref(wanted);
}

static void test_answers(void)
{
    check_steps(unicast,
                "[{\"bridge\": \"db1\", \"table\": 0, \"rule\": \"in_port=dv4, priority 100\", \"actions\": [\"goto_table:1\"]},"
                " {\"bridge\": \"db1\", \"table\": 1, \"rule\": \"priority 0\", \"actions\": [\"goto_table:2\"]},"
                " {\"bridge\": \"db1\", \"table\": 2, \"rule\": \"dl_dst=02:d1:00:00:00:05, priority 100\","
                "  \"actions\": [\"set_field:192.0.2.2->tun_dst\", \"output:dt1\"]}]");
    check_steps(
        through_a_patch,
        "[{\"bridge\": \"db1\", \"table\": 2, \"rule\": \"priority 0\", \"actions\": [\"output:dq1\", \"output:dv5\"]},"
        " {\"bridge\": \"dpabc\", \"table\": 0, \"rule\": \"in_port=dr1, priority 100\", \"actions\": [\"push_vlan:0x8100\"]},"
        " {\"bridge\": \"db1\", \"table\": 3, \"rule\": \"No match.\", \"actions\": [\"drop\"]}]");
    check_steps("nonsense\n 0. \n", "[]");
    g_autofree char *result = trace_text_result(through_a_patch);
    g_assert_cmpstr(result, ==, "eth1,dv5");
    g_assert_null(trace_text_result("nonsense"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/trace/way-through-a-gateway", test_way_through_a_gateway);
    g_test_add_func("/trace/broadcast-and-ipv6", test_broadcast_and_ipv6);
    g_test_add_func("/trace/refusals", test_refusals);
    g_test_add_func("/trace/answers", test_answers);
    return g_test_run();
}
