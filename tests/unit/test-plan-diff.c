/* SPDX-License-Identifier: Apache-2.0 */
/* Differences between platforms. */
#include <config.h>

#include <glib.h>

#include "distem/units.h"
#include "make-platform.h"

/* Asserts that the difference, one change a line, is 'expected'. */
static void assert_diff(const struct platform *from, const struct platform *to, const char *expected)
{
    g_autoptr(GPtrArray) changes = plan_diff(from, to);
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < changes->len; i++) {
        const struct change *change = changes->pdata[i];
        g_string_append_printf(text, "%c %s %s%s%s\n", "+-~"[change->kind], change -> object, change -> name,
                               change -> detail ? ": " : "", change->detail ? change->detail : "");
    }
    g_assert_cmpstr(text->str, ==, expected);
}

static void test_whole(void)
{
    AUTO_PLATFORM platform = plan_alone(make_figure3());
    assert_diff(platform, platform, "");
    assert_diff(NULL, NULL, "");
    AUTO_PLATFORM empty = platform_new("empty");
    assert_diff(NULL, empty, "+ platform empty\n");
    assert_diff(NULL, platform,
                "+ platform figure3\n+ vnetwork net1\n+ vnetwork net2\n"
                "+ vnode n1\n+ viface n1:if0\n+ vnode n2\n+ viface n2:if0\n+ vnode n3\n+ viface n3:if0\n+ viface n3:if1\n"
                "+ vnode n4\n+ viface n4:if0\n+ vnode n5\n+ viface n5:if0\n");
    assert_diff(platform, NULL,
                "- platform figure3\n"
                "- vnode n1\n- viface n1:if0\n- vnode n2\n- viface n2:if0\n- vnode n3\n- viface n3:if0\n- viface n3:if1\n"
                "- vnode n4\n- viface n4:if0\n- vnode n5\n- viface n5:if0\n- vnetwork net1\n- vnetwork net2\n");
}

/* Returns a matrix of two groups. */
static struct matrix *make_matrix(const char *first, int64_t latency)
{
    struct matrix *matrix = matrix_new(2);
    matrix->group[0].selector = g_strdup(first);
    matrix->group[1].selector = g_strdup("n2");
    matrix->cells[1].latency = latency;
    return matrix;
}

static void test_matrix(void)
{
    AUTO_PLATFORM none = plan_alone(make_figure3());
    AUTO_PLATFORM before = platform_copy(none);
    before->matrix = make_matrix("n1", 5);
    AUTO_PLATFORM same = platform_copy(before);
    AUTO_PLATFORM after = platform_copy(none);
    AUTO_PLATFORM other = platform_copy(none);
    after->matrix = make_matrix("n1", 6);
    after->matrix->cells[2].loss = 7;
    other->matrix = make_matrix("n3", 5);
    assert_diff(before, same, "");
    assert_diff(none, before, "~ matrix figure3: none -> a new one\n");
    assert_diff(before, after, "~ matrix figure3: 2 values\n");
    assert_diff(before, other, "~ matrix figure3: other groups\n");
    AUTO_PLATFORM seeded = platform_copy(none);
    seeded->matrix = make_matrix("n1", 5);
    seeded->matrix->seed = 7;
    assert_diff(before, seeded, "~ matrix figure3: seed 0 -> 7\n");
    assert_diff(seeded, after, "~ matrix figure3: 2 values, seed 7 -> 0\n");
    assert_diff(before, none, "~ matrix figure3: none any more\n");
}

static void test_observed(void)
{
    AUTO_PLATFORM platform = plan_alone(make_figure3());
    AUTO_PLATFORM later = platform_copy(platform);
    later->generation = 9;
    platform_vnode(later, 0)->state = VNODE_STATE_FAILED;
    platform_vnode(later, 0)->error = g_strdup("no");
    platform_vnode(later, 1)->pid = 77;
    assert_diff(platform, later, "");
}

static void test_changed(void)
{
    AUTO_PLATFORM platform = plan_alone(make_figure3());
    AUTO_PLATFORM later = platform_copy(platform);
    later->routing = ROUTING_LATENCY;
    platform_vnetwork(later, 1)->mtu = 9000;
    struct vnode *n1 = platform_find_vnode(later, "n1");
    n1->memory = 256 << 20;
    n1->pnode = g_strdup("p1");
    n1->forwards = true;
    struct viface *viface = vnode_viface(n1, 0);
    viface->input.latency = 20 * NS_PER_MS;
    viface->output.bandwidth = 2000000;
    viface->mac.bytes[5]++;
    viface->ipv4 = make_address("10.144.2.77");
    g_array_unref(n1->routes);
    n1->routes = g_array_new(FALSE, FALSE, sizeof(struct route));
    assert_diff(platform, later,
                "~ platform figure3: routing hops -> latency\n"
                "~ vnetwork net2: mtu 0 -> 9000\n"
                "~ vnode n1: pnode none -> p1, memory 0B -> 256MiB, forwards no -> yes, routes +0 -1\n"
                "~ viface n1:if0: ipv4 10.144.2.1 -> 10.144.2.77, mac 02:d1:00:00:00:04 -> 02:d1:00:00:00:05, "
                "input.latency 30ms -> 20ms, output.bandwidth 1Mbit/s -> 2Mbit/s\n");
}

static void test_vifaces(void)
{
    AUTO_PLATFORM platform = plan_alone(make_figure3());
    AUTO_PLATFORM later = platform_copy(platform);
    struct vnode *n3 = platform_find_vnode(later, "n3");
    g_ptr_array_remove_index(n3->vifaces, 0);
    vnode_add_viface(n3, "if7", platform_vnetwork(later, 0));
    assert_diff(platform, later, "- viface n3:if0\n+ viface n3:if7\n");
}

static void test_vroutes(void)
{
    struct platform *asked = make_figure3();
    make_vroute(asked, "net1", "net2", "n3");
    make_vroute(asked, "net1", "192.0.2.0/24", "n3");
    AUTO_PLATFORM platform = plan_alone(asked);
    AUTO_PLATFORM later = platform_copy(platform);
    platform_vroute(later, 0)->via = platform_find_vnode(later, "n2");
    g_ptr_array_remove_index(later->vroutes, 1);
    make_vroute(later, "net2", "0.0.0.0/0", "n4");
    assert_diff(platform, later,
                "- vroute net1 -> 192.0.2.0/24\n~ vroute net1 -> net2: via n3 -> n2\n+ vroute net2 -> 0.0.0.0/0\n");
}

static void test_traces(void)
{
    AUTO_PLATFORM platform = plan_alone(make_figure3());
    platform_add_playback(platform, "gone", "0 1ms");
    platform_add_playback(platform, "other", "0 1ms");
    AUTO_PLATFORM later = platform_copy(platform);
    struct impairment *input = &vnode_viface(platform_find_vnode(later, "n1"), 0)->input;
    g_ptr_array_remove_index(later->playbacks, 0);
    platform_playback(later, 0)->text[2] = '2';
    platform_add_playback(later, "new", "0 30ms");
    input->latency_trace = 2;
    assert_diff(
        platform, later,
        "~ viface n1:if0: input.latency 30ms -> {\"trace\": \"new\"}\n- trace gone\n~ trace other: other lines\n+ trace new\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/diff/whole", test_whole);
    g_test_add_func("/plan/diff/matrix", test_matrix);
    g_test_add_func("/plan/diff/observed", test_observed);
    g_test_add_func("/plan/diff/changed", test_changed);
    g_test_add_func("/plan/diff/vifaces", test_vifaces);
    g_test_add_func("/plan/diff/vroutes", test_vroutes);
    g_test_add_func("/plan/diff/traces", test_traces);
    return g_test_run();
}
