/* SPDX-License-Identifier: Apache-2.0 */
/* Fifty pnodes in one process: each with a switch of its own (dummy devices, no root) and its share of one Distem database. A
 * platform is planned, stored and made; then packets are traced through every switch and compared with the plan, and small changes
 * must cause small work, on the pnodes that they are about alone. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "distem/plan.h"
#include "distem/vswitch.h"
#include "src/pnode/bridges.h"
#include "switch-tracer.h"
#include "tests/unit/db-fixture.h"
#include "tests/unit/generate-platform.h"

#define PNODES 50
#define VNODES 2000
#define VNETWORKS 40
#define SPREAD 10 /* Pnodes of a vnetwork that is on some of them. */
#define PATIENCE_MS 120000

struct machine {
    char *name;
    struct pnode *pnode;
    struct sandbox *sandbox;
    struct vswitch *vswitch;
    struct db *db;
    struct tracer *tracer;
    uint64_t generation;          /* Of the share that its switch was told. */
    uint64_t transactions, rules; /* When last looked at. */
};

/* A viface and its machine. */
struct place {
    const struct viface *viface;
    unsigned machine;
};

struct world {
    struct sandbox *sandbox;
    struct db *db;
    struct machine machines[PNODES];
    GPtrArray *pnodes; /* Of struct pnode, those of the machines. */
    struct platform *asked, *planned;
    GArray *places[VNETWORKS]; /* Of struct place: the vifaces of each vnetwork, as planned. */
    unsigned traces;
};

/* Tells the machine's switch what its share is, when that has changed. */
static void make_share(struct machine *m)
{
    if (!db_is_complete(m->db) || db_generation(m->db) == m->generation) {
        return;
    }
    m->generation = db_generation(m->db);
    AUTO_PLATFORM share = db_platform(m->db);
    g_autoptr(GArray) remotes = db_remote_vifaces(m->db, m->name);
    g_autoptr(GPtrArray) pnodes = db_pnodes(m->db);
    g_autoptr(GArray) bridges = bridges_make(m->name, share->vnodes, remotes, pnodes);
    vswitch_want(m->vswitch, bridges);
}

static void run(struct world *w)
{
    db_run(w->db);
    for (unsigned i = 0; i < PNODES; i++) {
        db_run(w->machines[i].db);
        make_share(&w->machines[i]);
        vswitch_run(w->machines[i].vswitch);
    }
}

/* Turns the loop until all machines have made generation 'wanted'. */
static void wait_for(struct world *w, uint64_t wanted)
{
    int64_t deadline = poll_now_ms() + PATIENCE_MS;
    for (;;) {
        run(w);
        unsigned done = 0;
        for (unsigned i = 0; i < PNODES; i++) {
            const struct machine *m = &w->machines[i];
            done += m->generation == wanted && vswitch_is_settled(m->vswitch);
        }
        if (done == PNODES) {
            return;
        }
        if (poll_now_ms() > deadline) {
            g_error("generation %u: only %u pnodes are done", (unsigned)wanted, done);
        }
        db_wait(w->db);
        for (unsigned i = 0; i < PNODES; i++) {
            db_wait(w->machines[i].db);
            vswitch_wait(w->machines[i].vswitch);
        }
        poll_wait_ms(1000);
        poll_block_once();
    }
}

static void machine_init(struct world *w, unsigned i)
{
    struct machine *m = &w->machines[i];
    m->name = g_strdup_printf("p%02u", i);
    m->pnode = pnode_new(m->name);
    m->pnode->identity = g_strdup(m->name);
    m->pnode->mtu = 1500;
    m->pnode->ipv4 = (struct ip_addr){.family = 4, .bytes = {192, 0, 2, (uint8_t)(i + 1)}};
    m->pnode->ipv6 = (struct ip_addr){.family = 6, .bytes = {0xfd, 0x77, [15] = (uint8_t)(i + 1)}};
    g_ptr_array_add(w->pnodes, m->pnode);
    m->sandbox = sandbox_new("/usr/share/openvswitch/vswitch.ovsschema");
    g_free(sandbox_command(m->sandbox, "ovs-vsctl", "--no-wait", "init"));
    sandbox_start_vswitchd(m->sandbox);
    m->vswitch = vswitch_open(m->sandbox->remote, m->sandbox->dir, "dummy", "fifty");
    m->db = db_open_ready(w->sandbox->remote, m->name);
    m->tracer = tracer_open(m->sandbox->ctl);
    struct outcome outcome = {0};
    db_introduce_pnode(m->db, m->pnode, db_note, &outcome);
    WAIT_DB(m->db, outcome.count);
    g_assert_cmpint(outcome.code, ==, -1);
}

static void machine_clear(struct machine *m)
{
    tracer_close(m->tracer);
    db_close(m->db);
    vswitch_close(m->vswitch);
    sandbox_free(m->sandbox);
    pnode_free(m->pnode);
    g_free(m->name);
}

static void set_pnode(struct vnode *vnode, unsigned machine)
{
    g_free(vnode->pnode);
    vnode->pnode = g_strdup_printf("p%02u", machine % PNODES);
}

/* Vnetworks by their number: on the pnodes that the plan chooses, on some, all over, on one; tunnels over IPv4 and IPv6. */
static struct platform *ask(void)
{
    struct platform *asked = generate_platform(&(struct generate_options){
        .seed = 50, .vnetworks = VNETWORKS, .vnodes = VNODES - VNETWORKS + 1, .families = FAMILIES_BOTH});
    g_autoptr(GHashTable) numbers = g_hash_table_new(NULL, NULL);
    for (unsigned i = 0; i < VNETWORKS; i++) {
        struct vnetwork *vnetwork = platform_vnetwork(asked, i);
        vnetwork->transport = i % 8 == 7 ? TRANSPORT_LOCAL : TRANSPORT_VXLAN;
        vnetwork->underlay = i % 8 == 7 ? 0 : i % 2 ? 6 : 4;
        vnetwork->port = i % 8 == 7 ? 0 : VXLAN_PORT_DEFAULT;
        g_hash_table_insert(numbers, vnetwork, GUINT_TO_POINTER(i));
    }
    for (unsigned i = 0; i < asked->vnodes->len; i++) {
        struct vnode *vnode = platform_vnode(asked, i);
        unsigned first = GPOINTER_TO_UINT(g_hash_table_lookup(numbers, vnode_viface(vnode, 0)->vnetwork));
        if (first % 4 == 1) {
            set_pnode(vnode, 3 * first + i % SPREAD);
        } else if (first % 4 == 2) {
            set_pnode(vnode, i);
        }
        for (unsigned j = 0; j < vnode->vifaces->len; j++) {
            if (vnode_viface(vnode, j)->vnetwork->transport == TRANSPORT_LOCAL) {
                set_pnode(vnode, 0);
            }
        }
    }
    return asked;
}

/* Notes which vifaces each vnetwork has, and where. */
static void find_places(struct world *w)
{
    g_autoptr(GHashTable) numbers = g_hash_table_new(NULL, NULL);
    for (unsigned i = 0; i < VNETWORKS; i++) {
        g_array_set_size(w->places[i], 0);
        g_hash_table_insert(numbers, platform_vnetwork(w->planned, i), GUINT_TO_POINTER(i));
    }
    for (unsigned i = 0; i < w->planned->vnodes->len; i++) {
        const struct vnode *vnode = platform_vnode(w->planned, i);
        for (unsigned j = 0; j < vnode->vifaces->len; j++) {
            const struct viface *viface = vnode_viface(vnode, j);
            struct place place = {.viface = viface, .machine = (unsigned)atoi(vnode->pnode + 1)};
            unsigned number = GPOINTER_TO_UINT(g_hash_table_lookup(numbers, viface->vnetwork));
            g_array_append_val(w->places[number], place);
        }
    }
}

/* Plans what is asked for on top of what is there, stores it, and waits until all switches are so. */
static void make_it_so(struct world *w)
{
    AUTO_DIAGNOSTICS problems = {0};
    struct platform *planned = plan(w->asked, w->planned, w->pnodes, &problems, NULL);
    if (!planned) {
        g_autofree char *text = diagnostic_format(diagnostics_get(&problems, 0));
        g_error("cannot be planned: %s", text);
    }
    uint64_t generation = db_generation(w->db);
    db_store(w->db, planned, generation, -1);
    platform_free(w->planned);
    w->planned = planned;
    find_places(w);
    wait_for(w, generation + 1);
}

static void world_init(struct world *w)
{
    w->sandbox = new_db_sandbox();
    w->db = db_open_ready(w->sandbox->remote, NULL);
    w->pnodes = g_ptr_array_new();
    for (unsigned i = 0; i < VNETWORKS; i++) {
        w->places[i] = g_array_new(FALSE, FALSE, sizeof(struct place));
    }
    for (unsigned i = 0; i < PNODES; i++) {
        machine_init(w, i);
    }
    w->asked = ask();
}

static void world_clear(struct world *w)
{
    for (unsigned i = 0; i < PNODES; i++) {
        machine_clear(&w->machines[i]);
    }
    for (unsigned i = 0; i < VNETWORKS; i++) {
        g_array_unref(w->places[i]);
    }
    platform_free(w->asked);
    platform_free(w->planned);
    g_ptr_array_unref(w->pnodes);
    db_close(w->db);
    sandbox_free(w->sandbox);
}

static const struct place *place_at(const GArray *places, unsigned i)
{
    return &g_array_index(places, struct place, i);
}

/* Returns the first place on 'machine', or NULL. */
static const struct place *first_on(const GArray *places, unsigned machine)
{
    for (unsigned i = 0; i < places->len; i++) {
        if (place_at(places, i)->machine == machine) {
            return place_at(places, i);
        }
    }
    return NULL;
}

/* The vnetwork's ends of tunnels. */
static const char *tunnel_end(const struct world *w, const struct vnetwork *vnetwork, unsigned machine, char text[IP_TEXT_SIZE])
{
    const struct pnode *pnode = w->machines[machine].pnode;
    return ip_format(vnetwork->underlay == 6 ? &pnode->ipv6 : &pnode->ipv4, text);
}

/* Fails unless a packet goes to 'wanted' and nowhere else. */
static void assert_goes(struct world *w, unsigned machine, const struct vnetwork *vnetwork, const char *flow, const char *wanted)
{
    char bridge[16];
    vswitch_bridge_name(vnetwork->id, bridge);
    g_autofree char *outputs = tracer_ask(w->machines[machine].tracer, bridge, flow);
    w->traces++;
    if (strcmp(outputs, wanted) != 0) {
        g_error("%s, bridge %s, %s: goes to \"%s\", not to \"%s\"", w->machines[machine].name, bridge, flow, outputs, wanted);
    }
}

/* Returns where a packet for 'place' leaves the switch of 'machine'. */
static char *way_to(const struct world *w, unsigned machine, const struct vnetwork *vnetwork, const struct place *place)
{
    char end[IP_TEXT_SIZE];
    return place->machine == machine ? g_strdup_printf("dv%u", place->viface->id)
                                     : g_strdup_printf("dt%u>%s", vnetwork->id, tunnel_end(w, vnetwork, place->machine, end));
}

static gint compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Returns where a packet for all goes: 'machine's ports but that of 'from', and, 'abroad', each other pnode of the vnetwork once.
 */
static char *way_to_all(const struct world *w, unsigned machine, const struct vnetwork *vnetwork, const GArray *places,
                        const struct place *from, bool abroad)
{
    g_autoptr(GHashTable) ways = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (unsigned i = 0; i < places->len; i++) {
        const struct place *place = place_at(places, i);
        if (place != from && (abroad || place->machine == machine)) {
            g_hash_table_add(ways, way_to(w, machine, vnetwork, place));
        }
    }
    guint count;
    g_autofree char **keys = (char **)g_hash_table_get_keys_as_array(ways, &count);
    qsort(keys, count, sizeof *keys, compare_texts);
    return g_strjoinv(" ", keys);
}

#define SOLICITATION "icmp6,icmpv6_type=135,icmpv6_code=0,dl_dst=33:33:ff:00:00:01"

/* From the first port on 'machine' to every other viface, and to all. */
static void check_sending(struct world *w, unsigned machine, const struct vnetwork *vnetwork, const GArray *places)
{
    const struct place *from = first_on(places, machine);
    const struct viface *sender = from->viface;
    char mac[MAC_TEXT_SIZE], own_mac[MAC_TEXT_SIZE], ip[IP_TEXT_SIZE], own_ip[IP_TEXT_SIZE];
    mac_format(&sender->mac, own_mac);
    for (unsigned i = 0; i < places->len; i++) {
        const struct place *to = place_at(places, i);
        if (to == from) {
            continue;
        }
        mac_format(&to->viface->mac, mac);
        g_autofree char *way = way_to(w, machine, vnetwork, to);
        g_autofree char *unicast = g_strdup_printf("in_port=dv%u,dl_src=%s,dl_dst=%s", sender->id, own_mac, mac);
        assert_goes(w, machine, vnetwork, unicast, way);
        ip_format(&to->viface->ipv4, ip);
        g_autofree char *arp = g_strdup_printf("in_port=dv%u,arp,arp_op=1,dl_src=%s,dl_dst=ff:ff:ff:ff:ff:ff,arp_spa=%s,arp_tpa=%s",
                                               sender->id, own_mac, ip_format(&sender->ipv4, own_ip), ip);
        g_autofree char *reply = g_strdup_printf("IN_PORT(%s %s)", mac, ip);
        assert_goes(w, machine, vnetwork, arp, reply);
        g_autofree char *nd = g_strdup_printf("in_port=dv%u," SOLICITATION ",ipv6_src=%s,nd_target=%s", sender->id,
                                              ip_format(&sender->ipv6, own_ip), ip_format(&to->viface->ipv6, ip));
        assert_goes(w, machine, vnetwork, nd, way);
    }
    g_autofree char *all = g_strdup_printf("in_port=dv%u,dl_src=%s,dl_dst=ff:ff:ff:ff:ff:ff", sender->id, own_mac);
    g_autofree char *ways = way_to_all(w, machine, vnetwork, places, from, true);
    assert_goes(w, machine, vnetwork, all, ways);
}

/* Returns a packet from the tunnel: from 'source', with 'vni'. */
static char *arriving(const struct world *w, unsigned machine, const struct vnetwork *vnetwork, const char *source, uint32_t vni,
                      const char *dl_dst)
{
    char own[IP_TEXT_SIZE];
    const char *prefix = vnetwork->underlay == 6 ? "tun_ipv6" : "tun";
    return g_strdup_printf("in_port=dt%u,tun_id=%u,%s_src=%s,%s_dst=%s,dl_src=02:77:00:00:00:01,dl_dst=%s", vnetwork->id, vni,
                           prefix, source, prefix, tunnel_end(w, vnetwork, machine, own), dl_dst);
}

/* From the tunnel of 'other': to each port, to all, with other vnetworks' VNIs, and from nobody that is known. */
static void check_arriving(struct world *w, unsigned machine, const struct vnetwork *vnetwork, const GArray *places, unsigned other)
{
    char source[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE];
    tunnel_end(w, vnetwork, other, source);
    for (unsigned i = 0; i < places->len; i++) {
        const struct place *to = place_at(places, i);
        if (to->machine == machine) {
            g_autofree char *flow = arriving(w, machine, vnetwork, source, vnetwork->vni, mac_format(&to->viface->mac, mac));
            g_autofree char *way = way_to(w, machine, vnetwork, to);
            assert_goes(w, machine, vnetwork, flow, way);
        }
    }
    g_autofree char *all = arriving(w, machine, vnetwork, source, vnetwork->vni, "ff:ff:ff:ff:ff:ff");
    g_autofree char *ways = way_to_all(w, machine, vnetwork, places, NULL, false);
    assert_goes(w, machine, vnetwork, all, ways);
    for (unsigned i = 0; i < VNETWORKS; i += 13) {
        const struct vnetwork *foreign = platform_vnetwork(w->planned, i);
        if (foreign != vnetwork && foreign->vni) {
            g_autofree char *flow = arriving(w, machine, vnetwork, source, foreign->vni, "ff:ff:ff:ff:ff:ff");
            assert_goes(w, machine, vnetwork, flow, "");
        }
    }
    const char *stranger = vnetwork->underlay == 6 ? "fd78::1" : "198.51.100.1";
    g_autofree char *unknown = arriving(w, machine, vnetwork, stranger, vnetwork->vni, "ff:ff:ff:ff:ff:ff");
    assert_goes(w, machine, vnetwork, unknown, "");
}

/* Checks the bridges of vnetwork number 'number' on all pnodes. */
static void check_vnetwork(struct world *w, unsigned number)
{
    const struct vnetwork *vnetwork = platform_vnetwork(w->planned, number);
    const GArray *places = w->places[number];
    for (unsigned machine = 0; machine < PNODES; machine++) {
        if (!first_on(places, machine)) {
            continue;
        }
        check_sending(w, machine, vnetwork, places);
        for (unsigned i = 0; i < places->len; i++) {
            if (place_at(places, i)->machine != machine) {
                check_arriving(w, machine, vnetwork, places, place_at(places, i)->machine);
                break;
            }
        }
    }
}

/* Checks that a machine has the tunnel ports of its vnetworks, and no others. */
static void check_tunnels(const struct world *w, unsigned machine)
{
    g_autoptr(GHashTable) wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (unsigned i = 0; i < VNETWORKS; i++) {
        const struct vnetwork *vnetwork = platform_vnetwork(w->planned, i);
        unsigned here = 0;
        for (unsigned j = 0; j < w->places[i]->len; j++) {
            here += place_at(w->places[i], j)->machine == machine;
        }
        char own[IP_TEXT_SIZE];
        if (here && here < w->places[i]->len) {
            g_hash_table_add(wanted, g_strdup_printf("dt%u\ndst_port=14789 key=%u local_ip=%s remote_ip=flow", vnetwork->id,
                                                     vnetwork->vni, tunnel_end(w, vnetwork, machine, own)));
        }
    }
    g_autofree char *text = sandbox_command(w->machines[machine].sandbox, "ovs-vsctl", "--bare", "--columns=name,options", "find",
                                            "Interface", "type=vxlan");
    g_auto(GStrv) there = g_strsplit(text, "\n\n", -1);
    for (unsigned i = 0; there[i]; i++) {
        if (*g_strstrip(there[i]) && !g_hash_table_remove(wanted, there[i])) {
            g_error("%s has an unexpected tunnel: %s", w->machines[machine].name, there[i]);
        }
    }
    g_assert_cmpuint(g_hash_table_size(wanted), ==, 0);
}

static void note_counters(struct world *w)
{
    for (unsigned i = 0; i < PNODES; i++) {
        vswitch_counters(w->machines[i].vswitch, &w->machines[i].transactions, &w->machines[i].rules);
    }
}

/* Checks what a change of a vnode on vnetwork 'number' has cost: on the pnodes 'one' and 'two' a transaction and some rules, on
 * others that have vifaces of the vnetwork a few rules, elsewhere nothing; and a handful of rows in the database. */
static void check_costs(struct world *w, unsigned number, unsigned one, unsigned two, const char *what)
{
    uint64_t most_own = 0, most_other = 0;
    unsigned others = 0;
    for (unsigned i = 0; i < PNODES; i++) {
        struct machine before = w->machines[i];
        vswitch_counters(before.vswitch, &w->machines[i].transactions, &w->machines[i].rules);
        uint64_t transactions = w->machines[i].transactions - before.transactions, rules = w->machines[i].rules - before.rules;
        bool own = i == one || i == two;
        g_assert_cmpuint(transactions, ==, own);
        if (own) {
            most_own = MAX(most_own, rules);
        } else if (first_on(w->places[number], i)) {
            g_assert_cmpuint(rules, >, 0);
            most_other = MAX(most_other, rules);
            others++;
        } else {
            g_assert_cmpuint(rules, ==, 0);
        }
    }
    g_autofree char *rows = db_last_change(w->sandbox);
    g_auto(GStrv) lines = g_strsplit(rows, "\n", -1);
    g_test_message("%s: %u database rows; at most %u rules on its own pnodes, %u on each of %u others", what, g_strv_length(lines),
                   (unsigned)most_own, (unsigned)most_other, others);
    g_assert_cmpuint(most_own, <=, 20);
    g_assert_cmpuint(most_other, <=, 4);
    g_assert_cmpuint(g_strv_length(lines), <=, 5);
}

/* A vnode comes to vnetwork 'number', moves and goes. */
static void change(struct world *w, unsigned number)
{
    unsigned one = place_at(w->places[number], 0)->machine, two = one;
    for (unsigned i = 0; two == one; i++) {
        two = place_at(w->places[number], i)->machine;
    }
    note_counters(w);
    struct vnode *vnode = platform_add_vnode(w->asked, "newcomer");
    vnode_add_viface(vnode, "if0", platform_vnetwork(w->asked, number));
    set_pnode(vnode, one);
    make_it_so(w);
    check_costs(w, number, one, one, "one more vnode");
    check_vnetwork(w, number);
    set_pnode(vnode, two);
    make_it_so(w);
    check_costs(w, number, one, two, "a vnode moves");
    check_vnetwork(w, number);
    g_ptr_array_remove_index(w->asked->vnodes, w->asked->vnodes->len - 1);
    make_it_so(w);
    check_costs(w, number, two, two, "a vnode less");
    check_vnetwork(w, number);
}

static void test_fifty(void)
{
    if (!sandbox_is_possible()) {
        return;
    }
    struct world *w = g_new0(struct world, 1);
    g_autoptr(GTimer) timer = g_timer_new();
    world_init(w);
    g_test_message("%d switches after %.1f s", PNODES, g_timer_elapsed(timer, NULL));
    make_it_so(w);
    g_test_message("%u vnodes after %.1f s", w->planned->vnodes->len, g_timer_elapsed(timer, NULL));
    for (unsigned i = 0; i < PNODES; i++) {
        check_tunnels(w, i);
    }
    for (unsigned i = 0; i < VNETWORKS; i++) {
        check_vnetwork(w, i);
    }
    g_test_message("%u packets traced after %.1f s", w->traces, g_timer_elapsed(timer, NULL));
    change(w, 1);
    change(w, 2);
    g_test_message("all done after %.1f s", g_timer_elapsed(timer, NULL));
    world_clear(w);
    g_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fifty", test_fifty);
    return g_test_run();
}
