# The convergence of one machine.
noinst_LTLIBRARIES += libpnode.la
libpnode_la_SOURCES = \
	src/pnode/bridges.c src/pnode/bridges.h src/pnode/cleanup.c src/pnode/converge.c src/pnode/daemon.c src/pnode/doctor.c \
	src/pnode/health.c src/pnode/health.h src/pnode/item.c src/pnode/item.h src/pnode/lateness.c src/pnode/lateness.h src/pnode/limits.c src/pnode/limits.h src/pnode/machine.c src/pnode/machine.h \
	src/pnode/marks.c src/pnode/marks.h src/pnode/peers.c src/pnode/part.c src/pnode/part.h src/pnode/playback.c src/pnode/player.c src/pnode/player.h src/pnode/realtime.c src/pnode/realtime.h \
	src/pnode/report.c src/pnode/server.c src/pnode/share.c src/pnode/tunnels.c \
	src/pnode/tunnels.h src/pnode/underlay.c src/pnode/underlay.h src/pnode/observe.c \
	include/distem/pnode-daemon.h include/distem/pnode-server.h

check_PROGRAMS += tests/unit/test-bridges
TESTS += tests/unit/test-bridges
tests_unit_test_bridges_SOURCES = tests/unit/test-bridges.c tests/unit/make-platform.c tests/unit/make-platform.h
tests_unit_test_bridges_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_bridges_LDADD = libpnode.la liblink.la libplan.la $(LIBOVS_LDADD) libtopology.la libbase.la

check_PROGRAMS += tests/unit/test-health
TESTS += tests/unit/test-health
tests_unit_test_health_SOURCES = tests/unit/test-health.c src/pnode/health.c src/pnode/lateness.c src/pnode/realtime.c
tests_unit_test_health_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_health_LDADD = libbase.la $(GLIB_LIBS)

check_PROGRAMS += tests/unit/test-part
TESTS += tests/unit/test-part
tests_unit_test_part_SOURCES = tests/unit/test-part.c src/pnode/part.c
tests_unit_test_part_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_part_LDADD = libtopology.la libbase.la $(JANSSON_LIBS) $(GLIB_LIBS)

check_PROGRAMS += tests/unit/test-playback
TESTS += tests/unit/test-playback
tests_unit_test_playback_SOURCES = \
	tests/unit/test-playback.c tests/unit/fake-db.c tests/unit/fake-db.h \
	src/pnode/part.c src/pnode/playback.c src/pnode/player.c src/pnode/realtime.c
tests_unit_test_playback_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_playback_LDADD = libtopology.la libbase.la $(JANSSON_LIBS) $(GLIB_LIBS)
