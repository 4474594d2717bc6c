/* SPDX-License-Identifier: Apache-2.0 */
/* The coordinator over a database and a clock of the test's own: pnodes that are lost, join, and leave. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "distem/pnode-server.h"
#include "fake-db.h"
#include "fake-poll.h"
#include "rest-client.h"
#include "src/coordinator/internal.h"

#define TIMEOUT_US (30 * (int64_t)G_USEC_PER_SEC)

struct world {
    struct db *db;
    struct coordinator *c;
    unsigned status; /* Of the last answer. */
};

static struct pnode *add_pnode(struct db *db, const char *name, const char *address)
{
    struct pnode *pnode = pnode_new(name);
    pnode->cores = 4;
    pnode->memory = (uint64_t)8 << 30;
    pnode->mtu = 1500;
    g_assert_true(ip_addr_parse(address, &pnode->ipv4, NULL));
    g_ptr_array_add(db->pnodes, pnode);
    return pnode;
}

static void world_open(struct world *w, const char *listen)
{
    static char *relay;
    const char *build = g_getenv("top_builddir");
    relay = relay ? relay : g_build_filename(build ? build : ".", "distem-relay", NULL);
    const struct coordinator_config config = {.address = listen, .relay_path = relay, .pnode = "a"};
    g_autoptr(GError) error = NULL;
    w->db = fake_db_new();
    w->c = coordinator_new(&config, w->db, &error);
    g_assert_no_error(error);
    add_pnode(w->db, "a", "192.0.2.1");
}

static void world_close(struct world *w)
{
    coordinator_free(w->c);
    db_close(w->db);
}

/* Sends a request and returns the answer's body, which the caller owns. */
static json_t *ask(struct world *w, const char *request, const char *body)
{
    g_autofree char *text =
        g_strdup_printf("%s HTTP/1.1\nHost: localhost\nConnection: close\nContent-Length: %zu\n\n%s", request, strlen(body), body);
    g_autofree char *answer = rest_exchange(w->c->server, text);
    g_assert_true(g_str_has_prefix(answer, "HTTP/1.1 "));
    w->status = (unsigned)atoi(answer + strlen("HTTP/1.1 "));
    json_t *value = json_loads(strstr(answer, "\r\n\r\n") + 4, 0, NULL);
    g_assert_nonnull(value);
    return value;
}

/* Asks and checks status, and the text at 'path' ("/error/message") in the answer's JSON text. */
static void check(struct world *w, const char *request, const char *body, unsigned status, const char *contains)
{
    json_t *answer = ask(w, request, body);
    g_autofree char *text = json_dumps(answer, JSON_SORT_KEYS);
    g_test_message("%u %s", w->status, text);
    g_assert_cmpuint(w->status, ==, status);
    if (!strstr(text, contains)) {
        g_error("%s: expected %s in %s", request, contains, text);
    }
    json_decref(answer);
}

/* Brings up 'count' vnodes on one vnetwork; those from the third on ask for pnode 'pinned' (NULL: none). */
static void bring_up(struct world *w, unsigned count, const char *pinned)
{
    json_t *vnodes = json_object();
    for (unsigned i = 0; i < count; i++) {
        g_autofree char *name = g_strdup_printf("n%u", i + 1);
        json_t *vnode = json_pack("{s{s{ss}}}", "vifaces", "if0", "vnetwork", "net1");
        if (pinned && i >= 2) {
            json_object_set_new(vnode, "pnode", json_string(pinned));
        }
        json_object_set_new(vnodes, name, vnode);
    }
    json_t *topology =
        json_pack("{si, ss, s{s{ss}}, so}", "distem", 2, "name", "p", "vnetworks", "net1", "ipv4", "10.1.0.0/24", "vnodes", vnodes);
    g_autofree char *text = json_dumps(topology, 0);
    json_decref(topology);
    check(w, "PUT /platform", text, 200, "\"generation\": ");
    for (unsigned i = 0; i < count; i++) {
        platform_vnode(w->db->platform, i)->state = VNODE_STATE_RUNNING;
    }
}

/* All pnodes have done all. */
static void realise(struct world *w)
{
    for (unsigned i = 0; i < w->db->pnodes->len; i++) {
        ((struct pnode *)w->db->pnodes->pdata[i])->generation = w->db->generation;
    }
}

/* Lets 'seconds' pass, in which those pnodes whose names are in 'alive' are heard of. */
static void pass(struct world *w, unsigned seconds, const char *alive)
{
    for (unsigned s = 0; s < seconds; s++) {
        for (const char *name = alive; *name; name++) {
            char text[] = {*name, '\0'};
            fake_db_pnode(w->db, text)->heartbeat++;
        }
        fake_poll_advance(1001);
        coordinator_run(w->c);
    }
}

static unsigned vnodes_on(const struct world *w, const char *pnode)
{
    unsigned count = 0;
    for (unsigned i = 0; w->db->platform && i < w->db->platform->vnodes->len; i++) {
        count += !g_strcmp0(platform_vnode(w->db->platform, i)->pnode, pnode);
    }
    return count;
}

static void test_lost(void)
{
    struct world w;
    world_open(&w, "127.0.0.1");
    add_pnode(w.db, "b", "192.0.2.2");
    bring_up(&w, 4, "b");
    realise(&w);
    g_assert_cmpuint(vnodes_on(&w, "b"), ==, 2);
    pass(&w, 1, "ab");
    check(&w, "GET /platform", "", 200, "\"state\": \"ready\"");
    /* One that has not realised the last change is waited for ... */
    fake_db_pnode(w.db, "b")->generation--;
    pass(&w, 19, "a");
    check(&w, "GET /platform/progress", "", 200, "\"realised\": 0");
    check(&w, "GET /platform/progress", "", 200, "\"lost\": [], ");
    /* ... until it is lost. */
    pass(&w, 2, "a");
    check(&w, "GET /platform/progress", "", 200, "\"realised\": 1");
    check(&w, "GET /platform/progress", "", 200, "\"lost\": [{\"pnode\": \"b\", \"vnodes\": 2}]");
    check(&w, "GET /platform/progress", "", 200, "\"lost\": 2, \"running\": 2");
    check(&w, "GET /platform", "", 200, "\"state\": \"degraded\", \"traces\"");
    check(&w, "GET /vnodes/n4", "", 200, "\"state\": \"lost\"");
    check(&w, "GET /vnodes/n1", "", 200, "\"state\": \"running\"");
    check(&w, "POST /vnodes/n4/exec", "{\"argv\": [\"true\"]}", 503, "its pnode b is lost");
    check(&w, "DELETE /pnodes/b", "", 409, "remove it with force");
    /* It is back as soon as it is heard of. */
    pass(&w, 1, "ab");
    check(&w, "GET /vnodes/n4", "", 200, "\"state\": \"running\"");
    check(&w, "GET /platform/progress", "", 200, "\"realised\": 0");
    /* All lost is no success. */
    pass(&w, 21, "");
    check(&w, "GET /platform/progress", "", 200, "\"realised\": 0");
    world_close(&w);
}

static void test_deaf(void)
{
    struct world w;
    world_open(&w, "127.0.0.1");
    pass(&w, 2, "a");
    w.db->disconnected = true;
    pass(&w, 30, "");
    w.db->disconnected = false;
    check(&w, "GET /pnodes", "", 200, "\"state\": \"ready\"");
    pass(&w, 10, "");
    check(&w, "GET /pnodes", "", 200, "\"state\": \"ready\"");
    /* The daemon was stopped for a while. */
    fake_poll_advance(60000);
    coordinator_run(w.c);
    check(&w, "GET /pnodes", "", 200, "\"state\": \"ready\"");
    pass(&w, 21, "");
    check(&w, "GET /pnodes", "", 200, "\"state\": \"lost\"");
    world_close(&w);
}

static void test_remove(void)
{
    struct world w;
    world_open(&w, "127.0.0.1");
    add_pnode(w.db, "b", "192.0.2.2");
    bring_up(&w, 4, NULL);
    realise(&w);
    g_assert_cmpuint(vnodes_on(&w, "b"), ==, 2);
    check(&w, "DELETE /pnodes/x", "", 404, "no pnode \\\"x\\\"");
    check(&w, "DELETE /pnodes/a", "", 409, "own machine");
    /* What cannot be stored leaves it as it was. */
    w.db->refuses = true;
    check(&w, "DELETE /pnodes/b", "", 409, "meanwhile");
    g_assert_false(fake_db_pnode(w.db, "b")->draining);
    w.db->refuses = false;
    check(&w, "DELETE /pnodes/b", "", 202, "\"generation\": 2");
    g_assert_cmpuint(vnodes_on(&w, "b"), ==, 0);
    pass(&w, 2, "ab");
    check(&w, "GET /pnodes", "", 200, "\"state\": \"draining\"");
    /* It stays until the others carry its vnodes, and it has none. */
    fake_db_pnode(w.db, "b")->leaving = 2;
    realise(&w);
    pass(&w, 2, "ab");
    g_assert_nonnull(fake_db_pnode(w.db, "b"));
    fake_db_pnode(w.db, "b")->leaving = 0;
    pass(&w, 2, "a");
    g_assert_null(fake_db_pnode(w.db, "b"));
    world_close(&w);
}

static void test_remove_refused(void)
{
    struct world w;
    world_open(&w, "127.0.0.1");
    add_pnode(w.db, "b", "192.0.2.2");
    bring_up(&w, 4, "b");
    check(&w, "DELETE /pnodes/b", "", 409, "cannot go elsewhere");
    check(&w, "DELETE /pnodes/b?force=yes", "", 409, "cannot go elsewhere");
    g_assert_false(fake_db_pnode(w.db, "b")->draining);
    g_assert_cmpuint(w.db->generation, ==, 1);
    world_close(&w);
}

static void test_force(void)
{
    struct world w;
    world_open(&w, "127.0.0.1");
    add_pnode(w.db, "b", "192.0.2.2");
    bring_up(&w, 4, NULL);
    check(&w, "DELETE /pnodes/b?force=yes", "", 200, "\"generation\": 2");
    g_assert_null(fake_db_pnode(w.db, "b"));
    g_assert_cmpuint(vnodes_on(&w, "a"), ==, 4);
    world_close(&w);
}

static void test_replan(void)
{
    struct world w;
    world_open(&w, "127.0.0.1");
    check(&w, "POST /platform/replan", "", 404, "no platform");
    add_pnode(w.db, "b", "192.0.2.2");
    bring_up(&w, 4, NULL);
    pass(&w, 1, "ab");
    pass(&w, 21, "a");
    check(&w, "POST /platform/replan", "", 200, "\"generation\": 1");
    g_assert_cmpuint(vnodes_on(&w, "b"), ==, 2);
    check(&w, "POST /platform/replan?move_lost=yes", "", 200, "\"generation\": 2");
    g_assert_cmpuint(vnodes_on(&w, "a"), ==, 4);
    world_close(&w);
}

/* What a pnode's kernel cannot do is refused with what it lacks, before anything is stored, and only where it is asked for. */
static void test_features(void)
{
    static const char topology[] =
        "{\"distem\": 2, \"name\": \"p\", \"vnetworks\": {\"net1\": {\"ipv4\": \"10.1.0.0/24\"}},"
        " \"matrix\": {\"latency\": [\"to, n1, n2\", \"n1, 0, 5ms\"]},"
        " \"traces\": {\"lte.csv\": [\"0 1Mbit/s\", \"1s 0\", \"2s 3Mbit/s\"], \"dsl.csv\": [\"0 1Mbit/s\", \"1s 2Mbit/s\"]},"
        " \"vnodes\": {\"n[1-2]\": {\"vifaces\": {\"if0\": {\"vnetwork\": \"net1\","
        " \"input\": {\"bandwidth\": {\"trace\": \"dsl.csv\"}, \"loss\": \"1%\", \"seed\": 7},"
        " \"output\": {\"bandwidth\": {\"trace\": \"lte.csv\"}}}}}}}";
    struct world w;
    world_open(&w, "127.0.0.1");
    struct pnode *pnode = fake_db_pnode(w.db, "a");
    pnode->seeds = true;
    const struct {
        char **lacks;
        const char *what, *sentence;
    } refusals[] = {
        {&pnode->missing, "netem: kernel module sch_netem",
         "pnode a cannot shape what vnode n1 asks for: its kernel lacks netem: "},
        {&pnode->no_matrix, "fq: kernel module sch_fq", "pnode a cannot have vnode n1 in a latency matrix: its kernel lacks fq: "},
        {&pnode->no_blackouts, "plug: kernel module sch_plug",
         "pnode a cannot play the trace lte.csv for n1:if0, of which the bandwidth is 0 at times: its kernel lacks plug: "},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(refusals); i++) {
        *refusals[i].lacks = g_strdup(refusals[i].what);
        check(&w, "PUT /platform", topology, 501, refusals[i].sentence);
        check(&w, "PUT /platform", topology, 501, refusals[i].what);
        g_clear_pointer(refusals[i].lacks, g_free);
    }
    pnode->seeds = false;
    check(&w, "PUT /platform", topology, 501, "pnode a cannot give vnode n1 a seed: its kernel, which is not known, has a netem");
    pnode->kernel = g_strdup("6.1.0-37-amd64");
    check(&w, "PUT /platform", topology, 501, "its kernel, 6.1.0-37-amd64, has a netem that takes none (Linux 6.6 and later do)");
    g_assert_null(w.db->platform);
    for (unsigned i = 0; i < G_N_ELEMENTS(refusals); i++) {
        *refusals[i].lacks = g_strdup(refusals[i].what);
    }
    bring_up(&w, 2, NULL);
    check(&w, "PATCH /vnodes/n2/vifaces/if0", "{\"output\": {\"loss\": \"1%\"}}", 501, "cannot shape what vnode n2 asks for");
    g_clear_pointer(&pnode->missing, g_free);
    check(&w, "PATCH /vnodes/n2/vifaces/if0", "{\"output\": {\"loss\": \"1%\"}}", 200, "\"generation\": 2");
    world_close(&w);
}

/* The values of a matrix change by themselves. */
static void test_matrix(void)
{
    static const char topology[] =
        "{\"distem\": 2, \"name\": \"p\", \"vnetworks\": {\"net1\": {\"ipv4\": \"10.1.0.0/24\"}},"
        " \"matrix\": {\"latency\": [\"to, n1, n2\", \"n1, 0, 5ms\"]},"
        " \"vnodes\": {\"n[1-2]\": {\"vifaces\": {\"if0\": {\"vnetwork\": \"net1\", \"output\": {\"latency\": \"1ms\"}}}}}}";
    static const char change[] = "{\"changes\": [{\"from\": \"n1\", \"to\": \"n2\", \"latency\": \"7ms\"}]}";
    struct world w;
    world_open(&w, "127.0.0.1");
    check(&w, "PATCH /platform/matrix", change, 404, "there is no platform");
    bring_up(&w, 2, NULL);
    check(&w, "PATCH /platform/matrix", change, 404, "has no latency matrix");
    check(&w, "GET /platform/matrix", "", 404, "has no latency matrix");
    check(&w, "PUT /platform", topology, 200, "\"generation\": 2");
    check(&w, "PATCH /platform/matrix", change, 200, "1 value");
    g_assert_cmpint(matrix_between(w.db->platform->matrix, 1, 2)->latency, ==, 7000000);
    check(&w, "GET /platform/matrix?from=n1&to=n2", "", 200, "\"latency\": [\"to, n2\", \"n1, 7ms\"]");
    check(&w, "GET /platform/matrix", "", 200, "\"to, n1, n2\"");
    check(&w, "GET /platform/matrix?from=n3", "", 404, "no group \\\"n3\\\"");
    check(&w, "PATCH /platform/matrix", "{\"changes\": []}", 400, "at least one change");
    check(&w, "PATCH /platform/matrix", "{\"changes\": [{\"from\": \"n1\", \"to\": \"n3\", \"loss\": \"1%\"}]}", 400, "no group");
    platform_vnetwork(w.db->platform, 0)->mtu = 9000;
    check(&w, "PATCH /platform/matrix", "{\"changes\": [{\"from\": \"n1\", \"to\": \"n2\", \"bandwidth\": \"1kbit/s\"}]}", 400,
          "from n1 to n2: bandwidth 1kbit/s: a frame of 9038 bytes would take more than 60s");
    g_assert_cmpuint(w.db->generation, ==, 3);
    world_close(&w);
}

/* Traces are switched while they play: those that the platform has, and those that come with the change. */
static void test_traces(void)
{
    static const char topology[] =
        "{\"distem\": 2, \"name\": \"p\", \"vnetworks\": {\"net1\": {\"ipv4\": \"10.1.0.0/24\"}},"
        " \"traces\": {\"a.csv\": [\"0 1Mbit/s\", \"1s 2Mbit/s\", \"2s end\"], \"b.csv\": [\"0 3Mbit/s\", \"1s 0\"]},"
        " \"vnodes\": {\"n[1-2]\": {\"vifaces\": {\"if0\": {\"vnetwork\": \"net1\"}}}}}";
    static const char more[] = "{\"traces\": {\"%s\": [\"0 5ms\"]}, \"changes\": [{\"vifaces\": [\"n*\"], \"input\": {\"latency\": "
                               "{\"trace\": \"%s\"}}}]}";
#define BANDWIDTH(value) "{\"output\": {\"bandwidth\": " value "}}"
    static const struct {
        const char *body;
        unsigned status;
        const char *contains;
    } cases[] = {
        {BANDWIDTH("{\"trace\": \"a.csv\", \"loop\": true}"), 200, "output.bandwidth 0 -> {\\\"trace\\\": \\\"a.csv\\\", "},
        {BANDWIDTH("{\"trace\": \"b.csv\"}"), 200, "\"generation\": 3"},
        {BANDWIDTH("{\"trace\": \"b.csv\", \"loop\": true}"), 400, "loop needs a trace that ends"},
        {BANDWIDTH("{\"trace\": \"c.csv\"}"), 400, "there is no trace \\\"c.csv\\\": the platform has a.csv, b.csv\""},
        {"{\"output\": {\"latency\": {\"trace\": \"a.csv\"}}}", 400, "a.csv:1: \\\"1Mbit/s\\\""},
        {"{\"output\": {\"aqm\": \"pie\"}}", 400, "aqm"},
        {BANDWIDTH("{\"trace\": \"a.csv\"}, \"aqm\": \"pie\""), 200, "\"generation\": 4"},
    };
#undef BANDWIDTH
    struct world w;
    world_open(&w, "127.0.0.1");
    bring_up(&w, 1, NULL);
    check(&w, "PATCH /vnodes/n1/vifaces/if0", cases[1].body, 400, "there is no trace \\\"b.csv\\\": the platform has none");
    check(&w, "DELETE /platform", "", 200, "\"generation\": 2");
    w.db->generation = 0;
    check(&w, "PUT /platform", topology, 200, "\"generation\": 1");
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        check(&w, "PATCH /vnodes/n1/vifaces/if0", cases[i].body, cases[i].status, cases[i].contains);
    }
    const struct impairment *output = &vnode_viface(platform_vnode(w.db->platform, 0), 0)->output;
    g_assert_cmpuint(output->bandwidth_trace, ==, 1);
    g_assert_cmpuint(output->bandwidth, ==, 2000000);
    g_autofree char *fresh = g_strdup_printf(more, "d.csv", "d.csv"), *other = g_strdup_printf(more, "a.csv", "a.csv");
    check(&w, "PATCH /vifaces", other, 400, "a trace of this name with other lines: expected those, or another name");
    check(&w, "PUT /vifaces", fresh, 200, "\"generation\": 5");
    check(&w, "PATCH /vifaces", fresh, 200, "\"generation\": 5");
    g_assert_cmpuint(w.db->platform->playbacks->len, ==, 3);
    for (unsigned i = 0; i < 2; i++) {
        const struct viface *viface = vnode_viface(platform_vnode(w.db->platform, i), 0);
        g_assert_cmpuint(viface->input.latency_trace, ==, 3);
        g_assert_true(impairment_is_zero(&viface->output));
    }
    check(&w, "PATCH /platform/matrix", fresh, 400, "the body is");
    world_close(&w);
}

static bool take_join(void *aux, const struct pnode_join *join, GError **error)
{
    (void)error;
    struct world *w = aux;
    g_assert_cmpstr(join->database, ==, "tcp:127.0.0.1:4569");
    g_assert_cmpstr(g_hash_table_lookup(join->labels, "rack"), ==, "a");
    add_pnode(w->db, "c", "192.0.2.3");
    return true;
}

static void test_join(void)
{
    struct world w;
    world_open(&w, "127.0.0.1");
    check(&w, "POST /pnodes", "{\"address\": \"x y\"}", 400, "expected a machine's name or address");
    check(&w, "POST /pnodes", "{\"address\": \"127.0.0.1:0\"}", 400, "expected a machine's name or address");
    check(&w, "POST /pnodes", "{\"adress\": \"x\"}", 400, "expected {");
    check(&w, "POST /pnodes", "{\"address\": \"127.0.0.1\"}", 409, "listens on 127.0.0.1");
    w.c->config.database = g_strdup("unix:/run/db.sock");
    check(&w, "POST /pnodes", "{\"address\": \"127.0.0.1\"}", 409, "cannot reach the database");
    g_free((char *)w.c->config.database);
    w.c->config.database = g_strdup("tcp:127.0.0.1:4569");

    const struct pnode_server_config config = {.address = "127.0.0.1", .name = "c"};
    const struct pnode_server_calls calls = {.join = take_join};
    g_autoptr(GError) error = NULL;
    struct pnode_server *server = pnode_server_new(&config, &calls, &w, &error);
    g_assert_no_error(error);
    g_autofree char *body =
        g_strdup_printf("{\"address\": \"127.0.0.1:%u\", \"labels\": {\"rack\": \"a\"}}", pnode_server_port(server));
    g_autofree char *request = g_strdup_printf("POST /pnodes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                                               "Content-Length: %zu\r\n\r\n%s",
                                               strlen(body), body);
    struct rest_client *client = rest_client_new(w.c->server);
    rest_client_send(client, request, strlen(request));
    for (int64_t end = g_get_monotonic_time() + TIMEOUT_US; !client->ended;) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        pnode_server_run(server);
        coordinator_run(w.c);
        pnode_server_wait(server);
        coordinator_wait(w.c);
        rest_client_turn(client);
    }
    g_assert_true(g_str_has_prefix(client->received->str, "HTTP/1.1 201 "));
    g_assert_nonnull(strstr(client->received->str, "{\"name\":\"c\"}"));
    g_assert_cmpuint(w.c->joins->len, ==, 0);
    rest_client_free(client);
    pnode_server_free(server);
    world_close(&w);
}

/* A request may name many vifaces, some of them again and again, but not without end. */
static void test_many_patterns(void)
{
    struct world w;
    world_open(&w, "127.0.0.1");
    bring_up(&w, 2, NULL);
    g_autoptr(GString) body = g_string_new("{\"changes\": [{\"output\": {\"latency\": \"1ms\"}, \"vifaces\": [\"n1\"");
    for (unsigned i = 0; i < 50000; i++) {
        g_string_append(body, ", \"*\"");
    }
    g_string_append(body, "]}");
    g_autofree char *once = g_strdup_printf("%s]}", body->str);
    g_autofree char *twice = g_strdup_printf("%s, %s]}", body->str, body->str + strlen("{\"changes\": ["));
    check(&w, "PATCH /vifaces", once, 200, "\"generation\": 2");
    check(&w, "PATCH /vifaces", twice, 400, "/changes/1: up to here, more than 100000 vifaces and patterns are named");
    check(&w, "PUT /vifaces", twice, 400, "expected fewer in one request");
    world_close(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pnodes/lost", test_lost);
    g_test_add_func("/pnodes/deaf", test_deaf);
    g_test_add_func("/pnodes/remove", test_remove);
    g_test_add_func("/pnodes/remove-refused", test_remove_refused);
    g_test_add_func("/pnodes/force", test_force);
    g_test_add_func("/pnodes/replan", test_replan);
    g_test_add_func("/pnodes/features", test_features);
    g_test_add_func("/pnodes/matrix", test_matrix);
    g_test_add_func("/pnodes/traces", test_traces);
    g_test_add_func("/pnodes/many-patterns", test_many_patterns);
    g_test_add_func("/pnodes/join", test_join);
    return g_test_run();
}
