# What needs no liblxc: requests, cgroups, what dead containers leave.
noinst_LTLIBRARIES += libvnodebase.la libvnode.la
libvnodebase_la_SOURCES = \
	src/vnode/cgroup.c src/vnode/cgroup.h \
	src/vnode/layout.c src/vnode/layout.h \
	src/vnode/process.c src/vnode/process.h \
	src/vnode/remains.c src/vnode/remains.h \
	src/vnode/request.c src/vnode/request.h \
	src/vnode/tree.c src/vnode/tree.h
libvnodebase_la_LIBADD = libbase.la $(JANSSON_LIBS)

# The daemon's side.
libvnode_la_SOURCES = \
	src/vnode/exec-request.c \
	src/vnode/purge.c \
	src/vnode/runner.c \
	src/vnode/start-exec.c \
	include/distem/exec-request.h include/distem/vnode.h include/distem/poll.h
libvnode_la_LIBADD = libvnodebase.la

# The worker, with liblxc.
pkglibexec_PROGRAMS += distem-vnode distem-init
distem_vnode_SOURCES = \
	src/vnode/main.c \
	src/vnode/command.c src/vnode/command.h \
	src/vnode/container.c src/vnode/container.h \
	src/vnode/container-config.c src/vnode/container-config.h \
	src/vnode/exec.c src/vnode/exec.h \
	src/vnode/lxc-log.c src/vnode/lxc-log.h \
	src/vnode/pump.c src/vnode/pump.h \
	src/vnode/worker.c src/vnode/worker.h
distem_vnode_CFLAGS = $(AM_CFLAGS) $(LXC_CFLAGS)
distem_vnode_LDADD = libvnodebase.la $(LXC_LIBS)

# Process 1 of every vnode, in images with any C library or none: static, and without sanitizers, which cannot be.
distem_init_SOURCES = src/vnode/init.c
distem_init_CFLAGS = -std=gnu17 -Wall -Wextra
distem_init_LDFLAGS = -all-static

check_PROGRAMS += tests/unit/test-vnode tests/unit/test-vnode-runner
tests_unit_test_vnode_SOURCES = tests/unit/test-vnode.c src/vnode/lxc-log.c
tests_unit_test_vnode_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_vnode_LDADD = libvnodebase.la
tests_unit_test_vnode_runner_SOURCES = tests/unit/test-vnode-runner.c tests/unit/fake-poll.c tests/unit/fake-poll.h
tests_unit_test_vnode_runner_LDADD = libvnode.la
TESTS += tests/unit/test-vnode tests/unit/test-vnode-runner
EXTRA_DIST += tests/unit/fake-worker

check_PROGRAMS += tests/system/test-vnode tests/system/test-vnode-exec
vnode_fixture = tests/system/vnode-fixture.c tests/system/vnode-fixture.h tests/unit/fake-poll.c
tests_system_test_vnode_SOURCES = tests/system/test-vnode.c $(vnode_fixture)
tests_system_test_vnode_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_system_test_vnode_LDADD = libvnode.la
tests_system_test_vnode_exec_SOURCES = tests/system/test-vnode-exec.c $(vnode_fixture)
tests_system_test_vnode_exec_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_system_test_vnode_exec_LDADD = libvnode.la
SYSTEM_TESTS += tests/system/vnode-native.sh tests/system/vnode-exec-native.sh
