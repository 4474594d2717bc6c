/* SPDX-License-Identifier: Apache-2.0 */
/* Traces: asks the switches on a packet's way what they would do with it. */
#include <config.h>

#include <string.h>

#include "distem/log.h"
#include "peers.h"
#include "trace-plan.h"
#include "trace-text.h"

/* A trace under way. */
struct trace {
    struct rest_request *request;
    struct platform *platform; /* What 'legs' borrow from. */
    GPtrArray *legs;
    json_t *answer;
    unsigned waiting; /* Answers that have not come, and one while questions are still being asked. */
};

/* A question to a switch. */
struct inquiry {
    struct trace *trace;
    json_t *station; /* Borrowed from the trace's answer. */
};

static void finish_one(struct trace *trace)
{
    if (--trace->waiting == 0) {
        rest_reply(trace->request, 200, trace->answer);
        g_ptr_array_unref(trace->legs);
        platform_free(trace->platform);
        g_free(trace);
    }
}

/* Writes what a switch said, or why it did not, into the answer. */
static void note_answer(json_t *station, const char *text, const GError *error)
{
    if (!text) {
        json_object_set_new(station, "error", json_string(error ? error->message : "the answer cannot be read"));
        return;
    }
    g_autofree char *result = trace_text_result(text);
    json_object_set_new(station, "steps", trace_text_steps(text));
    json_object_set_new(station, "result", result ? json_string(result) : json_null());
}

static void answered(void *aux, json_t *answer, const GError *error)
{
    struct inquiry *inquiry = aux;
    note_answer(inquiry->station, json_string_value(json_object_get(answer, "text")), error);
    finish_one(inquiry->trace);
    g_free(inquiry);
}

/* Asks the switch of 'station' on its own machine. */
static void ask(struct coordinator *c, struct trace *trace, const struct pnode *pnode, uint32_t vnetwork_id,
                const struct trace_station *station, json_t *object)
{
    g_autoptr(GError) error = NULL;
    if (pnode_is_own(c, station->pnode) && c->config.trace) {
        g_autofree char *text = c->config.trace(c->config.trace_aux, vnetwork_id, station->flow, &error);
        note_answer(object, text, error);
    } else if (!pnode || pnode->lost || !pnode->address) {
        fail(&error, DISTEM_ERROR_UNAVAILABLE, 0, "pnode %s cannot be reached", station->pnode);
        note_answer(object, NULL, error);
    } else {
        struct inquiry *inquiry = g_new0(struct inquiry, 1);
        inquiry->trace = trace;
        inquiry->station = object;
        trace->waiting++;
        peer_ask(c, pnode->address, "POST", "/trace",
                 json_pack("{s:I, s:s}", "vnetwork", (json_int_t)vnetwork_id, "flow", station->flow), answered, inquiry);
    }
}

static json_t *json_end(const struct hop *hop)
{
    return hop->viface ? json_sprintf("%s:%s", hop->vnode->name, hop->viface->name) : json_null();
}

static json_t *json_leg(const struct trace_leg *leg)
{
    const struct vnetwork *vnetwork = leg->vnetwork;
    bool vxlan = vnetwork->transport == TRANSPORT_VXLAN, vlan = vnetwork->transport == TRANSPORT_VLAN;
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "vnetwork", vnetwork->name, "transport",
                     transport_name(vnetwork->transport), "vni", vxlan ? json_integer(vnetwork->vni) : json_null(), "vlan",
                     vlan ? json_integer(vnetwork->vlan) : json_null(), "from", json_end(&leg->from), "to", json_end(&leg->to),
                     "stations", json_array());
}

static void ask_all(struct coordinator *c, struct trace *trace, const GPtrArray *pnodes)
{
    json_t *legs = json_array();
    trace->answer = json_pack("{s:o}", "legs", legs);
    trace->waiting = 1;
    for (unsigned i = 0; i < trace->legs->len; i++) {
        const struct trace_leg *leg = trace->legs->pdata[i];
        json_t *object = json_leg(leg);
        json_array_append_new(legs, object);
        for (unsigned k = 0; k < leg->stations->len; k++) {
            const struct trace_station *station = leg->stations->pdata[k];
            json_t *shown = json_pack("{s:s, s:s, s:s}", "pnode", station->pnode, "port", station->port, "flow", station->flow);
            json_array_append_new(json_object_get(object, "stations"), shown);
            ask(c, trace, find_pnode(pnodes, station->pnode), leg->vnetwork->id, station, shown);
        }
    }
    finish_one(trace);
}

void trace_start(struct rest_request *request, void *context)
{
    struct coordinator *c = context;
    AUTO_PLATFORM platform = require_platform(c, request);
    json_t *body = platform ? rest_request_json(request) : NULL;
    if (!body) {
        return;
    }
    const char *from = json_string_value(json_object_get(body, "from")), *to = json_string_value(json_object_get(body, "to"));
    GError *error = NULL;
    g_autoptr(GPtrArray) pnodes = coordinator_pnodes(c);
    GPtrArray *legs = NULL;
    if (!from || !to) {
        fail(&error, DISTEM_ERROR_INVALID, 0,
             "a trace takes \"from\" (\"n1\" or \"n1:if0\") and \"to\" (a vnode, an address, or \"broadcast\")");
    } else {
        legs = trace_plan(platform, pnodes, from, to, &error);
    }
    json_decref(body);
    if (!legs) {
        rest_reply_error(request, error, NULL);
        return;
    }
    struct trace *trace = g_new0(struct trace, 1);
    trace->request = request;
    trace->legs = legs;
    trace->platform = g_steal_pointer(&platform);
    ask_all(c, trace, pnodes);
}
