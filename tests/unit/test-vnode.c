/* SPDX-License-Identifier: Apache-2.0 */
/* What the vnode module says and reads: requests and answers, frames, names; and how it deletes folders. */
#include <config.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fcntl.h>
#include <glib.h>

#include <glib/gstdio.h>

#include "distem/exec-protocol.h"
#include "src/vnode/layout.h"
#include "src/vnode/lxc-log.h"
#include "src/vnode/request.h"
#include "src/vnode/tree.h"

static void assert_round_trip(const struct vnode_request *in)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *line = vnode_request_format(in, &error);
    g_assert_no_error(error);
    g_assert_true(g_str_has_suffix(line, "\n"));
    AUTO_REQUEST out = {0};
    vnode_request_parse(line, strlen(line), &out, &error);
    g_assert_no_error(error);
    g_assert_cmpint(out.op, ==, in->op);
    g_assert_cmpuint(out.id, ==, in->id);
    g_assert_cmpstr(out.run_dir, ==, in->run_dir);
    g_assert_cmpstr(out.state_dir, ==, in->state_dir);
    g_assert_cmpstr(out.name, ==, in->name);
    g_assert_cmpstr(out.netns, ==, in->netns);
    g_assert_cmpstr(out.image, ==, in->image);
    g_assert_cmpuint(out.memory, ==, in->memory);
    g_assert_cmpuint(out.grace_ms, ==, in->grace_ms);
    g_assert_true(out.forget == in->forget);
}

static void test_request(void)
{
    char run[] = "/run/distem", state[] = "/var/lib/distem", name[] = "n-1", netns[] = "/run/distem/netns/3",
         image[] = "/srv/debian";
    assert_round_trip(&(struct vnode_request){.op = VNODE_OP_START,
                                              .id = 3,
                                              .run_dir = run,
                                              .state_dir = state,
                                              .name = name,
                                              .netns = netns,
                                              .image = image,
                                              .memory = INT64_MAX});
    assert_round_trip(&(struct vnode_request){
        .op = VNODE_OP_STOP, .id = UINT32_MAX, .run_dir = run, .state_dir = state, .grace_ms = 1500, .forget = true});
    assert_round_trip(&(struct vnode_request){.op = VNODE_OP_LIST, .run_dir = run, .state_dir = state});
}

static void test_request_malformed(void)
{
#define DIRS "\"run_dir\":\"/r\",\"state_dir\":\"/s\""
#define START "\"op\":\"start\",\"id\":1,\"name\":\"n\",\"netns\":\"/n\",\"image\":\"host\"," DIRS
    static const char *const lines[] = {
        "",
        "\n",
        "{",
        "[]",
        "{}",
        "null",
        "{\"op\":\"start\"}",
        "{\"op\":\"jump\",\"id\":1," DIRS "}",
        "{\"op\":\"stop\",\"id\":0," DIRS "}",
        "{\"op\":\"stop\",\"id\":-1," DIRS "}",
        "{\"op\":\"stop\",\"id\":4294967296," DIRS "}",
        "{\"op\":\"stop\",\"id\":1.5," DIRS "}",
        "{\"op\":\"stop\",\"id\":1,\"grace_ms\":-1," DIRS "}",
        "{\"op\":\"stop\",\"id\":1,\"run_dir\":\"r\",\"state_dir\":\"/s\"}",
        "{\"op\":\"stop\",\"id\":1,\"run_dir\":\"/r\",\"state_dir\":\"/s,/t\"}",
        "{\"op\":\"stop\",\"id\":1," DIRS ",\"more\":1}",
        "{" START "} {}",
        "{" START ",\"id\":2}",
        "{" START ",\"memory\":-1}",
        "{" START ",\"memory\":9223372036854775808}",
        "{\"op\":\"start\",\"id\":1,\"name\":\"-n\",\"netns\":\"/n\",\"image\":\"host\"," DIRS "}",
        "{\"op\":\"start\",\"id\":1,\"name\":\"n m\",\"netns\":\"/n\",\"image\":\"host\"," DIRS "}",
        "{\"op\":\"start\",\"id\":1,\"name\":\"n\",\"netns\":\"n\",\"image\":\"host\"," DIRS "}",
        "{\"op\":\"start\",\"id\":1,\"name\":\"n\",\"netns\":\"/n\",\"image\":\"guest\"," DIRS "}",
        "{\"op\":\"start\",\"id\":1,\"name\":\"n\",\"netns\":\"/n\",\"image\":\"/a:/b\"," DIRS "}",
        "{\"op\":\"start\",\"id\":1,\"name\":\"n\",\"netns\":\"/n\",\"image\":\"/a\\nlxc.hook.start = /x\"," DIRS "}",
        "{\"op\":\"start\",\"id\":1,\"name\":\"n\\u0000\",\"netns\":\"/n\",\"image\":\"host\"," DIRS "}",
        "{\"op\":\"start\",\"id\":1,\"name\":\"\xff\",\"netns\":\"/n\",\"image\":\"host\"," DIRS "}",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(GError) error = NULL;
        AUTO_REQUEST request = {.id = 77};
        if (vnode_request_parse(lines[i], strlen(lines[i]), &request, &error)) {
            g_error("taken: %s", lines[i]);
        }
        g_assert_error(error, DISTEM_ERROR, DISTEM_ERROR_INVALID);
        g_assert_cmpuint(request.id, ==, 77);
    }
    g_autoptr(GError) error = NULL;
    AUTO_REQUEST request = {0};
    g_assert_true(vnode_request_parse("{" START "}", strlen("{" START "}"), &request, &error));
}

static void test_answer(void)
{
    struct vnode_result in = {.op = VNODE_OP_LIST, .containers = g_array_new(FALSE, FALSE, sizeof(struct vnode_container))};
    for (uint32_t id = 1; id <= 1000; id++) {
        struct vnode_container r = {.vnode_id = id, .pid = (pid_t)id + 5};
        g_array_append_val(in.containers, r);
    }
    g_autofree char *line = vnode_answer_format(&in);
    struct vnode_result out = {.op = VNODE_OP_LIST};
    vnode_answer_parse(line, strlen(line), &out);
    g_assert_no_error(out.error);
    g_assert_cmpmem(out.containers->data, out.containers->len * sizeof(struct vnode_container), in.containers->data,
                    in.containers->len * sizeof(struct vnode_container));
    vnode_result_clear(&in);
    vnode_result_clear(&out);

    in = (struct vnode_result){.op = VNODE_OP_STOP};
    fail(&in.error, DISTEM_ERROR_NOT_FOUND, 0, "no \"thing\" \xff\n here");
    g_autofree char *failure = vnode_answer_format(&in);
    out = (struct vnode_result){.op = VNODE_OP_STOP};
    vnode_answer_parse(failure, strlen(failure), &out);
    g_assert_error(out.error, DISTEM_ERROR, DISTEM_ERROR_NOT_FOUND);
    vnode_result_clear(&in);
    vnode_result_clear(&out);

    static const char *const nonsense[] = {
        "", "{}", "[]", "{\"pid\":0}", "{\"pid\":-1}", "{\"pid\":99999999999}", "{\"error\":{}}"};
    for (unsigned i = 0; i < G_N_ELEMENTS(nonsense); i++) {
        out = (struct vnode_result){.op = VNODE_OP_START};
        vnode_answer_parse(nonsense[i], strlen(nonsense[i]), &out);
        g_assert_error(out.error, DISTEM_ERROR, DISTEM_ERROR_SYSTEM);
        vnode_result_clear(&out);
    }
}

/* A stream of frames of all sizes comes out as it went in, however it is cut. */
static void test_frames(void)
{
    static const size_t sizes[] = {0, 1, 4, 5, 1000, EXEC_PAYLOAD_MAX - 1, EXEC_PAYLOAD_MAX, 3, 0, EXEC_PAYLOAD_MAX};
    g_autoptr(GByteArray) stream = g_byte_array_new();
    g_autofree uint8_t *payload = g_malloc(EXEC_PAYLOAD_MAX);
    for (unsigned i = 0; i < EXEC_PAYLOAD_MAX; i++) {
        payload[i] = (uint8_t)g_test_rand_int();
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        uint8_t header[EXEC_HEADER_SIZE];
        exec_header_write(header, i % 2 ? EXEC_STDOUT : EXEC_STDERR, sizes[i]);
        g_byte_array_append(stream, header, sizeof header);
        g_byte_array_append(stream, payload, (guint)sizes[i]);
    }
    g_autofree struct exec_reader *reader = g_new0(struct exec_reader, 1);
    unsigned frame = 0;
    for (size_t at = 0; at < stream->len || frame < G_N_ELEMENTS(sizes);) {
        uint8_t type;
        const uint8_t *data;
        size_t length, space;
        enum exec_reader_state state = exec_reader_next(reader, &type, &data, &length);
        if (state == EXEC_READER_FRAME) {
            g_assert_cmpint(type, ==, frame % 2 ? EXEC_STDOUT : EXEC_STDERR);
            g_assert_cmpmem(data, length, payload, sizes[frame]);
            frame++;
            continue;
        }
        g_assert_cmpint(state, ==, EXEC_READER_MORE);
        uint8_t *to = exec_reader_space(reader, &space);
        g_assert_cmpuint(space, >, 0);
        size_t n = (size_t)g_test_rand_int_range(1, 9000);
        n = MIN(n, MIN(space, stream->len - at));
        g_assert_cmpuint(n, >, 0);
        memcpy(to, stream->data + at, n);
        exec_reader_added(reader, n);
        at += n;
    }
    g_assert_cmpuint(frame, ==, G_N_ELEMENTS(sizes));
}

static void test_frame_too_long(void)
{
    g_autofree struct exec_reader *reader = g_new0(struct exec_reader, 1);
    uint8_t type;
    const uint8_t *data;
    size_t length, space;
    exec_header_write(exec_reader_space(reader, &space), EXEC_STDIN, EXEC_PAYLOAD_MAX + 1);
    exec_reader_added(reader, EXEC_HEADER_SIZE - 1);
    g_assert_cmpint(exec_reader_next(reader, &type, &data, &length), ==, EXEC_READER_MORE);
    exec_reader_added(reader, 1);
    g_assert_cmpint(exec_reader_next(reader, &type, &data, &length), ==, EXEC_READER_INVALID);
}

static void test_layout(void)
{
    g_autofree char *a = vnode_cgroup("/run/distem", 7);
    g_autofree char *b = vnode_cgroup("/run/distem/", 7);
    g_autofree char *c = vnode_cgroup("/run/distem2", 7);
    g_assert_cmpstr(a, ==, b);
    g_assert_cmpstr(a, !=, c);
    g_assert_true(g_str_has_prefix(a, "distem-") && g_str_has_suffix(a, "/7"));
    uint32_t id;
    g_assert_true(layout_parse_id("4294967295", &id) && id == UINT32_MAX);
    static const char *const others[] = {"", "0", "01", "-1", "+1", "4294967296", "1x", "monitor"};
    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++) {
        g_assert_false(layout_parse_id(others[i], &id));
    }
}

static void test_lxc_log(void)
{
    g_autofree char *cause = lxc_log_cause(
        "lxc 20260131120000.123 WARN     conf - ../src/lxc/conf.c:f:1 - Not this\n"
        "lxc 3 20260131120000.124 ERROR    conf - ../src/lxc/conf.c:mount_entry:2412 - No such file - Failed to mount\n"
        "lxc 3 20260131120000.125 ERROR    start - ../src/lxc/start.c:start:99 - Failed to spawn\n");
    g_assert_cmpstr(cause, ==, "No such file - Failed to mount");
    g_assert_null(lxc_log_cause(""));
    g_assert_null(lxc_log_cause("lxc WARN conf - x - y\n"));
}

/* A folder deeper than descriptors and PATH_MAX would allow, links that lead out of it, and files of all kinds. */
static void test_tree(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *top = g_dir_make_tmp("distem-test-XXXXXX", NULL);
    g_autofree char *kept = g_build_filename(top, "kept", NULL);
    g_autofree char *file = g_build_filename(kept, "file", NULL);
    g_autofree char *tree = g_build_filename(top, "tree", NULL);
    g_autofree char *link = g_build_filename(tree, "link", NULL);
    g_autofree char *fifo = g_build_filename(tree, "fifo", NULL);
    g_autofree char *cwd = g_get_current_dir();
    g_assert_true(tree_make(kept, 0755, &error) && tree_make(tree, 0755, &error));
    g_assert_true(g_file_set_contents(file, "x", -1, NULL));
    g_assert_cmpint(symlink(kept, link), ==, 0);
    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    g_assert_cmpint(chdir(tree), ==, 0);
    for (unsigned i = 0; i < 1500; i++) {
        g_assert_cmpint(mkdir("deep", 0700), ==, 0);
        close(g_creat("file", 0600));
        g_assert_cmpint(chdir("deep"), ==, 0);
    }
    g_assert_cmpint(chdir(cwd), ==, 0);
    tree_remove(tree, &error);
    g_assert_no_error(error);
    g_assert_false(g_file_test(tree, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
    g_assert_true(tree_remove(tree, &error));
    g_assert_cmpint(symlink(kept, tree), ==, 0);
    g_assert_true(tree_remove(tree, &error));
    g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
    g_assert_true(tree_remove(top, &error));
    g_assert_false(g_file_test(top, G_FILE_TEST_EXISTS));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vnode/request", test_request);
    g_test_add_func("/vnode/request/malformed", test_request_malformed);
    g_test_add_func("/vnode/answer", test_answer);
    g_test_add_func("/vnode/frames", test_frames);
    g_test_add_func("/vnode/frames/too-long", test_frame_too_long);
    g_test_add_func("/vnode/layout", test_layout);
    g_test_add_func("/vnode/lxc-log", test_lxc_log);
    g_test_add_func("/vnode/tree", test_tree);
    return g_test_run();
}
