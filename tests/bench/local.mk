# Benchmarks: built by `make check`, run by `make bench`.
check_PROGRAMS += tests/bench/bench-plan
tests_bench_bench_plan_SOURCES = tests/bench/bench-plan.c
tests_bench_bench_plan_LDADD = libplan.la

check_PROGRAMS += tests/bench/bench-ovs
tests_bench_bench_ovs_SOURCES = tests/bench/bench-ovs.c tests/unit/ovs-sandbox.c tests/unit/ovs-sandbox.h
tests_bench_bench_ovs_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_bench_bench_ovs_LDADD = $(LIBOVS_LDADD) libtopology.la libbase.la

PHONY_TARGETS += bench
bench: tests/bench/bench-plan tests/bench/bench-ovs
	tests/bench/bench-plan
	top_srcdir='$(abs_top_srcdir)' tests/bench/bench-ovs
