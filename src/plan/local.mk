# The plan: addresses, placement, routes; and what a planned platform promises. Pure.
noinst_LTLIBRARIES += libplan.la
libplan_la_SOURCES = \
	src/plan/addresses.c src/plan/circles.c src/plan/circles.h src/plan/classes.c src/plan/classes.h src/plan/diff.c src/plan/expect.c \
	src/plan/family.h src/plan/forwarding.c src/plan/forwarding.h src/plan/graph.c src/plan/graph.h src/plan/hash.h \
	src/plan/ids.c src/plan/machines.c src/plan/machines.h src/plan/owners.c src/plan/owners.h src/plan/paths.c src/plan/placement.c src/plan/plan.c \
	src/plan/rounds.c src/plan/routes.c src/plan/shortest.c src/plan/shortest.h src/plan/tables.c src/plan/tables.h src/plan/targets.c \
	src/plan/targets.h src/plan/twins.c src/plan/twins.h src/plan/ways.c src/plan/ways.h \
	include/distem/expect.h include/distem/plan.h
libplan_la_LIBADD = libtopology.la libbase.la -lm

check_PROGRAMS += tests/unit/test-expect
TESTS += tests/unit/test-expect
tests_unit_test_expect_SOURCES = tests/unit/test-expect.c tests/unit/make-platform.c tests/unit/make-platform.h
tests_unit_test_expect_LDADD = libplan.la
