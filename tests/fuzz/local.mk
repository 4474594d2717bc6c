# Fuzzers. Each is one fuzz-NAME.c with an LLVMFuzzerTestOneInput() and a folder corpus/NAME. In every build it is linked with replay.c
# to a test that feeds it its corpus; with --enable-fuzzers and clang also with libFuzzer, which `make check-fuzz` runs for
# FUZZ_SECONDS (30) each. To add one, add its name to the three lists and repeat the lines of fuzz-exec.
EXTRA_DIST += tests/fuzz/run.sh tests/fuzz/topology.dict tests/fuzz/corpus

fuzz_replays = tests/fuzz/replay-exec tests/fuzz/replay-frames tests/fuzz/replay-layout tests/fuzz/replay-playback tests/fuzz/replay-probe-input tests/fuzz/replay-topology
check_PROGRAMS += $(fuzz_replays)
TESTS += $(fuzz_replays)
EXTRA_PROGRAMS += tests/fuzz/fuzz-exec tests/fuzz/fuzz-frames tests/fuzz/fuzz-layout tests/fuzz/fuzz-playback tests/fuzz/fuzz-probe-input tests/fuzz/fuzz-topology
if FUZZERS
FUZZ_TARGETS += tests/fuzz/fuzz-exec tests/fuzz/fuzz-frames tests/fuzz/fuzz-layout tests/fuzz/fuzz-playback tests/fuzz/fuzz-probe-input tests/fuzz/fuzz-topology
FUZZ_TESTS += tests/fuzz/run.sh
endif
# For `make clean`: these are built on demand.
CLEANFILES += $(EXTRA_PROGRAMS)
fuzz_cppflags = $(AM_CPPFLAGS) -I$(top_srcdir)
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer

fuzz_exec_sources = tests/fuzz/fuzz-exec.c src/vnode/lxc-log.c src/vnode/lxc-log.h
tests_fuzz_replay_exec_SOURCES = tests/fuzz/replay.c $(fuzz_exec_sources)
tests_fuzz_replay_exec_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_replay_exec_LDADD = libvnodebase.la
tests_fuzz_fuzz_exec_SOURCES = $(fuzz_exec_sources)
tests_fuzz_fuzz_exec_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_exec_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_exec_LDADD = libvnodebase.la

fuzz_frames_sources = tests/fuzz/fuzz-frames.c src/client/frames.c src/client/frames.h
tests_fuzz_replay_frames_SOURCES = tests/fuzz/replay.c $(fuzz_frames_sources)
tests_fuzz_replay_frames_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_replay_frames_LDADD = $(GLIB_LIBS)
tests_fuzz_fuzz_frames_SOURCES = $(fuzz_frames_sources)
tests_fuzz_fuzz_frames_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_frames_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_frames_LDADD = $(GLIB_LIBS)

tests_fuzz_replay_probe_input_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz-probe-input.c
tests_fuzz_replay_probe_input_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_replay_probe_input_LDADD = libprobe.la
tests_fuzz_fuzz_probe_input_SOURCES = tests/fuzz/fuzz-probe-input.c
tests_fuzz_fuzz_probe_input_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_probe_input_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_probe_input_LDADD = libprobe.la

tests_fuzz_replay_layout_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz-layout.c
tests_fuzz_replay_layout_LDADD = libtopology.la
tests_fuzz_fuzz_layout_SOURCES = tests/fuzz/fuzz-layout.c
tests_fuzz_fuzz_layout_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_layout_LDADD = libtopology.la

tests_fuzz_replay_playback_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz-playback.c
tests_fuzz_replay_playback_LDADD = libplayback.la
tests_fuzz_fuzz_playback_SOURCES = tests/fuzz/fuzz-playback.c
tests_fuzz_fuzz_playback_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_playback_LDADD = libplayback.la

tests_fuzz_replay_topology_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz-topology.c
tests_fuzz_replay_topology_LDADD = libtopology.la
tests_fuzz_fuzz_topology_SOURCES = tests/fuzz/fuzz-topology.c
tests_fuzz_fuzz_topology_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_topology_LDADD = libtopology.la
