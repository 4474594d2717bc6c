# Tests that are no program of one module: end to end, accuracy, lint, fuzzers, the tarball. Those that other lists than TESTS name must
# have an extension: automake makes no rule for them by name.
SYSTEM_TESTS += \
	tests/system/crash.sh tests/lab/test-lab.sh tests/system/isolation.sh tests/system/native.sh \
	tests/system/health.sh tests/system/pnodes.sh tests/system/set.sh tests/system/switch.sh \
	tests/system/up.sh tests/system/vnode.sh tests/system/vnode-exec.sh
# Without sanitizers: what is measured, and what would take too long with them.
ACCURACY_TESTS += \
	tests/system/machines.sh tests/system/pnodes-examples.sh tests/system/pnodes-faults.sh tests/system/examples.sh
LINT_TESTS = tests/lint/format.sh tests/lint/rules.sh tests/lint/clang-tidy.sh tests/lint/cppcheck.sh
DIST_TESTS = tests/dist.sh
dist_noinst_SCRIPTS += tests/demo
EXTRA_DIST += tests/system/crash_picture.py tests/system/playback_traffic.py tests/lib.sh tests/playback.sh tests/pnodes.sh tests/lint/lib.sh tests/lint/cppcheck.txt \
	tests/lab/README.md tests/lab/lab tests/lab/test-lab.sh tests/lab/guest tests/lab/host \
	$(SYSTEM_TESTS) $(ACCURACY_TESTS) $(LINT_TESTS) $(DIST_TESTS)

include tests/fuzz/local.mk

# Each list runs like `make check`, with a summary of its own; those that need no test programs do not build them.
PHONY_TARGETS += check-system check-accuracy check-lint check-fuzz check-dist
check-system: all $(check_PROGRAMS) $(SYSTEM_HELPERS)
	+$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(SYSTEM_TESTS)'
check-accuracy: all
	+$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(ACCURACY_TESTS)'
check-lint: $(BUILT_SOURCES) ovs/distem-idl.h
	+$(MAKE) $(AM_MAKEFLAGS) check-TESTS check_PROGRAMS= TESTS='$(LINT_TESTS)'
check-fuzz: $(FUZZ_TARGETS)
	+$(MAKE) $(AM_MAKEFLAGS) check-TESTS check_PROGRAMS= TESTS='$(FUZZ_TESTS)'
check-dist:
	+$(MAKE) $(AM_MAKEFLAGS) check-TESTS check_PROGRAMS= TESTS='$(DIST_TESTS)'

include tests/bench/local.mk
include tests/evaluate/local.mk
# The shorter ones last: then no processor waits for a long one that has begun late.
ACCURACY_TESTS += \
	tests/system/playback.sh tests/system/matrix.sh tests/system/pnodes-isolation.sh tests/system/pnodes-count.sh \
	tests/system/figure3.sh tests/system/pnodes-cluster.sh tests/system/pnodes-playback.sh tests/system/compensate.sh \
	tests/system/playback-many.sh
