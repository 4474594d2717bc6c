/* SPDX-License-Identifier: Apache-2.0 */
/* Taking machines in. */
#include <config.h>

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "distem/ip.h"
#include "distem/pnode-server.h"
#include "distem/poll.h"
#include "internal.h"
#include "peers.h"

/* A machine opens the database, registers, and shows up here. */
#define REGISTER_MS 20000
#define DATABASE_PORT_OFFSET 2

struct join {
    struct coordinator *c;
    struct rest_request *request;
    char *address;
    char *name;  /* NULL: it has not answered yet. */
    int64_t end; /* When to give up, by poll_now_ms(). */
};

static void join_free(void *pointer)
{
    struct join *join = pointer;
    g_free(join->address);
    g_free(join->name);
    g_free(join);
}

GPtrArray *joins_new(void)
{
    return g_ptr_array_new_with_free_func(join_free);
}

/* Returns "HOST:PORT" for "HOST[:PORT]", also for a bare IPv6 address; the caller frees. Sets '*ret_host'. */
static char *complete_address(const char *text, struct ip_addr *ret_ip, GError **error)
{
    *ret_ip = (struct ip_addr){0};
    if (ip_addr_parse(text, ret_ip, NULL)) {
        return g_strdup_printf(ret_ip->family == 6 ? "[%s]:%d" : "%s:%d", text, PNODE_SERVER_PORT);
    }
    const char *host_end = *text == '[' ? strchr(text, ']') : text + strcspn(text, ":");
    const char *port = !host_end ? NULL : *host_end == ']' ? host_end + 1 : host_end;
    guint64 number = PNODE_SERVER_PORT;
    bool usable = port && host_end != text &&
                  strspn(text, "[]:.-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(text) &&
                  (!*port || (*port == ':' && g_ascii_string_to_unsigned(port + 1, 10, 1, 65535, &number, NULL)));
    if (!usable) {
        fail(error, DISTEM_ERROR_INVALID, 0, "\"%s\": expected a machine's name or address, and its port where that is not %d",
             text, PNODE_SERVER_PORT);
        return NULL;
    }
    g_autofree char *host = g_strndup(text + (*text == '['), (size_t)(host_end - text) - (*text == '['));
    if (!ip_addr_parse(host, ret_ip, NULL)) {
        ret_ip->family = 0; /* A name. */
    }
    return g_strdup_printf("%.*s:%u", (int)(port - text), text, (unsigned)number);
}

/* Works out which of this machine's addresses is on the way to 'ip'. Sends nothing. */
static bool own_address(const struct ip_addr *ip, struct ip_addr *ret)
{
    struct sockaddr_storage there = {0};
    socklen_t size;
    if (ip->family == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)&there;
        *in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(PNODE_SERVER_PORT)};
        memcpy(&in->sin_addr, ip->bytes, 4);
        size = sizeof *in;
    } else {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&there;
        *in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(PNODE_SERVER_PORT)};
        memcpy(&in6->sin6_addr, ip->bytes, 16);
        size = sizeof *in6;
    }
    int fd = socket(there.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok =
        fd >= 0 && connect(fd, (struct sockaddr *)&there, size) == 0 && getsockname(fd, (struct sockaddr *)&there, &size) == 0;
    if (fd >= 0) {
        close(fd);
    }
    *ret = (struct ip_addr){.family = ip->family};
    if (ip->family == 4) {
        memcpy(ret->bytes, &((struct sockaddr_in *)&there)->sin_addr, 4);
    } else {
        memcpy(ret->bytes, &((struct sockaddr_in6 *)&there)->sin6_addr, 16);
    }
    return ok;
}

/* Returns by which remote the machine 'address', which is 'ip' when that is known, reaches the database; the caller frees. */
static char *database_for(const struct coordinator *c, const char *address, const struct ip_addr *ip, GError **error)
{
    if (c->config.database) {
        if (g_str_has_prefix(c->config.database, "unix:")) {
            fail(error, DISTEM_ERROR_CONFLICT, 0,
                 "other machines cannot reach the database at %s: start distemd with a TCP address", c->config.database);
            return NULL;
        }
        return g_strdup(c->config.database);
    }
    struct ip_addr own = {0}, any4 = {.family = 4}, any6 = {.family = 6};
    struct ip_addr loopback6 = {.family = 6, .bytes[15] = 1};
    if (!ip_addr_parse(c->config.address, &own, error)) {
        return NULL;
    }
    if ((own.family == 4 && own.bytes[0] == 127) || ip_equal(&own, &loopback6)) {
        fail(error, DISTEM_ERROR_CONFLICT, 0,
             "the coordinator listens on %s, where other machines cannot reach it: start it with --listen and one of its addresses",
             c->config.address);
        return NULL;
    }
    if (ip_equal(&own, &any4) || ip_equal(&own, &any6)) {
        if (!ip->family || !own_address(ip, &own)) {
            fail(error, DISTEM_ERROR_CONFLICT, 0,
                 "the coordinator listens on all its addresses and cannot tell which one %s reaches: name that machine by its "
                 "address, or start the coordinator with --listen and one of its own",
                 address);
            return NULL;
        }
    }
    char text[IP_TEXT_SIZE];
    ip_format(&own, text);
    return g_strdup_printf(own.family == 6 ? "tcp:[%s]:%d" : "tcp:%s:%d", text, c->config.port + DATABASE_PORT_OFFSET);
}

/* Replies with 'error' (freed) and forgets 'join'. */
static void give_up(struct join *join, GError *error)
{
    rest_reply_error(join->request, error, NULL);
    g_ptr_array_remove_fast(join->c->joins, join);
}

static void joined(void *aux, json_t *answer, const GError *error)
{
    struct join *join = aux;
    const char *name = json_string_value(json_object_get(answer, "pnode"));
    if (error) {
        give_up(join, g_error_copy(error));
    } else if (!name) {
        give_up(join, g_error_new(DISTEM_ERROR, DISTEM_ERROR_SYSTEM, "%s answered without its name: is it distemd --pnode?",
                                  join->address));
    } else {
        join->name = g_strdup(name);
        join->end = poll_now_ms() + REGISTER_MS;
        poll_wake_now();
    }
}

void joins_run(struct coordinator *c)
{
    g_autoptr(GPtrArray) pnodes = NULL;
    for (unsigned i = c->joins->len; i-- > 0;) {
        struct join *join = c->joins->pdata[i];
        if (!join->name) {
            continue;
        }
        if (!pnodes) {
            pnodes = coordinator_pnodes(c);
        }
        const struct pnode *pnode = find_pnode(pnodes, join->name);
        if (pnode && !pnode->lost) {
            rest_reply(join->request, 201, json_pack("{s:s}", "name", join->name));
            g_ptr_array_remove_index_fast(c->joins, i);
        } else if (poll_now_ms() >= join->end) {
            give_up(join, g_error_new(DISTEM_ERROR, DISTEM_ERROR_UNAVAILABLE,
                                      "%s was taken in, but has not registered as pnode %s within %d s: see distemd's log there",
                                      join->address, join->name, REGISTER_MS / 1000));
        }
    }
}

void joins_wait(struct coordinator *c)
{
    for (unsigned i = 0; i < c->joins->len; i++) {
        const struct join *join = c->joins->pdata[i];
        if (join->name) {
            poll_wait_until(join->end);
        }
    }
}

void pnodes_post(struct rest_request *request, void *context)
{
    struct coordinator *c = context;
    json_t *body = require_database(c, request) ? rest_request_json(request) : NULL;
    if (!body) {
        return;
    }
    const char *said;
    json_t *labels = NULL;
    json_int_t max_vnodes = 0, max_vifaces = 0;
    json_error_t problem;
    GError *error = NULL;
    g_autofree char *address = NULL, *database = NULL;
    struct ip_addr ip;
    if (json_unpack_ex(body, &problem, 0, "{s:s, s?o, s?I, s?I !}", "address", &said, "labels", &labels, "max_vnodes", &max_vnodes,
                       "max_vifaces", &max_vifaces) < 0) {
        fail(&error, DISTEM_ERROR_INVALID, 0,
             "expected {\"address\": \"HOST[:PORT]\", \"labels\": {}, \"max_vnodes\": n, \"max_vifaces\": n}: %s", problem.text);
    } else {
        address = complete_address(said, &ip, &error);
        database = address ? database_for(c, address, &ip, &error) : NULL;
    }
    if (!database) {
        rest_reply_error(request, error, NULL);
        json_decref(body);
        return;
    }
    struct join *join = g_new0(struct join, 1);
    *join = (struct join){.c = c, .request = request, .address = g_strdup(address)};
    g_ptr_array_add(c->joins, join);
    json_object_del(body, "address");
    json_object_set_new(body, "database", json_string(database));
    peer_ask(c, address, "POST", "/join", body, joined, join);
}
