# The REST resources.
noinst_LTLIBRARIES += libcoordinator.la
libcoordinator_la_SOURCES = \
	src/coordinator/calibrate.c src/coordinator/calibrate.h src/coordinator/coordinator.c src/coordinator/internal.h src/coordinator/join.c \
	src/coordinator/json.c src/coordinator/json-pnode.c src/coordinator/playback.c src/coordinator/peers.c src/coordinator/peers.h src/coordinator/platform.c \
	src/coordinator/pnodes.c src/coordinator/replan.c src/coordinator/trace.c src/coordinator/trace-plan.c \
	src/coordinator/trace-plan.h src/coordinator/trace-text.c src/coordinator/trace-text.h src/coordinator/verify.c src/coordinator/verify.h \
	src/coordinator/verify-judge.c src/coordinator/verify-plan.c src/coordinator/verify-run.c \
	src/coordinator/vifaces.c src/coordinator/vnodes.c src/coordinator/watch.c \
	include/distem/coordinator.h

check_PROGRAMS += tests/unit/test-verify
tests_unit_test_verify_SOURCES = tests/unit/test-verify.c tests/unit/fake-poll.c tests/unit/fake-poll.h \
	src/coordinator/verify-judge.c src/coordinator/verify-plan.c src/coordinator/verify-run.c
tests_unit_test_verify_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_verify_LDADD = libplan.la libtopology.la libbase.la $(JANSSON_LIBS) $(GLIB_LIBS) -lm
TESTS += tests/unit/test-verify

check_PROGRAMS += tests/unit/test-calibrate
tests_unit_test_calibrate_SOURCES = tests/unit/test-calibrate.c \
	src/coordinator/calibrate.c src/coordinator/verify-judge.c src/coordinator/verify-plan.c
tests_unit_test_calibrate_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_calibrate_LDADD = libplan.la libtopology.la libbase.la $(JANSSON_LIBS) $(GLIB_LIBS) -lm
TESTS += tests/unit/test-calibrate

check_PROGRAMS += tests/unit/test-peers
tests_unit_test_peers_SOURCES = \
	tests/unit/test-peers.c tests/unit/fake-poll.c tests/unit/fake-poll.h tests/cli/double-exec.c tests/cli/double.h \
	src/coordinator/peers.c src/pnode/server.c src/vnode/exec-request.c src/vnode/start-exec.c src/client/frames.c
tests_unit_test_peers_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_peers_LDADD = librest.la
TESTS += tests/unit/test-peers

check_PROGRAMS += tests/unit/test-pnodes
tests_unit_test_pnodes_SOURCES = \
	tests/unit/test-pnodes.c tests/unit/fake-db.c tests/unit/fake-db.h tests/unit/fake-poll.c tests/unit/fake-poll.h \
	tests/unit/rest-client.c tests/unit/rest-client.h src/pnode/server.c
tests_unit_test_pnodes_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_pnodes_LDADD = libcoordinator.la librest.la libplan.la libvnode.la libtopology.la libbase.la -lm
TESTS += tests/unit/test-pnodes

check_PROGRAMS += tests/unit/test-trace
tests_unit_test_trace_SOURCES = tests/unit/test-trace.c src/coordinator/trace-plan.c src/coordinator/trace-text.c
tests_unit_test_trace_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_trace_LDADD = libplan.la libtopology.la libbase.la $(JANSSON_LIBS) $(GLIB_LIBS) -lm
TESTS += tests/unit/test-trace
