# The plan: addresses, placement, routes; and what a planned platform promises. Pure.
noinst_LTLIBRARIES += libplan.la
libplan_la_SOURCES = \
	src/plan/addresses.c src/plan/circles.c src/plan/circles.h src/plan/classes.c src/plan/classes.h src/plan/compensation.c src/plan/diff.c src/plan/expect.c \
	src/plan/family.h src/plan/forwarding.c src/plan/forwarding.h src/plan/graph.c src/plan/graph.h src/plan/groups.c src/plan/groups.h src/plan/hash.h \
	src/plan/ids.c src/plan/losses.c src/plan/machines.c src/plan/machines.h src/plan/owners.c src/plan/owners.h src/plan/paths.c src/plan/placement.c src/plan/plan.c \
	src/plan/rounds.c src/plan/routes.c src/plan/shortest.c src/plan/shortest.h src/plan/tables.c src/plan/tables.h src/plan/targets.c src/plan/transports.c \
	src/plan/targets.h src/plan/twins.c src/plan/twins.h src/plan/ways.c src/plan/ways.h \
	include/distem/expect.h include/distem/plan.h
libplan_la_LIBADD = libtopology.la libbase.la -lm

plan_tests = tests/unit/test-expect tests/unit/test-plan-compensation tests/unit/test-plan-diff tests/unit/test-plan-ids tests/unit/test-plan-placement \
	tests/unit/test-plan-properties tests/unit/test-plan-routes tests/unit/test-plan-transports
check_PROGRAMS += $(plan_tests)
TESTS += $(plan_tests)
plan_test_sources = tests/unit/make-platform.c tests/unit/make-platform.h tests/unit/random-platform.c tests/unit/random-platform.h
tests_unit_test_expect_SOURCES = tests/unit/test-expect.c $(plan_test_sources)
tests_unit_test_expect_LDADD = libplan.la
tests_unit_test_plan_compensation_SOURCES = tests/unit/test-plan-compensation.c $(plan_test_sources)
tests_unit_test_plan_compensation_LDADD = libplan.la
tests_unit_test_plan_diff_SOURCES = tests/unit/test-plan-diff.c $(plan_test_sources)
tests_unit_test_plan_diff_LDADD = libplan.la
tests_unit_test_plan_ids_SOURCES = tests/unit/test-plan-ids.c $(plan_test_sources)
tests_unit_test_plan_ids_LDADD = libplan.la
tests_unit_test_plan_placement_SOURCES = tests/unit/test-plan-placement.c $(plan_test_sources)
tests_unit_test_plan_placement_LDADD = libplan.la
tests_unit_test_plan_properties_SOURCES = tests/unit/test-plan-properties.c $(plan_test_sources)
tests_unit_test_plan_properties_LDADD = libplan.la
tests_unit_test_plan_routes_SOURCES = tests/unit/test-plan-routes.c $(plan_test_sources)
tests_unit_test_plan_routes_LDADD = libplan.la
tests_unit_test_plan_transports_SOURCES = tests/unit/test-plan-transports.c $(plan_test_sources)
tests_unit_test_plan_transports_LDADD = libplan.la
