# Benchmarks: built by `make check`, run by `make bench`.
check_PROGRAMS += tests/bench/bench-plan
tests_bench_bench_plan_SOURCES = tests/bench/bench-plan.c
tests_bench_bench_plan_LDADD = libplan.la

PHONY_TARGETS += bench
bench: tests/bench/bench-plan
	tests/bench/bench-plan
