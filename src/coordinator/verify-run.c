/* SPDX-License-Identifier: Apache-2.0 */
/* Drives the probers of a verification: round by round, and carries messages between the ends of tests that are on two pnodes. */
#include <config.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "distem/log.h"
#include "distem/poll.h"
#include "verify.h"

struct prober {
    char *pnode;
    int fd;          /* -1: there is none. */
    GPid pid;        /* 0: there is none. */
    GString *input;  /* What is still to be written. */
    GString *output; /* What has been read of a line. */
    char *problem;   /* Why there is none, or none any more. */
};

struct verify_run {
    const struct verify_options *options;
    struct verify_plan *plan;
    GHashTable *probers;  /* By pnode. */
    unsigned first, next; /* The round's measurements, and the first of the next one. */
    unsigned answered;
    bool pass;
};

static void prober_close(struct prober *p)
{
    if (p->fd >= 0) {
        close(p->fd);
        p->fd = -1;
    }
    if (p->pid) {
        /* It leaves nothing behind, and may be stuck. */
        kill(p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
        p->pid = 0;
    }
}

static void prober_free(void *data)
{
    struct prober *p = data;
    prober_close(p);
    g_string_free(p->input, TRUE);
    g_string_free(p->output, TRUE);
    g_free(p->pnode);
    g_free(p->problem);
    g_free(p);
}

static struct measurement *measurement_at(const struct verify_run *run, unsigned i)
{
    return &g_array_index(run->plan->measurements, struct measurement, i);
}

static struct prober *prober_of(const struct verify_run *run, const struct vnode *vnode)
{
    return g_hash_table_lookup(run->probers, vnode->pnode);
}

static void add_prober(struct verify_run *run, const struct vnode *vnode)
{
    if (!prober_of(run, vnode)) {
        struct prober *p = g_new0(struct prober, 1);
        p->pnode = g_strdup(vnode->pnode);
        p->fd = -1;
        p->input = g_string_new(NULL);
        p->output = g_string_new(NULL);
        g_hash_table_insert(run->probers, p->pnode, p);
    }
}

struct verify_run *verify_run_new(const struct verify_options *options, struct verify_plan *plan)
{
    struct verify_run *run = g_new0(struct verify_run, 1);
    run->options = options;
    run->plan = plan;
    run->pass = !plan->unreachable;
    run->probers = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, prober_free);
    for (unsigned i = 0; i < plan->measurements->len; i++) {
        add_prober(run, measurement_at(run, i)->expected->from);
        add_prober(run, measurement_at(run, i)->expected->to);
    }
    return run;
}

void verify_run_free(struct verify_run *run)
{
    if (run) {
        g_hash_table_unref(run->probers);
        g_free(run);
    }
}

GPtrArray *verify_run_pnodes(const struct verify_run *run)
{
    GPtrArray *pnodes = g_ptr_array_new();
    GHashTableIter iter;
    gpointer pnode;
    g_hash_table_iter_init(&iter, run->probers);
    while (g_hash_table_iter_next(&iter, &pnode, NULL)) {
        g_ptr_array_add(pnodes, pnode);
    }
    return pnodes;
}

void verify_run_add(struct verify_run *run, const char *pnode, int fd, GPid pid)
{
    struct prober *p = g_hash_table_lookup(run->probers, pnode);
    p->fd = fd;
    p->pid = pid;
}

unsigned verify_run_answered(const struct verify_run *run)
{
    return run->answered;
}

bool verify_run_done(const struct verify_run *run)
{
    return run->answered == run->plan->measurements->len;
}

bool verify_run_passes(const struct verify_run *run)
{
    return run->pass;
}

/* Enters the answer to a measurement, whose reference is taken over. */
static void enter(struct verify_run *run, struct measurement *m, json_t *answer)
{
    if (!m->answered) {
        m->answered = true;
        run->answered++;
        run->pass &= verify_judge(run->options, m, answer);
    }
    json_decref(answer);
}

static void enter_problem(struct verify_run *run, struct measurement *m, const char *problem)
{
    enter(run, m, json_pack("{s:s}", "error", problem));
}

/* Queues a line, whose reference is taken over, for a prober; without one it is dropped. */
static void send_line(struct prober *p, json_t *line)
{
    if (p->fd >= 0) {
        g_autofree char *text = json_dumps(line, JSON_COMPACT);
        g_string_append(p->input, text);
        g_string_append_c(p->input, '\n');
    }
    json_decref(line);
}

/* Takes 'p' out of measurement 'id' of this round: the end on the other prober is told, or else answered for. */
static void withdraw(struct verify_run *run, const struct prober *p, unsigned id)
{
    struct measurement *m = measurement_at(run, id);
    struct prober *from = prober_of(run, m->expected->from), *to = prober_of(run, m->expected->to);
    if (m->answered || (p != from && (p != to || m->kind == MEASURE_RTT))) {
        return;
    }
    if (p != from) {
        send_line(from, json_pack("{s:I, s:{s:s}}", "id", (json_int_t)id, "peer", "error", p->problem));
        return;
    }
    enter_problem(run, m, p->problem);
    if (to != from && m->kind != MEASURE_RTT) {
        send_line(to, json_pack("{s:I, s:{s:b}}", "id", (json_int_t)id, "peer", "end", 1));
    }
}

static void lose(struct verify_run *run, struct prober *p, const char *problem)
{
    prober_close(p);
    p->problem = g_strdup(problem);
    log_warning("coordinator", "a verification does without a prober", "pnode=%s problem=\"%s\"", p->pnode, problem);
    for (unsigned i = run->first; i < run->next; i++) {
        withdraw(run, p, i);
    }
}

void verify_run_lose(struct verify_run *run, const char *pnode, const char *problem)
{
    struct prober *p = g_hash_table_lookup(run->probers, pnode);
    if (p && !p->problem) {
        lose(run, p, problem);
    }
}

static json_t *part_of(GHashTable *parts, struct prober *p)
{
    json_t *part = g_hash_table_lookup(parts, p);
    if (!part) {
        part = json_array();
        g_hash_table_insert(parts, p, part);
    }
    return part;
}

static json_t *test_of_end(const struct measurement *m, const char *end)
{
    json_t *test = json_copy(m->test);
    json_object_set_new(test, "end", json_string(end));
    return test;
}

/* Adds a measurement's test to the probers' parts of the round, or enters why it cannot be made. */
static void add_test(struct verify_run *run, GHashTable *parts, struct measurement *m)
{
    struct prober *from = prober_of(run, m->expected->from), *to = prober_of(run, m->expected->to);
    if (from->problem || to->problem) {
        enter_problem(run, m, from->problem ? from->problem : to->problem);
    } else if (from == to) {
        json_array_append(part_of(parts, from), m->test);
    } else {
        json_array_append_new(part_of(parts, from), test_of_end(m, "from"));
        if (m->kind != MEASURE_RTT) {
            json_array_append_new(part_of(parts, to), test_of_end(m, "to"));
        }
    }
}

static void begin_round(struct verify_run *run)
{
    g_autoptr(GHashTable) parts = g_hash_table_new(NULL, NULL); /* Prober -> tests. */
    unsigned round = measurement_at(run, run->next)->round;
    for (run->first = run->next; run->next < run->plan->measurements->len; run->next++) {
        struct measurement *m = measurement_at(run, run->next);
        if (m->round != round) {
            break;
        }
        add_test(run, parts, m);
    }
    GHashTableIter iter;
    gpointer p, part;
    g_hash_table_iter_init(&iter, parts);
    while (g_hash_table_iter_next(&iter, &p, &part)) {
        send_line(p, json_pack("{s:o}", "round", part));
    }
}

/* Handles what a prober said. Returns false when it makes no sense. */
static bool take_line(struct verify_run *run, const struct prober *p, const json_t *line)
{
    json_int_t id = json_is_integer(json_object_get(line, "id")) ? json_integer_value(json_object_get(line, "id")) : -1;
    if (id < 0 || id >= run->next) {
        return false;
    }
    struct measurement *m = measurement_at(run, (unsigned)id);
    struct prober *from = prober_of(run, m->expected->from), *to = prober_of(run, m->expected->to);
    if (!json_object_get(line, "peer")) {
        if (p == from) {
            enter(run, m, json_incref((json_t *)line));
        }
        return p == from;
    }
    if (p != from && p != to) {
        return false;
    }
    /* Who has lost its other end has been told so. */
    send_line(p == from ? to : from, json_incref((json_t *)line));
    return true;
}

/* Takes the lines that have come whole. 'searched' bytes are known to have no end of a line. */
static void take_output(struct verify_run *run, struct prober *p, size_t searched)
{
    size_t begin = 0;
    char *end;
    while ((end = memchr(p->output->str + searched, '\n', p->output->len - searched))) {
        *end = '\0';
        const char *text = p->output->str + begin;
        json_t *line = json_loads(text, 0, NULL);
        if (!take_line(run, p, line)) {
            log_warning("coordinator", "a prober said something unexpected", "pnode=%s line=\"%s\"", p->pnode, text);
        }
        json_decref(line);
        begin = searched = (size_t)(end - p->output->str) + 1;
    }
    g_string_erase(p->output, 0, (gssize)begin);
}

/* Writes and reads what can be. Returns false when the prober has ended. */
static bool converse(struct verify_run *run, struct prober *p)
{
    while (p->input->len) {
        ssize_t n = send(p->fd, p->input->str, p->input->len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0) {
            break; /* If it has ended, reading says so. */
        }
        g_string_erase(p->input, 0, n);
    }
    char buffer[4096];
    ssize_t n;
    while ((n = recv(p->fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
        size_t before = p->output->len;
        g_string_append_len(p->output, buffer, n);
        take_output(run, p, before);
    }
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

void verify_run_run(struct verify_run *run)
{
    if (verify_run_done(run)) {
        return;
    }
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, run->probers);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct prober *p = value;
        if (p->fd >= 0 && !converse(run, p)) {
            g_autofree char *problem =
                g_strdup_printf("the prober on pnode %s has ended too early; distemd's log there may say why", p->pnode);
            lose(run, p, problem);
        }
    }
    while (!verify_run_done(run) && run->answered == run->next) {
        begin_round(run);
        poll_wake_now();
    }
    if (verify_run_done(run)) {
        g_hash_table_remove_all(run->probers);
    }
}

void verify_run_wait(const struct verify_run *run)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, run->probers);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct prober *p = value;
        if (p->fd >= 0) {
            poll_wait_fd(p->fd, (short)(POLLIN | (p->input->len ? POLLOUT : 0)));
        }
    }
}
