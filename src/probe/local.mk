# The prober: RTT, loss and goodput between vnodes.
noinst_LTLIBRARIES += libprobe.la
libprobe_la_SOURCES = \
	src/probe/goodput.c src/probe/input.c src/probe/input.h src/probe/loop.c src/probe/loop.h src/probe/loss.c \
	src/probe/measure.c src/probe/measure.h src/probe/rtt.c src/probe/serve.c src/probe/serve.h src/probe/socket.c \
	src/probe/socket.h src/probe/stats.c src/probe/stats.h include/distem/probe.h
libprobe_la_LIBADD = libbase.la $(JANSSON_LIBS) -lm

pkglibexec_PROGRAMS += distem-probe
distem_probe_SOURCES = src/probe/distem-probe.c
distem_probe_LDADD = libprobe.la

check_PROGRAMS += tests/unit/test-probe
tests_unit_test_probe_SOURCES = tests/unit/test-probe.c
tests_unit_test_probe_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_probe_LDADD = libprobe.la
TESTS += tests/unit/test-probe

dist_check_SCRIPTS += tests/system/test-probe.py
EXTRA_DIST += tests/system/probe_chain.py
ACCURACY_TESTS += tests/system/probe.sh
