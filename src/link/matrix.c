/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "matrix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "distem/error.h"
#include "distem/units.h"

#include "ahead.h"
#include "manager.h"
#include "matrix-bpf.h"
#include "redirect.h"

#define DELAY_NAME "dma"
#define RETURN_NAME "dmb"
#define ALIAS "distem matrix"
#define MTU 65535
#define FQ_FRAMES 100000000u /* Never too many: what waits is bounded by what the vnodes send. */
#define FQ_HORIZON_US 4000000000u
#define FQ_HANDLE (0x31u << 16)
#define FILTER_HANDLE 1u
#define FILTER_INFO TC_H_MAKE(1u << 16, htons(ETH_P_ALL))
#define EGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)
#define INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
#define PAIRS_MOST 4000000u /* Of more, frames do not wait for those before them for a bandwidth, and losses follow no seed. */
#define SPARE 64u           /* Room for what comes later, besides the same again. */

alignas(8) static const unsigned char object_code[] = {
#include "matrix-object.h"
};

struct link_matrix {
    struct bpf_object *object; /* NULL: none is loaded. */
    int program, home;         /* Its programs. */
    uint32_t id, seed;
    int sources, destinations;
    struct matrix_figures *cells;
    size_t cells_size;
    unsigned groups, columns_most, sources_most, destinations_most, pairs_most, vifaces_most;
    struct ahead *ahead;
    struct matrix *held;   /* What the maps hold; NULL: nothing. A reference. */
    GHashTable *columns;   /* Group + 1 -> column + 1. */
    GHashTable *addressed; /* ifindex -> GArray of struct matrix_address, what 'destinations' has. */
};

struct link_matrix *link_matrix_new(void)
{
    struct link_matrix *matrix = g_new0(struct link_matrix, 1);
    matrix->ahead = ahead_new();
    matrix->columns = g_hash_table_new(NULL, NULL);
    matrix->addressed = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_array_unref);
    return matrix;
}

static void unload(struct link_matrix *matrix)
{
    if (matrix->cells) {
        munmap(matrix->cells, matrix->cells_size);
        matrix->cells = NULL;
    }
    g_clear_pointer(&matrix->object, bpf_object__close);
    g_clear_pointer(&matrix->held, matrix_unref);
    matrix->id = 0;
    g_hash_table_remove_all(matrix->columns);
    g_hash_table_remove_all(matrix->addressed);
}

void link_matrix_free(struct link_matrix *matrix)
{
    if (matrix) {
        unload(matrix);
        ahead_free(matrix->ahead);
        g_hash_table_unref(matrix->columns);
        g_hash_table_unref(matrix->addressed);
        g_free(matrix);
    }
}

uint32_t matrix_program(const struct link_matrix *matrix)
{
    return matrix->id;
}

bool matrix_holds(const struct link_matrix *matrix, const struct vnode *vnode, const struct viface *viface)
{
    return vnode->group || ahead_holds(matrix->ahead, viface);
}

char *link_matrix_part(const struct link_manager *manager, const struct vnode *vnode)
{
    GString *part = g_string_new("");
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        if (matrix_holds(manager->matrix, vnode, vnode_viface(vnode, i))) {
            g_string_append_printf(part, " matrix=%u:%u:%" PRId64, i, manager->matrix->id,
                                   vnode_viface(vnode, i)->vnetwork->base_remote);
        }
    }
    return g_string_free(part, false);
}

/* The messages of libbpf are for its developers. */
static int be_quiet(enum libbpf_print_level level G_GNUC_UNUSED, const char *format G_GNUC_UNUSED, va_list args G_GNUC_UNUSED)
{
    return 0;
}

/* Sets what the program takes as a constant. */
static bool set_constants(struct bpf_object *object, uint32_t delay_ifindex, const struct link_matrix *matrix)
{
    struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata");
    size_t size;
    uint32_t *values = map ? (uint32_t *)bpf_map__initial_value(map, &size) : NULL;
    const uint32_t wanted[] = {delay_ifindex, matrix->groups, matrix->seed};
    if (!values || size < sizeof wanted) {
        return false;
    }
    memcpy(values, wanted, sizeof wanted);
    return true;
}

static bool set_size(struct bpf_object *object, const char *name, uint32_t entries)
{
    struct bpf_map *map = bpf_object__find_map_by_name(object, name);
    return map && bpf_map__set_max_entries(map, entries) == 0;
}

static int find_map(struct bpf_object *object, const char *name)
{
    return bpf_object__find_map_fd_by_name(object, name);
}

static int find_program(struct bpf_object *object, const char *name)
{
    struct bpf_program *program = bpf_object__find_program_by_name(object, name);
    return program ? bpf_program__fd(program) : -ENOENT;
}

/* Returns how many cells there is room for: one even when there are none. */
static uint32_t count_cells(const struct link_matrix *matrix)
{
    return MAX(matrix->groups * matrix->columns_most, 1);
}

/* Takes what a loaded object has. */
static bool take_object(struct link_matrix *matrix, struct bpf_object *object, GError **error)
{
    struct bpf_prog_info info = {0};
    uint32_t size = sizeof info;
    matrix->object = object;
    matrix->program = find_program(object, "distem_matrix");
    matrix->home = find_program(object, "distem_return");
    matrix->sources = find_map(object, "sources");
    matrix->destinations = find_map(object, "destinations");
    ahead_use(matrix->ahead, find_map(object, "neighbours"), find_map(object, "receivers"));
    matrix->cells_size = (size_t)count_cells(matrix) * sizeof *matrix->cells;
    void *cells = mmap(NULL, matrix->cells_size, PROT_READ | PROT_WRITE, MAP_SHARED, find_map(object, "cells"), 0);
    if (cells == MAP_FAILED || bpf_obj_get_info_by_fd(matrix->program, &info, &size)) {
        return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot get at the program of the latency matrix");
    }
    matrix->cells = cells;
    matrix->id = info.id;
    return true;
}

/* Returns the program with its maps, loaded with room as the matrix says; NULL with an error. */
static struct bpf_object *load_object(const struct link_matrix *matrix, uint32_t delay_ifindex, GError **error)
{
    LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "distem_matrix");
    libbpf_set_print(be_quiet);
    struct bpf_object *object = bpf_object__open_mem(object_code, sizeof object_code, &options);
    int errnum = object ? 0 : errno;
    if (object && (!set_constants(object, delay_ifindex, matrix) || !set_size(object, "sources", matrix->sources_most) ||
                   !set_size(object, "destinations", matrix->destinations_most) ||
                   !set_size(object, "cells", count_cells(matrix)) || !set_size(object, "turns", matrix->pairs_most) ||
                   !set_size(object, "neighbours", matrix->vifaces_most) || !set_size(object, "receivers", matrix->vifaces_most))) {
        errnum = EINVAL;
    } else if (object) {
        errnum = -bpf_object__load(object);
    }
    if (errnum) {
        if (object) {
            bpf_object__close(object);
        }
        fail(error, DISTEM_ERROR_UNSUPPORTED, errnum,
             "cannot load the program of the latency matrix, which needs Linux 5.18 with BPF (CONFIG_BPF_SYSCALL)");
        return NULL;
    }
    return object;
}

/* Loads the program anew. What is loaded already goes on until filters are changed. */
static bool load(struct link_matrix *matrix, uint32_t delay_ifindex, GError **error)
{
    struct bpf_object *object = load_object(matrix, delay_ifindex, error);
    return object && take_object(matrix, object, error);
}

bool matrix_try_program(GError **error)
{
    const struct link_matrix least = {
        .seed = 1, .groups = 1, .columns_most = 1, .sources_most = 1, .destinations_most = 1, .pairs_most = 1, .vifaces_most = 1};
    struct bpf_object *object = load_object(&least, 1, error);
    if (object) {
        bpf_object__close(object);
    }
    return object;
}

static struct tcmsg filter_header(int ifindex, uint32_t hook)
{
    return (struct tcmsg){.tcm_ifindex = ifindex, .tcm_parent = hook, .tcm_handle = FILTER_HANDLE, .tcm_info = FILTER_INFO};
}

static void put_filter(struct rtnl *rtnl, int ifindex, uint32_t hook, int program, const char *what)
{
    const struct tcmsg header = filter_header(ifindex, hook);
    const struct rtnl_options options = {.module = "cls_bpf"};
    struct nl_msg *message = rtnl_message(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header, 128);
    rtnl_put_string(message, TCA_KIND, "bpf");
    struct nlattr *nest = rtnl_nest(message, TCA_OPTIONS);
    rtnl_put_u32(message, TCA_BPF_FD, (uint32_t)program);
    rtnl_put_string(message, TCA_BPF_NAME, "distem");
    rtnl_put_u32(message, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
    nla_nest_end(message, nest);
    rtnl_queue(rtnl, message, &options, "setting the latency matrix for the %s", what);
}

void matrix_put_trial_filter(struct rtnl *rtnl, int ifindex)
{
    static const struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, 0);
    const struct tcmsg header = filter_header(ifindex, EGRESS);
    struct nl_msg *message = rtnl_message(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header, 64);
    rtnl_put_string(message, TCA_KIND, "bpf");
    struct nlattr *nest = rtnl_nest(message, TCA_OPTIONS);
    const uint16_t count = 1;
    rtnl_put(message, TCA_BPF_OPS_LEN, &count, sizeof count);
    rtnl_put(message, TCA_BPF_OPS, &pass, sizeof pass);
    nla_nest_end(message, nest);
    rtnl_queue(rtnl, message, NULL, "setting a BPF filter for a trial");
}

void matrix_put_fq(struct rtnl *rtnl, int ifindex)
{
    const struct tcmsg header = {.tcm_ifindex = ifindex, .tcm_parent = TC_H_ROOT, .tcm_handle = FQ_HANDLE};
    const struct rtnl_options options = {.module = "sch_fq"};
    struct nl_msg *message = rtnl_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header, 128);
    rtnl_put_string(message, TCA_KIND, "fq");
    struct nlattr *nest = rtnl_nest(message, TCA_OPTIONS);
    rtnl_put_u32(message, TCA_FQ_PLIMIT, FQ_FRAMES);
    rtnl_put_u32(message, TCA_FQ_FLOW_PLIMIT, FQ_FRAMES);
    rtnl_put_u32(message, TCA_FQ_RATE_ENABLE, 0);
    rtnl_put_u32(message, TCA_FQ_TIMER_SLACK, 0);
    rtnl_put_u32(message, TCA_FQ_HORIZON, FQ_HORIZON_US);
    nla_nest_end(message, nest);
    rtnl_queue(rtnl, message, &options, "setting fq for the latency matrix");
}

static const struct netdev_plan delay_plan = {
    .name = DELAY_NAME, .alias = ALIAS, .group = LINK_GROUP, .mtu = MTU, .peer_name = RETURN_NAME};
static const struct netdev_plan return_plan = {.name = RETURN_NAME, .alias = ALIAS, .group = LINK_GROUP, .mtu = MTU};

/* Finds the devices, makes them when they are missing, and says whether they are there. */
static bool find_devices(struct link_manager *manager, const struct device **delay, const struct device **home, GError **error)
{
    for (unsigned tries = 0; tries < 2; tries++) {
        if (!devices_refresh(manager->devices, manager->host, error)) {
            return false;
        }
        *delay = devices_find(manager->devices, DELAY_NAME);
        *home = devices_find(manager->devices, RETURN_NAME);
        if (*delay && *home) {
            return true;
        }
        netdev_make_pair(manager->host, &delay_plan, "the latency matrix");
        if (!rtnl_flush(manager->host, error)) {
            return false;
        }
    }
    return fail(error, DISTEM_ERROR_SYSTEM, 0, "a device of the latency matrix vanished just after it was made");
}

/* Makes the devices as they shall be. What waits in fq stays there when it is set again. */
static bool write_devices(struct link_manager *manager, const struct device *delay, const struct device *home, GError **error)
{
    struct rtnl *rtnl = manager->host;
    matrix_put_fq(rtnl, delay->netdev.ifindex);
    redirect_put_hooks(rtnl, home->netdev.ifindex, "latency matrix");
    put_filter(rtnl, home->netdev.ifindex, INGRESS, manager->matrix->home, "way back");
    netdev_adjust(rtnl, &home->netdev, &return_plan, "the latency matrix");
    netdev_adjust(rtnl, &delay->netdev, &delay_plan, "the latency matrix");
    return rtnl_flush(rtnl, error);
}

/* Reads an address as the program knows it. */
static bool read_address(const char *text, struct matrix_address *ret)
{
    *ret = (struct matrix_address){{[10] = 0xff, [11] = 0xff}};
    return inet_pton(AF_INET, text, ret->bytes + 12) == 1 || inet_pton(AF_INET6, text, ret->bytes) == 1;
}

/* Reads the address of a source, and what is said of it behind that (see struct matrix_group) into '*source'. */
static bool read_source(const char *text, struct matrix_address *ret, struct matrix_source *source)
{
    const char *more = strchrnul(text, '/');
    g_autofree char *address = g_strndup(text, (gsize)(more - text));
    source->vnetwork = 0;
    source->ahead = 0;
    if (*more) {
        char *end;
        source->vnetwork = (uint32_t)g_ascii_strtoull(more + 1, &end, 10);
        source->ahead = *end ? g_ascii_strtoll(end + 1, NULL, 10) : 0;
    }
    return read_address(address, ret);
}

/* Enters the addresses of a vnode of group 'number' into the map, and into 'known', a set of struct matrix_address. */
static bool put_source(struct link_matrix *matrix, const char *text, uint32_t number, GHashTable *known)
{
    g_auto(GStrv) addresses = g_strsplit(text, ",", -1);
    struct matrix_source source = {.group = number};
    for (unsigned i = 0; addresses[i]; i++) {
        struct matrix_address address;
        if (!read_source(addresses[i], &address, &source)) {
            continue;
        }
        source.identity = source.identity ? source.identity : matrix_identity(&address);
        if (bpf_map_update_elem(matrix->sources, &address, &source, BPF_ANY)) {
            return false;
        }
        g_hash_table_add(known, g_memdup2(&address, sizeof address));
    }
    return true;
}

/* Does so with all vnodes of a group. */
static bool put_sources(struct link_matrix *matrix, const struct matrix_group *group, uint32_t number, GHashTable *known)
{
    g_auto(GStrv) vnodes = g_strsplit(group->addresses ? group->addresses : "", " ", -1);
    for (unsigned i = 0; vnodes[i]; i++) {
        if (!put_source(matrix, vnodes[i], number, known)) {
            return false;
        }
    }
    return true;
}

static guint hash_address(gconstpointer key)
{
    const struct matrix_address *address = key;
    guint hash = 5381;
    for (unsigned i = 0; i < sizeof address->bytes; i++) {
        hash = hash * 33 + address->bytes[i];
    }
    return hash;
}

static gboolean equal_addresses(gconstpointer a, gconstpointer b)
{
    return !memcmp(a, b, sizeof(struct matrix_address));
}

/* Makes the map of sources that of 'wanted'. */
static bool write_sources(struct link_matrix *matrix, const struct matrix *wanted, GError **error)
{
    g_autoptr(GHashTable) known = g_hash_table_new_full(hash_address, equal_addresses, g_free, NULL);
    for (unsigned i = 0; i < wanted->groups; i++) {
        if (!put_sources(matrix, &wanted->group[i], i, known)) {
            return fail(error, DISTEM_ERROR_SYSTEM, errno, "cannot enter an address into the latency matrix");
        }
    }
    struct matrix_address key, next;
    int result = bpf_map_get_next_key(matrix->sources, NULL, &next);
    while (result == 0) {
        key = next;
        result = bpf_map_get_next_key(matrix->sources, &key, &next);
        if (!g_hash_table_contains(known, &key)) {
            bpf_map_delete_elem(matrix->sources, &key);
        }
    }
    return true;
}

/* Returns the column of a group, from 0; it gets one if it has none. */
static unsigned get_column(struct link_matrix *matrix, unsigned group)
{
    unsigned known = GPOINTER_TO_UINT(g_hash_table_lookup(matrix->columns, GUINT_TO_POINTER(group + 1)));
    if (!known) {
        known = g_hash_table_size(matrix->columns) + 1;
        g_hash_table_insert(matrix->columns, GUINT_TO_POINTER(group + 1), GUINT_TO_POINTER(known));
    }
    return known - 1;
}

static void write_column(struct link_matrix *matrix, const struct matrix *wanted, unsigned group)
{
    struct matrix_figures *column = matrix->cells + (size_t)get_column(matrix, group) * matrix->groups;
    for (unsigned i = 0; i < wanted->groups; i++) {
        const struct matrix_cell *cell = matrix_between(wanted, i + 1, group + 1);
        column[i] = (struct matrix_figures){
            .latency = (uint64_t)cell->latency,
            .bandwidth = cell->bandwidth,
            .loss = (uint64_t)((double)cell->loss / PPB_ONE * 4294967296.0),
        };
    }
}

/* What a matrix takes for some vnodes. */
struct need {
    GHashTable *groups; /* Set of those of the vnodes, + 1. */
    unsigned sources, destinations, pairs, vifaces;
};

static struct need find_need(const struct matrix *wanted, const GPtrArray *vnodes)
{
    struct need need = {.groups = g_hash_table_new(NULL, NULL)};
    for (unsigned i = 0; i < vnodes->len; i++) {
        const struct vnode *vnode = vnodes->pdata[i];
        need.vifaces += vnode->vifaces->len;
        if (vnode->group && vnode->group <= wanted->groups) {
            g_hash_table_add(need.groups, GUINT_TO_POINTER(vnode->group));
            need.destinations += 2 * vnode->vifaces->len * vnode->vifaces->len;
        }
    }
    for (unsigned i = 0; i < wanted->groups; i++) {
        for (const char *c = wanted->group[i].addresses; c && *c; c++) {
            need.sources += *c == ' ' || *c == ',';
        }
        need.sources++;
    }
    bool remembers = wanted->seed; /* Without a seed and any bandwidth, the map of pairs would only take memory. */
    for (size_t i = 0; !remembers && i < (size_t)wanted->groups * wanted->groups; i++) {
        remembers = wanted->cells[i].bandwidth;
    }
    need.pairs = remembers ? (unsigned)MIN((uint64_t)need.sources * MAX(vnodes->len, 1), PAIRS_MOST) : 1;
    return need;
}

/* Says whether what is loaded has room for what is needed. */
static bool has_room(const struct link_matrix *matrix, const struct matrix *wanted, const struct need *need)
{
    unsigned columns = g_hash_table_size(matrix->columns);
    GHashTableIter iter;
    gpointer group;
    g_hash_table_iter_init(&iter, need->groups);
    while (g_hash_table_iter_next(&iter, &group, NULL)) {
        columns += !g_hash_table_contains(matrix->columns, group);
    }
    return matrix->object && matrix->groups == wanted->groups && matrix->seed == wanted->seed && columns <= matrix->columns_most &&
           need->sources <= matrix->sources_most && need->destinations <= matrix->destinations_most &&
           need->pairs <= matrix->pairs_most && need->vifaces <= matrix->vifaces_most;
}

/* Brings what is loaded to what is wanted. */
static bool write_maps(struct link_matrix *matrix, const struct matrix *wanted, const struct need *need, GError **error)
{
    GHashTableIter iter;
    gpointer group;
    g_hash_table_iter_init(&iter, need->groups);
    bool held = matrix->held == wanted;
    while (g_hash_table_iter_next(&iter, &group, NULL)) {
        if (!held || !g_hash_table_contains(matrix->columns, group)) {
            write_column(matrix, wanted, GPOINTER_TO_UINT(group) - 1);
        }
    }
    return (held || write_sources(matrix, wanted, error)) && ahead_write(matrix->ahead, error);
}

/* Forgets destinations whose devices are gone. */
static void forget_gone(struct link_matrix *matrix)
{
    GHashTableIter iter;
    gpointer ifindex, addresses;
    char name[IF_NAMESIZE];
    g_hash_table_iter_init(&iter, matrix->addressed);
    while (g_hash_table_iter_next(&iter, &ifindex, &addresses)) {
        struct matrix_destination key = {.ifindex = GPOINTER_TO_UINT(ifindex)};
        if (if_indextoname(key.ifindex, name)) {
            continue;
        }
        for (unsigned i = 0; i < ((const GArray *)addresses)->len; i++) {
            key.address = g_array_index((const GArray *)addresses, struct matrix_address, i);
            bpf_map_delete_elem(matrix->destinations, &key);
        }
        g_hash_table_iter_remove(&iter);
    }
}

bool link_end_matrix(struct link_manager *manager, GError **error)
{
    unload(manager->matrix);
    if (!devices_refresh(manager->devices, manager->host, error)) {
        return false;
    }
    const struct device *delay = devices_find(manager->devices, DELAY_NAME);
    if (delay) {
        netdev_delete(manager->host, delay->netdev.ifindex, DELAY_NAME);
    }
    return rtnl_flush(manager->host, error);
}

bool link_set_matrix(struct link_manager *manager, struct matrix *wanted, const GPtrArray *vnodes, GError **error)
{
    static struct matrix none = {.references = 1};
    struct link_matrix *matrix = manager->matrix;
    const struct device *delay, *home;
    if (!ahead_survey(matrix->ahead, vnodes) && !wanted) {
        /* Filters of vnodes that stay may still lead to its device. */
        return vnodes->len || link_end_matrix(manager, error);
    }
    wanted = wanted ? wanted : &none;
    struct need need = find_need(wanted, vnodes);
    bool ok = true;
    forget_gone(matrix);
    if (!has_room(matrix, wanted, &need)) {
        unload(matrix);
        matrix->groups = wanted->groups;
        matrix->seed = wanted->seed;
        matrix->columns_most = MIN(2 * g_hash_table_size(need.groups) + SPARE, wanted->groups);
        matrix->sources_most = 2 * need.sources + SPARE;
        matrix->destinations_most = 2 * need.destinations + SPARE;
        matrix->vifaces_most = 2 * need.vifaces + SPARE;
        matrix->pairs_most = need.pairs > 1 ? MIN(2 * need.pairs + SPARE, PAIRS_MOST) : 1;
        ok = find_devices(manager, &delay, &home, error) && load(matrix, (uint32_t)delay->netdev.ifindex, error) &&
             write_devices(manager, delay, home, error);
    }
    ok = ok && write_maps(matrix, wanted, &need, error);
    g_hash_table_unref(need.groups);
    matrix_unref(matrix->held);
    matrix->held = matrix_ref(wanted);
    if (!ok) {
        unload(matrix);
    }
    return ok;
}

static void take_filter(struct nlmsghdr *header, void *aux)
{
    struct matrix_filter *found = aux;
    struct nlattr *kind = nlmsg_find_attr(header, sizeof(struct tcmsg), TCA_KIND);
    struct nlattr *options = nlmsg_find_attr(header, sizeof(struct tcmsg), TCA_OPTIONS);
    if (header->nlmsg_type == RTM_NEWTFILTER && kind && options && !strcmp(nla_get_string(kind), "bpf")) {
        struct nlattr *id = nla_find(nla_data(options), nla_len(options), TCA_BPF_ID);
        found->program = id ? nla_get_u32(id) : UINT32_MAX;
    }
}

void matrix_filter_read(struct rtnl *rtnl, int ifindex, struct matrix_filter *ret)
{
    *ret = (struct matrix_filter){0};
    const struct tcmsg header = filter_header(ifindex, EGRESS);
    const struct rtnl_options options = {.tolerated = RTNL_ANY_ERROR, .answer = take_filter, .aux = ret};
    struct nl_msg *message = rtnl_message(RTM_GETTFILTER, 0, &header, sizeof header, 16);
    rtnl_put_string(message, TCA_KIND, "bpf");
    rtnl_queue(rtnl, message, &options, "reading a filter");
}

void matrix_filter_write(struct rtnl *rtnl, const struct link_matrix *matrix, int ifindex, const struct matrix_filter *found,
                         const char *what)
{
    if (matrix && found->program != matrix->id) {
        put_filter(rtnl, ifindex, EGRESS, matrix->program, what);
    } else if (!matrix && found->program) {
        struct tcmsg header = filter_header(ifindex, EGRESS);
        const struct rtnl_options options = {.tolerated = ENOENT};
        header.tcm_handle = 0;
        struct nl_msg *message = rtnl_message(RTM_DELTFILTER, 0, &header, sizeof header, 16);
        rtnl_put_string(message, TCA_KIND, "bpf");
        rtnl_queue(rtnl, message, &options, "removing the latency matrix from the %s", what);
    }
}

/* Appends an address unless there is none. */
static void add_address(GArray *addresses, const struct ip_addr *address)
{
    char text[IP_TEXT_SIZE];
    struct matrix_address key;
    if (address->family && read_address(ip_format(address, text), &key)) {
        g_array_append_val(addresses, key);
    }
}

/* Makes the addresses of a vnode that has a group those of its device. */
static bool set_addresses(struct link_matrix *matrix, const struct vnode *vnode, int ifindex, GError **error)
{
    GArray *addresses = g_array_new(FALSE, FALSE, sizeof(struct matrix_address));
    for (unsigned i = 0; i < vnode->vifaces->len; i++) {
        add_address(addresses, &vnode_viface(vnode, i)->ipv4);
        add_address(addresses, &vnode_viface(vnode, i)->ipv6);
    }
    const struct matrix_target target = {
        .identity = addresses->len ? matrix_identity(&g_array_index(addresses, struct matrix_address, 0)) : 0,
        .column = get_column(matrix, vnode->group - 1),
    };
    struct matrix_destination key = {.ifindex = (uint32_t)ifindex};
    const GArray *before = g_hash_table_lookup(matrix->addressed, GINT_TO_POINTER(ifindex));
    for (unsigned i = 0; before && i < before->len; i++) {
        key.address = g_array_index(before, struct matrix_address, i);
        bool stays = false;
        for (unsigned j = 0; j < addresses->len; j++) {
            stays |= equal_addresses(&key.address, &g_array_index(addresses, struct matrix_address, j));
        }
        if (!stays) {
            bpf_map_delete_elem(matrix->destinations, &key);
        }
    }
    bool ok = true;
    for (unsigned i = 0; ok && i < addresses->len; i++) {
        key.address = g_array_index(addresses, struct matrix_address, i);
        ok = bpf_map_update_elem(matrix->destinations, &key, &target, BPF_ANY) == 0;
    }
    int errnum = errno;
    g_hash_table_insert(matrix->addressed, GINT_TO_POINTER(ifindex), addresses);
    return ok || fail(error, DISTEM_ERROR_SYSTEM, errnum, "cannot enter vnode %s into the latency matrix", vnode->name);
}

bool matrix_set_destination(struct link_matrix *matrix, const struct vnode *vnode, const struct viface *viface, int ifindex,
                            GError **error)
{
    return (!vnode->group || set_addresses(matrix, vnode, ifindex, error)) &&
           ahead_set_receiver(matrix->ahead, viface, (uint32_t)ifindex, error);
}
