# The REST resources.
noinst_LTLIBRARIES += libcoordinator.la
libcoordinator_la_SOURCES = \
	src/coordinator/coordinator.c src/coordinator/internal.h src/coordinator/json.c src/coordinator/peers.c src/coordinator/peers.h \
	src/coordinator/platform.c \
	src/coordinator/trace.c src/coordinator/trace-plan.c src/coordinator/trace-plan.h src/coordinator/trace-text.c \
	src/coordinator/trace-text.h \
	src/coordinator/verify.c src/coordinator/verify.h src/coordinator/verify-judge.c src/coordinator/verify-plan.c \
	src/coordinator/vnodes.c src/coordinator/watch.c \
	include/distem/coordinator.h

check_PROGRAMS += tests/unit/test-verify
tests_unit_test_verify_SOURCES = tests/unit/test-verify.c src/coordinator/verify-plan.c src/coordinator/verify-judge.c
tests_unit_test_verify_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_verify_LDADD = libplan.la libtopology.la libbase.la $(JANSSON_LIBS) $(GLIB_LIBS) -lm
TESTS += tests/unit/test-verify

check_PROGRAMS += tests/unit/test-trace
tests_unit_test_trace_SOURCES = tests/unit/test-trace.c src/coordinator/trace-plan.c src/coordinator/trace-text.c
tests_unit_test_trace_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_test_trace_LDADD = libplan.la libtopology.la libbase.la $(JANSSON_LIBS) $(GLIB_LIBS) -lm
TESTS += tests/unit/test-trace
