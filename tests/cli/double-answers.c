/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "double.h"

#include <string.h>

static const struct {
    const char *name, *vnetwork, *address, *latency, *output, *input;
} vifaces[] = {
    {"n1", "net1", "10.1.0.1/24", "30ms", "1Mbit/s", "1Mbit/s"},
    {"n2", "net1", "10.1.0.2/24", NULL, "10Mbit/s", "5Mbit/s"},
    {"n3", "net1", "10.1.0.3/24", "10ms", "10Mbit/s", "10Mbit/s"},
    {"n3", "net2", "10.2.0.1/24", "12.5ms", "20Mbit/s", "20Mbit/s"},
    {"n4", "net2", "10.2.0.2/24", "27.5ms", "150kbit/s", "300kbit/s"},
    {"n5", "net2", "10.2.0.3/24", "35ms", "256kbit/s", "600kbit/s"},
};

static json_t *direction(unsigned i, const char *bandwidth)
{
    json_t *properties = json_object();
    if (vifaces[i].latency) {
        json_object_set_new(properties, "latency", json_string(vifaces[i].latency));
    }
    json_object_set_new(properties, "bandwidth", json_string(bandwidth));
    if (!strcmp(vifaces[i].name, "n5")) {
        json_object_set_new(properties, "jitter", json_string("2ms"));
        json_object_set_new(properties, "loss", json_string("0.5%"));
        json_object_set_new(properties, "queue", json_string("64kB"));
        json_object_set_new(properties, "reordering_gap", json_integer(5));
    }
    return properties;
}

static json_t *vnode(const char *name, unsigned number, bool running, bool failed)
{
    json_t *list = json_array(), *routes = json_array();
    for (unsigned i = 0; i < G_N_ELEMENTS(vifaces); i++) {
        if (!strcmp(vifaces[i].name, name)) {
            g_autofree char *mac = g_strdup_printf("02:00:00:00:00:%02x", i + 1);
            g_autofree char *viface = g_strdup_printf("if%zu", json_array_size(list));
            json_array_append_new(list, json_pack("{ss, si, ss, ss, sn, ss, so, so}", "name", viface, "id", i + 8, "vnetwork",
                                                  vifaces[i].vnetwork, "ipv4", vifaces[i].address, "ipv6", "mac", mac, "input",
                                                  direction(i, vifaces[i].input), "output", direction(i, vifaces[i].output)));
        }
    }
    if (strcmp(name, "n3") != 0) {
        bool first = !strcmp(name, "n1") || !strcmp(name, "n2");
        json_array_append_new(routes, json_pack("{ss, ss, ss}", "to", first ? "10.2.0.0/24" : "10.1.0.0/24", "via",
                                                first ? "10.1.0.3" : "10.2.0.1", "viface", "if0"));
    }
    return json_pack("{ss, si, ss, ss, ss?, so, ss, sb, sn, sn, so, so, so}", "name", name, "id", number + 3, "pnode", "host",
                     "state",
                     failed    ? "failed"
                     : running ? "running"
                               : "waiting",
                     "error", failed ? "the image is gone" : NULL, "pid", running ? json_integer(4711 + (int)number) : json_null(),
                     "image", "host", "forwards", !strcmp(name, "n3"), "cores", "frequency", "memory",
                     strcmp(name, "n4") ? json_null() : json_string("256MiB"), "vifaces", list, "routes", routes);
}

json_t *double_pnodes(int64_t generation, bool ready)
{
    return json_pack("[{ss, ss, si, ss, si, sI, ss, s{ss, ss}, sn, sn}]", "name", "host", "state", ready ? "ready" : "changing",
                     "cores", 2, "memory", "24GiB", "vnodes", 5, "generation", (json_int_t)generation, "address", "192.0.2.1:4568",
                     "labels", "rack", "a", "site", "nancy", "missing", "error");
}

json_t *double_platform(int64_t generation, const char *name, const char *state, int64_t running, const char *failed)
{
    json_t *vnodes = json_array();
    for (unsigned i = 0; i < 5; i++) {
        char vnode_name[] = {'n', (char)('1' + i), '\0'};
        bool has_failed = failed && !strcmp(failed, vnode_name);
        json_array_append_new(vnodes, vnode(vnode_name, i, i < running && !has_failed, has_failed));
    }
    json_t *vnetworks = json_pack("[{ss, si, ss, sn, si, sn, si, si}, {ss, si, ss, sn, si, sn, si, si}]", "name", "net1", "id", 1,
                                  "ipv4", "10.1.0.0/24", "ipv6", "vni", 4097, "vlan", "mtu", 1500, "vifaces", 3, "name", "net2",
                                  "id", 2, "ipv4", "10.2.0.0/24", "ipv6", "vni", 4098, "vlan", "mtu", 1500, "vifaces", 3);
    return json_pack("{ss, sI, ss, ss, so, so, so}", "name", name, "generation", (json_int_t)generation, "state", state, "routing",
                     "hops", "vnetworks", vnetworks, "vnodes", vnodes, "pnodes",
                     double_pnodes(generation, !strcmp(state, "ready")));
}

/* One ordered pair; the RTT only one way round. */
static json_t *result(const char *from, const char *to, double rtt_ms, double goodput, double rtt_error, double error)
{
    json_t *value = json_pack("{ss, ss}", "from", from, "to", to);
    if (strcmp(from, to) < 0) {
        json_object_set_new(value, "rtt",
                            json_pack("{sI, sI, sf, sb}", "expected_ns", (json_int_t)(rtt_ms * 1e6), "measured_ns",
                                      (json_int_t)(rtt_ms * 1e6 * (1 + rtt_error)), "error", rtt_error, "pass", rtt_error < 0.01));
    }
    json_object_set_new(value, "goodput",
                        json_pack("{sf, sf, sf, sb}", "expected", goodput, "measured", goodput * (1 + error), "error", error,
                                  "pass", error > -0.03));
    return value;
}

json_t *double_results(bool pass)
{
    json_t *results = json_array();
    json_array_append_new(results, result("n1", "n2", 60, 956420, 0.0007, -0.0012));
    json_array_append_new(results, result("n2", "n1", 60, 956420, 0.0007, pass ? 0.0009 : -0.0512));
    json_array_append_new(results, result("n1", "n4", 160, 286926, 0.0004, -0.002));
    json_array_append_new(results, result("n4", "n1", 160, 143463, 0.0004, 0.0104));
    json_t *last = result("n2", "n3", 20, 9564200, pass ? 0.0051 : 0.021, 0.0001);
    json_object_set_new(
        last, "loss",
        json_pack("{sf, sf, sf, sf, sb}", "expected", 0.01, "measured", 0.0105, "low", 0.006, "high", 0.016, "pass", true));
    json_array_append_new(results, last);
    if (!pass) {
        json_array_append_new(results, json_pack("{ss, ss, s{sI, sb, ss}}", "from", "n4", "to", "n5", "rtt", "expected_ns",
                                                 (json_int_t)130000000, "pass", 0, "problem", "no answer within 2 s"));
    }
    return results;
}
