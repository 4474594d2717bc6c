# Fuzzers. Each is one fuzz-NAME.c with an LLVMFuzzerTestOneInput() and a folder corpus/NAME. In every build it is linked with replay.c
# to a test that feeds it its corpus; with --enable-fuzzers and clang also with libFuzzer, which `make check-fuzz` runs for
# FUZZ_SECONDS (60) each. To add one, repeat the three groups of lines of fuzz-topology.
EXTRA_DIST += tests/fuzz/run.sh tests/fuzz/topology.dict tests/fuzz/corpus

check_PROGRAMS += tests/fuzz/replay-topology
TESTS += tests/fuzz/replay-topology
tests_fuzz_replay_topology_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz-topology.c
tests_fuzz_replay_topology_LDADD = libtopology.la

EXTRA_PROGRAMS += tests/fuzz/fuzz-topology
tests_fuzz_fuzz_topology_SOURCES = tests/fuzz/fuzz-topology.c
tests_fuzz_fuzz_topology_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_topology_LDADD = libtopology.la

check_PROGRAMS += tests/fuzz/replay-exec
TESTS += tests/fuzz/replay-exec
tests_fuzz_replay_exec_SOURCES = tests/fuzz/replay.c $(fuzz_exec_sources)
tests_fuzz_replay_exec_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_replay_exec_LDADD = libvnodebase.la
fuzz_exec_sources = tests/fuzz/fuzz-exec.c src/vnode/lxc-log.c

EXTRA_PROGRAMS += tests/fuzz/fuzz-exec
tests_fuzz_fuzz_exec_SOURCES = $(fuzz_exec_sources)
tests_fuzz_fuzz_exec_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_exec_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_exec_LDADD = libvnodebase.la

if FUZZERS
FUZZ_TARGETS += tests/fuzz/fuzz-topology tests/fuzz/fuzz-exec
FUZZ_TESTS += tests/fuzz/run.sh
endif
