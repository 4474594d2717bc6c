/* SPDX-License-Identifier: Apache-2.0 */
/* What a frame costs in the latency matrix: the program runs on frames between vnodes of a matrix of 10 groups and of one of 1,000,
 * there and back from the device that delays. Run by bench-matrix.sh in the lab. */
#include <config.h>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "distem/link.h"
#include "src/link/manager.h"

#define LO 1
#define ROUNDS 20000
#define FRAME 1514

static void die(const char *what)
{
    fprintf(stderr, "bench-matrix: %s\n", what);
    exit(1);
}

/* Returns a matrix of groups of one vnode each, 10.0.x.y, all cells different. */
static struct matrix *make_matrix(unsigned groups)
{
    struct matrix *matrix = matrix_new(groups);
    for (unsigned i = 0; i < groups; i++) {
        matrix->group[i].selector = g_strdup_printf("n%u", i);
        matrix->group[i].addresses = g_strdup_printf("10.0.%u.%u", i / 250, i % 250 + 1);
        for (unsigned j = 0; j < groups; j++) {
            matrix->cells[(size_t)i * groups + j].latency = 1000000 + (int64_t)i * groups + j;
        }
    }
    return matrix;
}

/* Prints what it takes to bring a matrix of so many groups to the kernel, for a vnode of each, and what when it is there already.
 */
static void measure_again(struct link_manager *manager, unsigned groups)
{
    g_autoptr(GError) error = NULL;
    struct matrix *matrix = make_matrix(groups);
    AUTO_PLATFORM platform = platform_new("bench");
    g_autoptr(GPtrArray) vnodes = g_ptr_array_new();
    gint64 took[2];
    for (unsigned i = 0; i < groups; i++) {
        struct vnode *vnode = platform_add_vnode(platform, matrix->group[i].selector);
        vnode->group = i + 1;
        g_ptr_array_add(vnodes, vnode);
    }
    for (unsigned round = 0; round < 2; round++) {
        gint64 start = g_get_monotonic_time();
        if (!link_set_matrix(manager, matrix, vnodes, &error)) {
            die(error->message);
        }
        took[round] = g_get_monotonic_time() - start;
    }
    printf("%u columns of %u groups are written in %.1f ms; when they are there, %.1f ms\n", groups, groups, (double)took[0] / 1e3,
           (double)took[1] / 1e3);
    matrix_unref(matrix);
}

/* Returns ns per frame to the last vnode of the matrix, from all others in turn. */
static double measure(struct link_manager *manager, unsigned groups)
{
    g_autoptr(GError) error = NULL;
    struct matrix *matrix = make_matrix(groups);
    AUTO_PLATFORM platform = platform_new("bench");
    struct vnode *vnode = platform_add_vnode(platform, "n");
    struct viface *viface = vnode_add_viface(vnode, "if0", platform_add_vnetwork(platform, "net"));
    g_autoptr(GPtrArray) vnodes = g_ptr_array_new();
    g_ptr_array_add(vnodes, vnode);
    vnode->group = groups;
    if (!ip_addr_parse(matrix->group[groups - 1].addresses, &viface->ipv4, NULL) ||
        !link_set_matrix(manager, matrix, vnodes, &error) || !matrix_set_destination(manager->matrix, vnode, viface, LO, &error)) {
        die(error ? error->message : "an address cannot be read");
    }
    unsigned char frame[FRAME] = {[12] = ETH_P_IP >> 8, [14] = 0x45};
    inet_pton(AF_INET, matrix->group[groups - 1].addresses, frame + 30);
    int program = bpf_prog_get_fd_by_id(matrix_program(manager->matrix));
    double sum = 0;
    for (unsigned i = 0; i + 1 < groups; i++) {
        inet_pton(AF_INET, matrix->group[i].addresses, frame + 26);
        struct __sk_buff context = {.ifindex = LO};
        LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof frame, .ctx_in = &context,
                    .ctx_size_in = sizeof context, .repeat = (int)(2 * ROUNDS / groups));
        if (program < 0 || bpf_prog_test_run_opts(program, &options)) {
            die("the program cannot be run");
        }
        sum += 2.0 * options.duration; /* It is the mean of both passes. */
    }
    matrix_unref(matrix);
    return sum / (groups - 1);
}

int main(void)
{
    g_autoptr(GError) error = NULL;
    struct link_manager *manager = link_manager_new("/run/bench-matrix", &error);
    if (!manager) {
        die(error->message);
    }
    (void)measure(manager, 10); /* Warms up. */
    double few = measure(manager, 10), many = measure(manager, 1000);
    printf("a frame in a matrix of 10 x 10: %.0f ns, of 1,000 x 1,000: %.0f ns (%.2f times as long)\n", few, many, many / few);
    measure_again(manager, 1000);
    if (!link_end_matrix(manager, &error)) {
        die(error->message);
    }
    link_manager_free(manager);
    return 0;
}
