/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP server on the daemon's loop (libmicrohttpd, no threads): a route table, JSON in and out, one form of error:
 *   {"error": {"code": "invalid", "message": "...", "details": [{"file", "line", "pointer", "message"}, ...]}} */
#ifndef DISTEM_REST_H
#define DISTEM_REST_H 1

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "distem/error.h"

struct rest_server;
struct rest_request;

/* Handles a request whose body has arrived whole. It must see to exactly one rest_reply...() or rest_upgrade(), now or later: the
 * request stays valid until then, also when the client has gone away meanwhile. 'context' is what rest_server_new() got. */
typedef void rest_handler(struct rest_request *, void *context);

struct rest_route {
    const char *method;  /* "GET" (which answers HEAD, too) ... */
    const char *pattern; /* "/vnodes/:vnode/exec"; ":name" matches one segment, percent-decoded. */
    rest_handler *handler;
    size_t body_limit; /* Bytes; 0: the default of 1 MiB. A larger body is answered with 413 before it is read. */
};

/* Listens on 'address' (literal IPv4 or IPv6) and 'port' (0: any free one, see rest_server_port()). 'routes' ends with a zero entry
 * and must stay. Requests that a web page of another site makes a browser send (header Origin) are refused with 403; on a loopback
 * address those that name a host that is not loopback are, too. Fails with DISTEM_ERROR_CONFLICT when the port is taken. */
struct rest_server *rest_server_new(const char *address, uint16_t port, const struct rest_route *routes, void *context,
                                    GError **error);
/* Closes all connections. Requests that were not replied to are gone: whoever kept one for later must forget it. NULL is fine. */
void rest_server_free(struct rest_server *);
/* Accepts, reads, calls handlers and writes; says what to wake up for. */
void rest_server_run(struct rest_server *);
void rest_server_wait(struct rest_server *);
/* Returns the port that is listened on. */
uint16_t rest_server_port(const struct rest_server *);

/* What came: a path parameter (NULL: not in the pattern), a query parameter (NULL: absent; "" without a value), the body
 * (0-terminated) and its size (may be NULL). Parameters are percent-decoded and valid UTF-8. Valid until the reply. */
const char *rest_request_param(const struct rest_request *, const char *name);
const char *rest_request_query(const struct rest_request *, const char *name);
const char *rest_request_body(const struct rest_request *, size_t *ret_size);
/* Reads the body as a JSON object; on failure replies with 400 and returns NULL. The caller owns the reference. */
json_t *rest_request_json(struct rest_request *);

/* Reply and end the request. 'body' is consumed; NULL, which json_pack() returns for text that is not UTF-8, is answered with 500.
 */
void rest_reply(struct rest_request *, unsigned status, json_t *body);
/* Replies with 'error' (freed) and, where 'problems' is not NULL, its entries as details. */
void rest_reply_error(struct rest_request *, GError *error, const struct diagnostics *problems);

/* Answers 101 with 'Upgrade: protocol', ends the request, and then calls 'ready' with the connection's socket, which 'ready' owns
 * and must close: it is blocking, without Nagle's delay, and closed on exec. The 'early_size' bytes at 'early' were sent by a
 * client that did not wait for the answer; they come before what can be read from 'fd'. 'ready' is called exactly once: with 'fd'
 * -1 when nothing came of it (the client went away, the server was freed, or the request did not ask for 'protocol' and was
 * answered with 400). */
typedef void rest_upgraded(int fd, const void *early, size_t early_size, void *aux);
void rest_upgrade(struct rest_request *, const char *protocol, rest_upgraded *ready, void *aux);

#endif
