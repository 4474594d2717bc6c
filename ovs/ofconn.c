/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "ofconn.h"

#include <glib.h>

#include "byte-order.h"
#include "openvswitch/ofp-bundle.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-monitor.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/rconn.h"
#include "timeval.h"
#include "util.h"

/* Marks our rules: "distem", padded. */
#define COOKIE htonll(UINT64_C(0x64697374656d0001))
#define OF_PROTOCOL OFPUTIL_P_OF14_OXM
#define OF_VERSION OFP14_VERSION
#define BUNDLE_ID 1
/* After a refusal, and between two looks at rules that others keep changing. */
#define PAUSE_MS 1000
/* A bridge that was just made may take this long to open its socket before it is called a failure. */
#define PATIENCE_MS 3000

enum state {
    STATE_DISCONNECTED,
    STATE_UNKNOWN,    /* Connected; what the bridge has must be asked for. */
    STATE_LISTING,    /* Asked. */
    STATE_KNOWN,      /* 'installed' is what it has. */
    STATE_FILLING,    /* A bundle was sent, waiting for its barrier. */
    STATE_COMMITTING, /* Asked to commit it. */
};

struct ofconn {
    char *path;
    struct rconn *rconn;
    unsigned rconn_seqno; /* Tells a new connection. */
    enum state state;
    struct rule_set *wanted;
    struct rule_set *installed; /* What the bridge has, or (listing) what was listed so far; else NULL. */
    struct rule_set *bundled;   /* What it will have after the bundle. */
    unsigned n_bundled;         /* Rules in the bundle. */
    bool stale;                 /* Somebody else changed rules. */
    bool refused;               /* The bundle had an error. */
    int64_t not_before;         /* ms: no listing before this time. */
    int64_t disconnected_since; /* ms. */
    char *error;
    uint64_t *counter;
};

struct ofconn *ofconn_new(const char *path, uint64_t *counter)
{
    struct ofconn *conn = g_new0(struct ofconn, 1);
    conn->path = g_strdup(path);
    conn->counter = counter;
    conn->disconnected_since = time_msec();
    conn->rconn = rconn_create(0, 1, 0, 1u << OF_VERSION);
    g_autofree char *target = g_strdup_printf("unix:%s", path);
    rconn_connect(conn->rconn, target, path);
    conn->rconn_seqno = rconn_get_connection_seqno(conn->rconn);
    return conn;
}

void ofconn_free(struct ofconn *conn)
{
    if (conn) {
        rconn_destroy(conn->rconn);
        rule_set_unref(conn->wanted);
        rule_set_unref(conn->installed);
        rule_set_unref(conn->bundled);
        g_free(conn->error);
        g_free(conn->path);
        g_free(conn);
    }
}

void ofconn_want(struct ofconn *conn, struct rule_set *wanted)
{
    struct rule_set *old = conn->wanted;
    conn->wanted = rule_set_ref(wanted);
    rule_set_unref(old);
}

static void set_installed(struct ofconn *conn, struct rule_set *set)
{
    rule_set_unref(conn->installed);
    conn->installed = set;
}

static void send_message(struct ofconn *conn, struct ofpbuf *message)
{
    rconn_send(conn->rconn, message, NULL); /* A failure ends the connection, which starts everything anew. */
}

/* Asks to be told of every change that another connection makes. */
static void send_monitor(struct ofconn *conn)
{
    struct ofputil_flow_monitor_request request = {
        .id = 1,
        .command = OFPFMC_ADD,
        .flags = OFPFMF_ADD | OFPFMF_REMOVED | OFPFMF_MODIFY,
        .out_port = OFPP_NONE,
        .out_group = OFPG_ANY,
        .table_id = OFPTT_ALL,
        .match = MATCH_CATCHALL_INITIALIZER,
    };
    struct ofpbuf *message = ofpbuf_new(64);
    ofputil_append_flow_monitor_request(&request, message, OF_PROTOCOL);
    ofpmsg_update_length(message);
    send_message(conn, message);
}

static void send_list_request(struct ofconn *conn)
{
    struct ofputil_flow_stats_request request = {
        .match = MATCH_CATCHALL_INITIALIZER,
        .cookie = COOKIE,
        .cookie_mask = OVS_BE64_MAX,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .table_id = OFPTT_ALL,
    };
    send_message(conn, ofputil_encode_flow_stats_request(&request, OF_PROTOCOL));
    set_installed(conn, rule_set_new());
    conn->stale = false;
    conn->state = STATE_LISTING;
}

/* Begins anew with a look at what the bridge has, after a pause. */
static void start_over(struct ofconn *conn)
{
    set_installed(conn, NULL);
    rule_set_unref(conn->bundled);
    conn->bundled = NULL;
    conn->not_before = time_msec() + PAUSE_MS;
    conn->state = STATE_UNKNOWN;
}

static void send_bundle_control(struct ofconn *conn, uint16_t type)
{
    struct ofputil_bundle_ctrl_msg control = {.bundle_id = BUNDLE_ID, .type = type, .flags = OFPBF_ATOMIC};
    send_message(conn, ofputil_encode_bundle_ctrl_request(OF_VERSION, &control));
}

/* Puts the command for 'rule' into the bundle, which the first one opens. */
static void bundle_rule(struct ofconn *conn, const struct rule *rule, uint16_t command)
{
    if (!conn->n_bundled++) {
        send_bundle_control(conn, OFPBCT_OPEN_REQUEST);
    }
    struct ofputil_flow_mod mod = {
        .match = rule->match,
        .priority = rule->priority,
        .table_id = rule->table,
        .command = command,
        .new_cookie = command == OFPFC_ADD ? COOKIE : OVS_BE64_MAX,
        .cookie = command == OFPFC_ADD ? 0 : COOKIE,
        .cookie_mask = command == OFPFC_ADD ? 0 : OVS_BE64_MAX,
        .buffer_id = UINT32_MAX,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .ofpacts = rule->ofpacts,
        .ofpacts_len = rule->ofpacts_len,
    };
    struct ofpbuf *message = ofputil_encode_flow_mod(&mod, OF_PROTOCOL);
    ofpmsg_update_length(message);
    struct ofputil_bundle_add_msg add = {.bundle_id = BUNDLE_ID, .flags = OFPBF_ATOMIC, .msg = message->data};
    send_message(conn, ofputil_encode_bundle_add(OF_VERSION, &add));
    ofpbuf_delete(message);
}

/* Sends the differences between what is installed and what is wanted, if there are any. */
static void send_differences(struct ofconn *conn)
{
    conn->n_bundled = 0;
    const struct rule *rule;
    HMAP_FOR_EACH (rule, node, &conn->installed->rules) {
        if (!rule_set_find(conn->wanted, rule)) {
            bundle_rule(conn, rule, OFPFC_DELETE_STRICT);
        }
    }
    HMAP_FOR_EACH (rule, node, &conn->wanted->rules) {
        const struct rule *old = rule_set_find(conn->installed, rule);
        if (!old || !rule_same_actions(old, rule)) {
            bundle_rule(conn, rule, OFPFC_ADD);
        }
    }
    if (!conn->n_bundled) {
        set_installed(conn, rule_set_ref(conn->wanted));
        g_clear_pointer(&conn->error, g_free);
        return;
    }
    /* A rule that is refused is left out of the bundle without stopping it: commit only when all were taken. */
    send_message(conn, ofputil_encode_barrier_request(OF_VERSION));
    conn->bundled = rule_set_ref(conn->wanted);
    conn->refused = false;
    conn->state = STATE_FILLING;
}

static void receive_list(struct ofconn *conn, struct ofpbuf *message)
{
    if (conn->state != STATE_LISTING) {
        return;
    }
    bool more = ofpmp_more(message->data);
    struct ofpbuf ofpacts;
    uint64_t stub[512];
    ofpbuf_use_stub(&ofpacts, stub, sizeof stub);
    struct ofputil_flow_stats stats;
    while (!ofputil_decode_flow_stats_reply(&stats, message, true, &ofpacts)) {
        rule_set_add(conn->installed, stats.table_id, stats.priority, &stats.match, stats.ofpacts, stats.ofpacts_len);
    }
    ofpbuf_uninit(&ofpacts);
    if (!more) {
        conn->state = STATE_KNOWN;
    }
}

/* Notes a change by somebody else; of our own there is only an abbreviated notice. */
static void receive_update(struct ofconn *conn, struct ofpbuf *message)
{
    struct ofpbuf ofpacts;
    uint64_t stub[512];
    ofpbuf_use_stub(&ofpacts, stub, sizeof stub);
    struct ofputil_flow_update update;
    while (!ofputil_decode_flow_update(&update, message, &ofpacts)) {
        conn->stale |= update.event != OFPFME_ABBREV;
    }
    ofpbuf_uninit(&ofpacts);
}

static void receive_error(struct ofconn *conn, const struct ofp_header *message)
{
    conn->refused = true;
    g_free(conn->error);
    conn->error = g_strdup_printf("the switch refuses OpenFlow rules on %s: %s", conn->path,
                                  ofperr_get_name(ofperr_decode_msg(message, NULL)));
    if (conn->state == STATE_COMMITTING || conn->state == STATE_LISTING) {
        start_over(conn);
    }
}

static void receive_barrier(struct ofconn *conn)
{
    if (conn->state != STATE_FILLING) {
        return;
    }
    if (conn->refused) {
        send_bundle_control(conn, OFPBCT_DISCARD_REQUEST);
        start_over(conn);
    } else {
        send_bundle_control(conn, OFPBCT_COMMIT_REQUEST);
        conn->state = STATE_COMMITTING;
    }
}

static void receive_bundle_control(struct ofconn *conn, const struct ofp_header *message)
{
    struct ofputil_bundle_ctrl_msg control;
    if (ofputil_decode_bundle_ctrl(message, &control) || control.type != OFPBCT_COMMIT_REPLY || conn->state != STATE_COMMITTING) {
        return;
    }
    set_installed(conn, g_steal_pointer(&conn->bundled));
    *conn->counter += conn->n_bundled;
    g_clear_pointer(&conn->error, g_free);
    conn->state = STATE_KNOWN;
}

static void receive(struct ofconn *conn, struct ofpbuf *message)
{
    const struct ofp_header *header = message->data;
    enum ofptype type;
    if (ofptype_decode(&type, header)) {
        return;
    }
    if (type == OFPTYPE_ECHO_REQUEST) {
        send_message(conn, ofputil_encode_echo_reply(header));
    } else if (type == OFPTYPE_FLOW_STATS_REPLY) {
        receive_list(conn, message);
    } else if (type == OFPTYPE_FLOW_MONITOR_STATS_REPLY) {
        receive_update(conn, message);
    } else if (type == OFPTYPE_BARRIER_REPLY) {
        receive_barrier(conn);
    } else if (type == OFPTYPE_BUNDLE_CONTROL) {
        receive_bundle_control(conn, header);
    } else if (type == OFPTYPE_ERROR) {
        receive_error(conn, header);
    }
}

/* Follows the connection's coming and going. */
static void check_connection(struct ofconn *conn)
{
    unsigned seqno = rconn_get_connection_seqno(conn->rconn);
    bool connected = rconn_is_connected(conn->rconn);
    if (connected && (seqno != conn->rconn_seqno || conn->state == STATE_DISCONNECTED)) {
        conn->rconn_seqno = seqno;
        start_over(conn);
        conn->not_before = 0;
        send_monitor(conn);
    } else if (!connected && conn->state != STATE_DISCONNECTED) {
        start_over(conn);
        conn->state = STATE_DISCONNECTED;
        conn->disconnected_since = time_msec();
    }
    if (!connected && !conn->error && time_msec() >= conn->disconnected_since + PATIENCE_MS) {
        conn->error = g_strdup_printf("the switch does not answer on %s (%s): see the log of ovs-vswitchd", conn->path,
                                      ovs_retval_to_string(rconn_get_last_error(conn->rconn)));
    }
}

/* Says whether the next step is to look at what the bridge has. */
static bool must_list(const struct ofconn *conn)
{
    return conn->state == STATE_UNKNOWN || (conn->state == STATE_KNOWN && conn->stale);
}

void ofconn_run(struct ofconn *conn)
{
    rconn_run(conn->rconn);
    check_connection(conn);
    for (struct ofpbuf *message; (message = rconn_recv(conn->rconn));) {
        receive(conn, message);
        ofpbuf_delete(message);
    }
    if (must_list(conn)) {
        if (time_msec() >= conn->not_before) {
            conn->not_before = time_msec() + PAUSE_MS;
            send_list_request(conn);
        }
    } else if (conn->state == STATE_KNOWN && conn->wanted && conn->installed != conn->wanted) {
        send_differences(conn);
    }
}

void ofconn_wait(struct ofconn *conn)
{
    rconn_run_wait(conn->rconn);
    rconn_recv_wait(conn->rconn);
    if (must_list(conn)) {
        poll_timer_wait_until(conn->not_before);
    } else if (conn->state == STATE_DISCONNECTED && !conn->error) {
        poll_timer_wait_until(conn->disconnected_since + PATIENCE_MS);
    } else if (conn->state == STATE_KNOWN && conn->wanted && conn->installed != conn->wanted) {
        poll_immediate_wake();
    }
}

bool ofconn_is_synced(const struct ofconn *conn)
{
    return conn->state == STATE_KNOWN && !conn->stale && conn->wanted && conn->installed == conn->wanted;
}

const char *ofconn_error(const struct ofconn *conn)
{
    return conn->error;
}
