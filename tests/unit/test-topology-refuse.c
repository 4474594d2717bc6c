/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong in a topology file: that each mistake is found, where, and what the message says. */
#include <config.h>

#include <string.h>

#include "distem/topology.h"

/* Mistakes stand in sections that are completed to a whole file; ' stands for ". */
struct mistake {
    const char *sections, *pointer, *message;
};

#define NETS                                                                                                                       \
    "'vnetworks': {'a': {'ipv4': '10.0.0.0/24', 'ipv6': 'fd00::/64'}, 'b': {'ipv4': '10.0.1.0/24'}, 'c': {'ipv4': "                \
    "'10.0.0.0/16'}, 'd': {'ipv6': 'fd00:1::/64'}}"
#define VNODES(text) NETS ", 'vnodes': {" text "}"
#define VIFACE(text) VNODES("'n': {'vifaces': {'x': {'vnetwork': 'a', " text "}}}")
#define OUTPUT(text) VIFACE("'output': {" text "}")
#define TRACE(lines, text) "'traces': {'t': [" lines "]}, " OUTPUT(text)
#define X "/vnodes/n/vifaces/x"
#define NET(text) "'vnetworks': {'a': {'ipv4': '10.0.0.0/24', 'ipv6': 'fd00::/64'" text "}}"
#define ROUTED(text)                                                                                                               \
    VNODES("'n': {'vifaces': {'x': {'vnetwork': 'a'}, 'y': {'vnetwork': 'b'}}}, 'm': {}, 'o': {'gateway': false, 'vifaces': "      \
           "{'x': {'vnetwork': 'a'}}}")                                                                                            \
    ", 'vroutes': [" text "]"

static const struct mistake mistakes[] = {
    /* The frame. */
    {"'distem': 3", "/distem", "expected 2"},
    {"'name': 'a b'", "/name", "cannot be a name"},
    {"'name': 7", "/name", "expected the platform's name"},
    {"'routing': 'hop'", "/routing", "did you mean \"hops\"?"},
    {"'vnode': {}", "/vnode", "unknown key \"vnode\" in a topology: did you mean \"vnodes\"?"},
    {"'zzzzzz': {}", "/zzzzzz", "expected one of distem, name, routing, defaults"},
    {"'vnodes': []", "/vnodes", "an array stands here: expected vnodes by name, an object"},
    {"'vroutes': {}", "/vroutes", "expected an array"},
    /* Traces. */
    {"'traces': []", "/traces", "expected traces by name"},
    {"'traces': {'../a': []}", "/traces/..~1a", "within the topology's folder"},
    {"'traces': {'/a': []}", "/traces/~1a", "within the topology's folder"},
    {"'traces': {'a': '0 1Mbit/s'}", "/traces/a", "expected the lines of a trace"},
    {"'traces': {'a': ['0 1Mbit/s', 7]}", "/traces/a", "expected the lines of a trace"},
    {OUTPUT("'bandwidth': {}"), X "/output/bandwidth", "the trace is missing"},
    {OUTPUT("'bandwidth': {'trace': 7}"), X "/output/bandwidth/trace", "a trace's name"},
    {OUTPUT("'bandwidth': {'trace': 'lte'}"), X "/output/bandwidth", "there is no trace \"lte\""},
    {TRACE("'0 1Mbit/s', '1s 2'", "'bandwidth': {'trace': 't'}"), X "/output/bandwidth", "t:2: \"2\" has no unit"},
    {TRACE("'0 1Mbit/s'", "'bandwidth': {'trace': 't', 'loop': true}"), X "/output/bandwidth", "\"60s end\" in t"},
    {TRACE("'0 1Mbit/s'", "'bandwidth': {'trace': 't', 'lop': true}"), X "/output/bandwidth/lop", "did you mean \"loop\"?"},
    {TRACE("'0 0'", "'bandwidth': {'trace': 't'}"), X "/output/bandwidth", "t: it is 0 all the time"},
    {TRACE("'0 1Mbit/s'", "'latency': {'trace': 't'}"), X "/output/latency", "t:1: \"1Mbit/s\""},
    {TRACE("'0 5ms', '1s 1ms'", "'latency': {'trace': 't'}, 'jitter': '2ms'"), X "/output", "jitter 2ms is more than latency 1ms"},
    {TRACE("'0 5ms', '1s 0'", "'latency': {'trace': 't'}, 'jitter': '2ms'"), X "/output", "jitter 2ms is more than latency 0"},
    {TRACE("'0 5ms', '1s 1ms'", "'latency': {'trace': 't'}, 'gilbert_enter': '1%', 'gilbert_leave': '10%'"), X "/output",
     "gilbert_enter and a trace of the latency exclude each other"},
    {TRACE("'0 5ms', '1s 1ms'", "'latency': {'trace': 't'}, 'markov_p14': '1%'"), X "/output",
     "markov_p14 and a trace of the latency exclude each other"},
    {TRACE("'0 5ms', '1s 1ms'", "'latency': {'trace': 't'}, 'loss': '1%', 'seed': 1"), X "/output",
     "seed and a trace of the latency exclude each other"},
    {TRACE("'0 5ms', '1s 1ms'", "'latency': {'trace': 't'}, 'reordering': '1%', 'reordering_gap': 2"), X "/output",
     "reordering_gap and a trace of the latency exclude each other"},
    {TRACE("'0 5%', '1s 1%'", "'loss': {'trace': 't'}, 'loss_correlation': '10%'"), X "/output",
     "loss_correlation and a trace of the loss exclude each other"},
    /* vnetworks. */
    {"'vnetworks': {'a': {}}", "/vnetworks/a", "needs addresses"},
    {"'vnetworks': {'a': {'ipv4': '10.0.0.1/24'}}", "/vnetworks/a/ipv4", "did you mean 10.0.0.0/24"},
    {"'vnetworks': {'a': {'ipv4': 'fd00::/64'}}", "/vnetworks/a/ipv4", "other IP version"},
    {"'vnetworks': {'a': {'ipv4': '224.0.0.0/24'}}", "/vnetworks/a/ipv4", "multicast"},
    {"'vnetworks': {'a': {'ipv4': '0.0.0.0/0'}}", "/vnetworks/a/ipv4", "this network"},
    {"'vnetworks': {'a': {'ipv6': 'fe80::/64'}}", "/vnetworks/a/ipv6", "link-local"},
    {"'vnetworks': {'a': {'ipv4': '10.0.0.0/24', 'vni': 16777216}}", "/vnetworks/a/vni", "from 1 to 16777215"},
    {"'vnetworks': {'a': {'ipv4': '10.0.0.0/24', 'vni': 9223372036854775808}}", "/vnetworks/a/vni", "from 1 to 16777215"},
    {"'vnetworks': {'a': {'ipv4': '10.0.0.0/24', 'vni': 1.5}}", "/vnetworks/a/vni", "a whole number"},
    {"'vnetworks': {'a': {'ipv4': '10.0.0.0/24', 'vlan': -1}}", "/vnetworks/a/vlan", "from 1 to 4094"},
    {"'vnetworks': {'a': {'ipv4': '10.0.0.0/24', 'mtu': 500}}", "/vnetworks/a/mtu", "from 576 to 65535"},
    {"'vnetworks': {'a': {'ipv6': 'fd00::/64', 'mtu': 1000}}", "/vnetworks/a/mtu", "at least 1280"},
    {"'vnetworks': {'a': {'ipv4': '10.0.0.0/24', 'vni': 7}, 'b': {'ipv4': '10.0.0.0/24', 'vni': 7}}", "/vnetworks/b/vni",
     "VNI 7 belongs to vnetwork \"a\""},
    {"'vnetworks': {'a': {'ipv4': '10.0.0.0/24', 'vlan': 7, 'interface': 'e'}, 'b': {'ipv4': '10.0.0.0/24', 'vlan': 7, "
     "'interface': "
     "'e'}}",
     "/vnetworks/b/vlan", "VLAN 7 of interface \"e\" belongs to vnetwork \"a\""},
    {NET(", 'vlan': 7"), "/vnetworks/a", "expected \"interface\""},
    {NET(", 'interface': 'e'"), "/vnetworks/a", "expected \"vlan\""},
    {NET(", 'vlan': 7, 'interface': 'e', 'vni': 3"), "/vnetworks/a/vni", "with transport vxlan only"},
    {NET(", 'transport': 'vxlan', 'vlan': 3"), "/vnetworks/a/vlan", "with transport vlan only"},
    {NET(", 'transport': 'local', 'port': 3"), "/vnetworks/a/port", "the transport is local"},
    {NET(", 'transport': 'local', 'interface': 'e'"), "/vnetworks/a/interface", "the transport is local"},
    {NET(", 'transport': 'vxlam'"), "/vnetworks/a/transport", "did you mean \"vxlan\"?"},
    {NET(", 'port': 65536"), "/vnetworks/a/port", "from 1 to 65535"},
    {NET(", 'underlay': 'ipv5'"), "/vnetworks/a/underlay", "expected ipv4 or ipv6"},
    {NET(", 'vlan': 7, 'interface': 'a:b'"), "/vnetworks/a/interface", "cannot be an interface's name"},
    {NET(", 'vlan': 7, 'interface': 'a234567890123456'"), "/vnetworks/a/interface", "1 to 15"},
    {"'defaults': {'vnetwork': {'vni': 7}}", "/defaults/vnetwork/vni", "unknown key"},
    {"'defaults': {'vnetwork': {'transport': 'vlan'}}, 'vnetworks': {'a': {'ipv4': '10.0.0.0/24', 'vlan': 7}}", "/vnetworks/a",
     "expected \"interface\""},
    /* The layout in the same file. */
    {NET("") ", 'layout': {'distem-layout': 1}", "/layout/distem-layout", "unknown key"},
    {NET("") ", 'layout': {'vnetworks': {'aa': {'vni': 1}}}", "/layout/vnetworks/aa", "did you mean \"a\"?"},
    {NET("") ", 'layout': {'vnetworks': {'a': {'vlan': 1}}}", "/layout/vnetworks/a", "expected \"interface\""},
    {NET("") ", 'layout': {'vnetworks': {'a': {'ipv4': '10.1.0.0/24'}}}", "/layout/vnetworks/a/ipv4", "unknown key"},
    {"'vnetworks': {'a[1-2]': {'ipv4': '10.0.0.0/24'}}", "/vnetworks/a[1-2]", "ranges are for vnodes"},
    {"'vnetworks': {'a/b~c': {'ipv4': '10.0.0.0/24'}}", "/vnetworks/a~1b~0c", "cannot be a name"},
    /* Labels. */
    {VNODES("'n': {'where': 'nancy'}"), "/vnodes/n/where", "expected labels and their values, an object"},
    {VNODES("'n': {'where': {'site': 7}}"), "/vnodes/n/where/site", "expected a label's value"},
    {VNODES("'n': {'where': {'site': 'a,b'}}"), "/vnodes/n/where/site", "cannot be a label's value"},
    {VNODES("'n': {'labels': ['paris']}"), "/vnodes/n/labels", "expected labels and their values, an object"},
    {VNODES("'n': {'labels': {'site': 'a=b'}}"), "/vnodes/n/labels/site", "cannot be a label's value"},
    {VNODES("'n': {'where': {'s=e': 'a'}}"), "/vnodes/n/where/s=e", "cannot be a name"},
    /* Templates and defaults. */
    {"'templates': {'a': {'extends': 'b'}, 'b': {'extends': 'c'}, 'c': {'extends': 'a'}}", "/templates/a/extends",
     "a -> b -> c -> a"},
    {"'templates': {'a': {'extends': 'a'}}", "/templates/a/extends", "a -> a"},
    {"'templates': {'client': {}, 'b': {'extends': 'cleint'}}", "/templates/b/extends", "did you mean \"client\"?"},
    {"'templates': {'a': {'memory': '12'}}, 'vnodes': {'n[1-9]': {'template': 'a'}}", "/templates/a/memory", "has no unit"},
    {"'defaults': {'vnode': {'memry': '1GiB'}}, 'vnodes': {'n[1-9]': {}}", "/defaults/vnode/memry", "did you mean \"memory\"?"},
    {"'defaults': {'viface': {'ipv4': '10.0.0.1'}}", "/defaults/viface/ipv4", "unknown key"},
    {VNODES("'n': {'template': 'x'}"), "/vnodes/n/template", "there is no template \"x\""},
    /* Names. */
    {VNODES("'n[1-999999999]': {}"), "/vnodes/n[1-999999999]", "at most 1000000"},
    {VNODES("'n[1-600000]': {}, 'm[1-600000]': {}"), "/vnodes/m[1-600000]", "at most 1000000"},
    {VNODES("'n[1-9][1-99999999][1-99999999][1-99999999]': {}"), "/vnodes/n[1-9][1-99999999][1-99999999][1-99999999]", "at most"},
    {VNODES("'n[2-1]': {}"), "/vnodes/n[2-1]", "runs backwards: write [1-2]"},
    {VNODES("'n[01-100]': {}"), "/vnodes/n[01-100]", "same number of digits"},
    {VNODES("'n[a-b]': {}"), "/vnodes/n[a-b]", "no proper range"},
    {VNODES("'n[1-3': {}"), "/vnodes/n[1-3", "no proper range"},
    {VNODES("'n[1-9999999999]': {}"), "/vnodes/n[1-9999999999]", "up to 9 digits"},
    {VNODES("'n[1-2]': {'count': 3}"), "/vnodes/n[1-2]", "both a range and a count"},
    {VNODES("'n': {'count': 0}"), "/vnodes/n/count", "from 1 to 1000000"},
    {VNODES("'n[1-5]': {}, 'n[4-9]': {}"), "/vnodes/n[4-9]", "2 vnodes whose names are taken, first \"n4\", which \"n[1-5]\""},
    {VNODES("'n3': {}, 'n': {'count': 5}"), "/vnodes/n", "first \"n3\""},
    {VNODES("'-n': {}"), "/vnodes/-n", "cannot be a name"},
    {VNODES("'': {}"), "/vnodes/", "1 to 63 characters"},
    {VNODES("'10.0.0.[1-3]': {}"), "/vnodes/10.0.0.[1-3]", "taken for an IP address"},
    {VNODES("'a23456789b123456789c123456789d123456789e123456789f123456789[1-10000]': {}"),
     "/vnodes/a23456789b123456789c123456789d123456789e123456789f123456789[1-10000]", "1 to 63 characters"},
    {VNODES("'n': {'vifaces': {'lo': {'vnetwork': 'a'}}}"), "/vnodes/n/vifaces/lo", "lo is the vnode's own"},
    {VNODES("'n': {'vifaces': {'a234567890123456': {'vnetwork': 'a'}}}"), "/vnodes/n/vifaces/a234567890123456", "1 to 15"},
    /* vnodes. */
    {VNODES("'n': {'memry': '1GiB'}"), "/vnodes/n/memry", "unknown key \"memry\" in a vnode: did you mean \"memory\"?"},
    {VNODES("'n': {'memory': 1024}"), "/vnodes/n/memory", "the number 1024 has no unit"},
    {VNODES("'n': {'memory': '1kB'}"), "/vnodes/n/memory", "expected 4MiB to 1024TiB, or 0"},
    {VNODES("'n': {'memory': '9223372036854775808B'}"), "/vnodes/n/memory", "too large"},
    {VNODES("'n': {'image': 'debian'}"), "/vnodes/n/image", "expected \"host\" or the absolute path"},
    {VNODES("'n': {'image': '/a\\u0007b'}"), "/vnodes/n/image", "control character"},
    {VNODES("'n': {'pnode': 'a b'}"), "/vnodes/n/pnode", "cannot be a name"},
    {VNODES("'n': {'gateway': 'yes'}"), "/vnodes/n/gateway", "expected true or false"},
    {VNODES("'n': {'cpu': {'cores': 1.5}}"), "/vnodes/n/cpu/cores", "a whole number"},
    {VNODES("'n': {'cpu': {'frequency': '1GHz', 'ratio': '50%'}}"), "/vnodes/n/cpu", "both frequency and ratio"},
    {VNODES("'n': {'cpu': {'frequency': '-1GHz'}}"), "/vnodes/n/cpu/frequency", "is negative"},
    {VNODES("'n': null"), "/vnodes/n", "null stands here: expected a vnode, an object"},
    /* vifaces. */
    {VNODES("'n': {'vifaces': {'x': {}}}"), X, "is on no vnetwork"},
    {VNODES("'n': {'vifaces': {'x': {'vnetwork': 'aa'}}}"), X "/vnetwork", "there is no vnetwork \"aa\" (did you mean \"a\"?)"},
    {VIFACE("'ipv4': '10.0.1.1'"), X "/ipv4", "outside of vnetwork \"a\": expected an address in 10.0.0.0/24"},
    {VIFACE("'ipv4': '10.0.0.0'"), X "/ipv4", "is the network address"},
    {VIFACE("'ipv4': '10.0.0.255'"), X "/ipv4", "is the broadcast address"},
    {VIFACE("'ipv6': 'fd00::'"), X "/ipv6", "subnet-router anycast"},
    {VIFACE("'ipv4': '10.0.0.1/24'"), X "/ipv4", "without a prefix length"},
    {VIFACE("'ipv4': 'fd00::1'"), X "/ipv4", "is no IPv4 address"},
    {VIFACE("'mac': '01:00:00:00:00:01'"), X "/mac", "must be even"},
    {VNODES("'n': {'vifaces': {'x': {'vnetwork': 'b', 'ipv6': 'fd00::1'}}}"), X "/ipv6", "has no ipv6 prefix"},
    {VNODES("'m': {'vifaces': {'x': {'vnetwork': 'a', 'ipv4': '10.0.0.1'}}}, 'n': {'vifaces': {'x': {'vnetwork': 'a', 'ipv4': "
            "'10.0.0.1'}}}"),
     X "/ipv4", "10.0.0.1 is taken by viface \"x\" of vnode \"m\""},
    {VNODES(
         "'m': {'vifaces': {'x': {'vnetwork': 'a', 'mac': '02:00:00:00:00:01'}}}, 'n': {'vifaces': {'x': {'vnetwork': 'a', 'mac': "
         "'02:00:00:00:00:01'}}}"),
     X "/mac", "02:00:00:00:00:01 is taken by"},
    {VNODES("'n[1-2]': {'vifaces': {'x': {'vnetwork': 'a', 'ipv4': '10.0.0.1'}}}"), "/vnodes/n[1-2]/vifaces/x/ipv4",
     "\"n[1-2]\" is 2 vnodes"},
    {VNODES("'n': {'vifaces': {'x': {'vnetwork': 'a'}, 'y': {'vnetwork': 'b'}, 'z': {'vnetwork': 'c'}}}"), "/vnodes/n/vifaces",
     "addresses in common"},
    {VNODES("'n': {'vifaces': {'x': {'vnetwork': 'b'}, 'y': {'vnetwork': 'b'}}}"), "/vnodes/n/vifaces", "addresses in common"},
    /* Impairments. */
    {OUTPUT("'latncy': '1ms'"), X "/output/latncy", "did you mean \"latency\"?"},
    {OUTPUT("'latency': 20"), X "/output/latency", "the number 20 has no unit: expected a time such as \"20ms\""},
    {OUTPUT("'latency': '20'"), X "/output/latency", "has no unit"},
    {OUTPUT("'latency': '-1ms'"), X "/output/latency", "is negative"},
    {OUTPUT("'latency': 'NaN'"), X "/output/latency", "is not a time"},
    {OUTPUT("'latency': '3601s'"), X "/output/latency", "expected 1ns to 3600s"},
    {OUTPUT("'bandwidth': '10mbps'"), X "/output/bandwidth", "unknown unit \"mbps\""},
    {OUTPUT("'bandwidth': 9223372036854775808"), X "/output/bandwidth", "has no unit"},
    {OUTPUT("'bandwidth': '9223372036854775808bit/s'"), X "/output/bandwidth", "too large"},
    {OUTPUT("'bandwidth': '10bit/s'"), X "/output/bandwidth", "expected 1kbit/s to"},
    {OUTPUT("'loss': '101%'"), X "/output/loss", "too large"},
    {OUTPUT("'loss': 0.01"), X "/output/loss", "has no unit"},
    {OUTPUT("'latency': '1ms', 'jitter': '2ms'"), X "/output", "jitter 2ms is more than latency 1ms"},
    {OUTPUT("'jitter': '2ms'"), X "/output", "jitter needs latency"},
    {OUTPUT("'latency': '1ms', 'distribution': 'normal'"), X "/output", "distribution needs jitter"},
    {OUTPUT("'latency': '1ms', 'jitter': '1ms', 'distribution': 'gauss'"), X "/output/distribution", "expected uniform, normal"},
    {OUTPUT("'latency': '1ms', 'jitter': '1ms', 'distribution': {'table': 'x'}"), X "/output/distribution",
     "there is no table \"x\""},
    {OUTPUT("'latency': '1ms', 'jitter': '1ms', 'distribution': {}"), X "/output/distribution", "expected \"table\""},
    {OUTPUT("'latency': '1ms', 'distribution': {'table': 'x'}") ", 'tables': {'x': ['1']}", X "/output",
     "distribution needs jitter"},
    {VNODES("'n': {'vifaces': {'x': {'vnetwork': 'a'}}}") ", 'matrix': {'latency': 'm.csv'}", "/matrix/latency",
     "there is no matrix \"m.csv\""},
    {VNODES("'n': {'vifaces': {'x': {'vnetwork': 'a'}}}") ", 'matrix': {'delay': []}", "/matrix/delay", "expected one of latency"},
    {VNODES("'n': {'vifaces': {'x': {'vnetwork': 'a'}}}") ", 'matrix': {'latency': [1]}", "/matrix/latency",
     "the lines of a table"},
    {VNODES("'n': {'vifaces': {'x': {'vnetwork': 'a'}}}") ", 'matrix': {'latency': []}", "/matrix/latency", "the lines of a table"},
    {VNODES("'n': {'vifaces': {'x': {'vnetwork': 'a'}}}") ", 'matrix': {'latency': ['to, m', 'm, 1ms']}", "/matrix/latency",
     "\"m\" means no vnode"},
    {VNODES("'n': {'vifaces': {'x': {'vnetwork': 'a'}}}") ", 'matrix': {'latency': ['to, n:x', 'n:x, 1ms']}", "/matrix/latency",
     "names a viface"},
    {VNODES("'n': {'vifaces': {'x': {'vnetwork': 'a'}}}") ", 'matrix': {'latency': ['to, n', 'n*, 1ms']}", "/matrix/latency",
     "vnode n belongs to \"n\" and to \"n*\""},
    {VNODES("'n': {'vifaces': {'x': {'vnetwork': 'a'}}}") ", 'matrix': {'latency': ['to, n', 'n, 1ms, 2ms']}", "/matrix/latency",
     "row 1 (n) has 3 words, and the first one 2"},
    {VNODES("'n': {'vifaces': {'x': {'vnetwork': 'a'}}}") ", 'matrix': {'latency': ['to, n, n', 'n, 1ms, 2ms']}", "/matrix/latency",
     "column 2 (n) is there twice"},
    {VNODES("'n': {'vifaces': {'x': {'vnetwork': 'a'}}}") ", 'matrix': {'loss': ['to, n', 'n, 1%', 'n, 2%']}", "/matrix/loss",
     "row 2 (n) is there twice"},
    {VNODES("'n': {'vifaces': {'x': {'vnetwork': 'a'}}}") ", 'matrix': {'loss': ['to, n', 'n, 101%']}", "/matrix/loss",
     "row 1 (n), column 1 (n): "},
    {VNODES("'n': {'vifaces': {'x': {'vnetwork': 'a'}}}") ", 'matrix': {'bandwidth': ['to, n', 'n, 1bit/s']}", "/matrix/bandwidth",
     "out of range"},
    {VNODES("'n': {'vifaces': {'x': {'vnetwork': 'a'}}}") ", 'matrix': {'loss': ['to, n', 'n, 1%'], 'seed': '7'}", "/matrix/seed",
     "expected"},
    {VNODES("'n': {'vifaces': {'x': {'vnetwork': 'a'}}}") ", 'matrix': {'latency': ['to, n', 'n, 1ms'], 'seed': 7}", "/matrix",
     "seed needs something random"},
    {"'tables': {'x': '1 2'}", "/tables/x", "the lines of a table"},
    {"'tables': {'x': ['1', '2 32768']}", "/tables/x", "x, line 2: \"32768\" is no whole number from -32768 to 32767"},
    {"'tables': {'x': ['1.5 # a comment']}", "/tables/x", "\"1.5\" is no whole number"},
    {"'tables': {'x': ['# nothing']}", "/tables/x", "at least one number"},
    {"'tables': {'../x': ['1']}", "/tables/..~1x", "within the topology's folder"},
    {"'tables': {'/x': ['1']}", "/tables/~1x", "within the topology's folder"},
    {OUTPUT("'latency': '1ms', 'latency_correlation': '1%'"), X "/output", "latency_correlation needs jitter"},
    {OUTPUT("'loss_correlation': '1%'"), X "/output", "output of viface \"x\": loss_correlation needs loss"},
    {OUTPUT("'duplication_correlation': '1%'"), X "/output", "needs duplication"},
    {OUTPUT("'corruption_correlation': '1%'"), X "/output", "needs corruption"},
    {OUTPUT("'reordering': '1%'"), X "/output", "reordering needs latency"},
    {OUTPUT("'latency': '1ms', 'reordering_gap': 5"), X "/output", "reordering_gap needs reordering"},
    {OUTPUT("'latency': '1ms', 'reordering_correlation': '5%'"), X "/output", "reordering_correlation needs reordering"},
    {OUTPUT("'latency': '1ms', 'reordering': '1%', 'reordering_gap': '5'"), X "/output/reordering_gap", "a whole number"},
    {OUTPUT("'queue': '64kB'"), X "/output", "queue needs bandwidth"},
    {OUTPUT("'burst': '64kB'"), X "/output", "burst needs bandwidth"},
    {OUTPUT("'bandwidth': '1Mbit/s', 'burst': '1500B'"), X "/output", "less than one frame: expected at least 1538B"},
    {OUTPUT("'bandwidth': '1Mbit/s', 'queue': '1500B'"), X "/output", "less than one frame: expected at least 1538B"},
    {OUTPUT("'bandwidth': '11Gbit/s'"), X "/output/bandwidth", "expected 1kbit/s to 10Gbit/s"},
    {OUTPUT("'bandwidth': '1001bit/s'"), X "/output", "expected 1000bit/s or 1008bit/s"},
    {OUTPUT("'bandwidth': '1Mbit/s', 'framing': 'wifi'"), X "/output/framing",
     "unknown framing \"wifi\": expected ethernet, l2 or ip"},
    {OUTPUT("'bandwidth': '1Mbit/s', 'overhead': 18"), X "/output/overhead", "such as \"18B\""},
    {OUTPUT("'bandwidth': '1Mbit/s', 'overhead': '-2kB'"), X "/output/overhead", "expected -1000B to 1000B"},
    {OUTPUT("'bandwidth': '1Mbit/s', 'overhead': '18'"), X "/output/overhead", "has no unit"},
    {OUTPUT("'bandwidth': '1Mbit/s', 'overhead': '-39B'"), X "/output",
     "overhead -39B leaves less than the packet of a frame with framing ethernet: expected at least -38B"},
    {OUTPUT("'bandwidth': '1Mbit/s', 'cell': '53/48'"), X "/output/cell", "\"53/48\" is not a cell"},
    {OUTPUT("'bandwidth': '1Mbit/s', 'cell': '48/5000'"), X "/output/cell", "at most 2048"},
    {OUTPUT("'overhead': '1B'"), X "/output", "overhead needs bandwidth"},
    {OUTPUT("'cell': 'atm'"), X "/output", "cell needs bandwidth"},
    {OUTPUT("'framing': 'ip'"), X "/output", "framing needs bandwidth"},
    {OUTPUT("'aqm': 'codel'"), X "/output", "aqm needs bandwidth"},
    {OUTPUT("'bandwidth': '1Mbit/s', 'aqm': 'red'"), X "/output/aqm", "unknown aqm \"red\""},
    {OUTPUT("'bandwidth': '1Mbit/s', 'aqm': 'pie', 'queue': '64kB'"), X "/output", "the kernel's pie limits its queue in packets"},
    {OUTPUT("'bandwidth': '1Mbit/s', 'queue': 10"), X "/output/queue", "a queue has a unit"},
    {OUTPUT("'bandwidth': '1Mbit/s', 'queue': 'long'"), X "/output/queue", "\"long\" is not a queue: expected a size such as"},
    {OUTPUT("'bandwidth': '1Mbit/s', 'queue': '1000001packets'"), X "/output/queue", "out of range"},
    {OUTPUT("'bandwidth': '1Mbit/s', 'queue': '61s'"), X "/output/queue", "out of range"},
    {OUTPUT("'bandwidth': '1Mbit/s', 'queue': '5ms'"), X "/output",
     "queue 5ms is less than one frame at 1Mbit/s: expected at least 12.304ms"},
    {OUTPUT("'bandwidth': '10Gbit/s', 'queue': '2s'"), X "/output", "queue 2s is more than 1GiB at 10Gbit/s"},
    {OUTPUT("'latency': '1ms', 'jitter': '1ms', 'keep_order': 1"), X "/output/keep_order", "true or false"},
    {OUTPUT("'latency': '1ms', 'keep_order': true"), X "/output", "keep_order needs jitter"},
    {OUTPUT("'latency': '1ms', 'jitter': '1ms', 'keep_order': true, 'reordering': '1%'"), X "/output",
     "keep_order and reordering exclude each other"},
    {OUTPUT("'loss': '1%', 'gilbert_enter': '1%', 'gilbert_leave': '1%'"), X "/output", "models that exclude each other"},
    {OUTPUT("'loss': '1%', 'markov_p14': '1%'"), X "/output", "models that exclude each other"},
    {OUTPUT("'gilbert_enter': '1%'"), X "/output", "gilbert_enter needs gilbert_leave"},
    {OUTPUT("'gilbert_leave': '1%'"), X "/output", "gilbert_leave needs gilbert_enter"},
    {OUTPUT("'markov_p13': '1%'"), X "/output", "markov_p13 needs markov_p31"},
    {OUTPUT("'markov_p13': '1%', 'markov_p31': '1%', 'markov_p32': '1%'"), X "/output", "markov_p32 needs markov_p23"},
    {OUTPUT("'markov_p13': '51%', 'markov_p14': '50%', 'markov_p31': '1%'"), X "/output",
     "markov_p13 and markov_p14 are together more than 100%"},
    {OUTPUT("'bandwidth': '8kbit/s', 'burst': '64kB'"), X "/output", "burst 64kB is more than what passes in 60s at 8kbit/s"},
    {"'vnetworks': {'a': {'ipv4': '10.0.0.0/24', 'mtu': 9000}}, 'vnodes': {'n': {'vifaces': {'x': {'vnetwork': 'a', 'output': "
     "{'bandwidth': '1kbit/s'}}}}}",
     X "/output", "a frame of 9038 bytes would take more than 60s"},
    {"'vnetworks': {'a': {'ipv4': '10.0.0.0/24', 'mtu': 9000}}, 'vnodes': {'n': {'vifaces': {'x': {'vnetwork': 'a'}}}}, 'matrix': "
     "{'bandwidth': ['to, n', 'n, 1kbit/s']}",
     "/matrix", "from n to n: bandwidth 1kbit/s: a frame of 9038 bytes would take more than 60s"},
    {OUTPUT("'latency': '1ms', 'seed': 5"), X "/output", "seed needs something random"},
    {OUTPUT("'loss': '1%', 'seed': -1"), X "/output/seed", "0 to 4294967295"},
    {VIFACE("'both': {'jitter': '2ms'}, 'output': {'latency': '2ms'}"), X, "input of viface \"x\": jitter needs latency"},
    /* vroutes. */
    {ROUTED("{'from': 'a', 'to': 'b'}"), "/vroutes/0", "a vroute needs all of"},
    {ROUTED("{'from': 'aa', 'to': 'b', 'via': 'n'}"), "/vroutes/0/from", "there is no vnetwork \"aa\""},
    {ROUTED("{'from': 'a', 'to': 'bb', 'via': 'n'}"), "/vroutes/0/to", "there is no vnetwork \"bb\""},
    {ROUTED("{'from': 'a', 'to': 'b', 'via': 'nn'}"), "/vroutes/0/via", "there is no vnode \"nn\" (did you mean \"n\"?)"},
    {ROUTED("{'from': 'a', 'to': 'b', 'via': 'm'}"), "/vroutes/0/via", "vnode \"m\" has no vifaces"},
    {ROUTED("{'from': 'b', 'to': 'a', 'via': 'o'}"), "/vroutes/0/via", "has no viface on vnetwork \"b\""},
    {ROUTED("{'from': 'a', 'to': 'b', 'via': 'o'}"), "/vroutes/0/via", "\"gateway\": false"},
    {ROUTED("{'from': 'a', 'to': 'a', 'via': 'n'}"), "/vroutes/0", "the vnetwork that it comes from"},
    {ROUTED("{'from': 'a', 'to': '10.0.0.0/24', 'via': 'n'}"), "/vroutes/0", "the addresses of the vnetwork that it comes from"},
    {ROUTED("{'from': 'b', 'to': 'fd09::/64', 'via': 'n'}"), "/vroutes/0", "IP version"},
    {ROUTED("{'from': 'b', 'to': 'd', 'via': 'n'}"), "/vroutes/0", "has only IPv4"},
    {ROUTED("{'from': 'a', 'to': '10.9.0.1/16', 'via': 'n'}"), "/vroutes/0/to", "did you mean 10.9.0.0/16"},
    {ROUTED("{'from': 'a', 'to': 'b', 'via': 'n'}, {'from': 'a', 'to': 'b', 'via': 'n'}"), "/vroutes/1",
     "stands further up already"},
    {ROUTED("{'from': 'a', 'to': 'b', 'via': 'n', 'metric': 1}"), "/vroutes/0/metric", "unknown key"},
    {ROUTED("7"), "/vroutes/0", "expected a vroute, an object"},
    /* Twice in one object: the last one would silently win. */
    {VNODES("'n': {}, 'm': {}, '\\u006e': {}"), "/vnodes/n", "already, on line 2: expected every key once"},
};

/* Returns a whole file: frame on line 1, sections on line 2. */
static char *complete(const char *sections)
{
    bool named = strstr(sections, "'name':"), versioned = strstr(sections, "'distem':");
    char *text = g_strdup_printf("{%s%s\n%s\n}\n", versioned ? "" : "'distem': 2, ", named ? "" : "'name': 'x',", sections);
    return g_strdelimit(text, "'", '"');
}

static void test_mistakes(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(mistakes); i++) {
        AUTO_DIAGNOSTICS problems = {0};
        g_autofree char *text = complete(mistakes[i].sections);
        AUTO_PLATFORM platform = topology_parse(text, strlen(text), "a.json", &problems);
        g_test_message("%s", text);
        for (unsigned n = 0; n < diagnostics_count(&problems); n++) {
            g_autofree char *problem = diagnostic_format(diagnostics_get(&problems, n));
            g_test_message("%s", problem);
        }
        g_assert_null(platform);
        g_assert_cmpuint(diagnostics_count(&problems), ==, 1);
        const struct diagnostic *problem = diagnostics_get(&problems, 0);
        g_assert_cmpstr(problem->file, ==, "a.json");
        g_assert_cmpstr(problem->pointer, ==, mistakes[i].pointer);
        g_assert_cmpuint(problem->line, ==, 2);
        g_assert_nonnull(strstr(problem->message, mistakes[i].message));
    }
}

static void test_all_at_once(void)
{
    static const char text[] = "{\n"
                               "  \"distem\": 2,\n"
                               "  \"vroutes\": [\n"
                               "    {\"from\": \"a\",\n"
                               "     \"to\": \"zz\",\n"
                               "     \"via\": \"n1\"}],\n"
                               "  \"vnodes\": {\n"
                               "    \"n[1-3]\": {\n"
                               "      \"memory\": \"many\",\n"
                               "      \"vifaces\": {\"if0\": {\"vnetwork\": \"a\"}}},\n"
                               "    \"n3\": {}\n"
                               "  },\n"
                               "  \"vnetworks\": {\"a\": {\"ipv4\": \"10.0.0.0/24\", \"mtu\": 7}}\n"
                               "}\n";
    static const struct {
        unsigned line;
        const char *pointer;
    } expected[] = {
        {1, ""}, {5, "/vroutes/0/to"}, {9, "/vnodes/n[1-3]/memory"}, {11, "/vnodes/n3"}, {13, "/vnetworks/a/mtu"},
    };
    AUTO_DIAGNOSTICS problems = {0};
    g_assert_null(topology_parse(text, sizeof text - 1, "-", &problems));
    g_assert_cmpuint(diagnostics_count(&problems), ==, G_N_ELEMENTS(expected));
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_assert_cmpuint(diagnostics_get(&problems, i)->line, ==, expected[i].line);
        g_assert_cmpstr(diagnostics_get(&problems, i)->pointer, ==, expected[i].pointer);
    }
}

/* What is broken is reported where it stands, not wherever it is used. */
static void test_no_echo(void)
{
    static const char text[] =
        "{\"distem\": 2, \"name\": \"x\", \"vnetworks\": {\"a\": {\"ipv4\": \"10.0.0\"}}, \"templates\": {\"t\": "
        "{\"vifaces\": {\"x\": {\"vnetwork\": \"a\", \"ipv4\": \"10.0.0.1\", \"output\": {\"jitter\": 5}}}}},"
        "\"vnodes\": {\"n\": {\"template\": \"t\"}, \"m\": {\"template\": \"t\"}}, \"vroutes\": [{\"from\": \"a\", "
        "\"to\": \"10.9.0.0/16\", \"via\": \"n\"}]}";
    AUTO_DIAGNOSTICS problems = {0};
    g_assert_null(topology_parse(text, sizeof text - 1, "-", &problems));
    g_assert_cmpuint(diagnostics_count(&problems), ==, 2);
    g_assert_cmpstr(diagnostics_get(&problems, 0)->pointer, ==, "/vnetworks/a/ipv4");
    g_assert_cmpstr(diagnostics_get(&problems, 1)->pointer, ==, "/templates/t/vifaces/x/output/jitter");
}

static void test_syntax(void)
{
    static const struct {
        const char *text;
        unsigned line;
        const char *pointer, *message;
    } rows[] = {
        {"", 1, "", "end of file"},
        {"{\n\"distem\": 2,\n}", 3, "", "no comma"},
        {"{\"vnodes\": {\"n\": {\n\"memory\": NaN}}}", 2, "/vnodes/n/memory", "JSON has no NaN"},
        {"{\"vnodes\": {\"n\": {\n\"memory\": -Infinity}}}", 2, "/vnodes/n/memory", "invalid token"},
        {"{\"vnodes\": \n{\"n\": // none\n", 2, "/vnodes/n", "no comments"},
        {"{\"a\": 'x'}", 1, "/a", "double quotes"},
        {"{\"a\": 1e999}", 1, "/a", "overflow"},
        {"{\"name\": \"\xff\"}", 1, "/name", "UTF-8"},
        {"{\"name\": \"\xc0\x80\"}", 1, "/name", "UTF-8"},
        {"{\"name\": \"\xed\xa0\x80\"}", 1, "/name", "UTF-8"},
        {"{\"name\": \"a", 1, "/name", "premature end"},
        {"{} {}", 1, "", "end of file expected"},
        {"[[[[[[[[[[[[[[[[[[[[[[", 1, NULL, "nested more than 16 deep"},
        {"7", 1, "", "expected near"},
        {"[]", 1, "", "expected a topology, an object"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        AUTO_DIAGNOSTICS problems = {0};
        g_test_message("%s", rows[i].text);
        g_assert_null(topology_parse(rows[i].text, strlen(rows[i].text), "-", &problems));
        g_assert_cmpuint(diagnostics_count(&problems), ==, 1);
        const struct diagnostic *problem = diagnostics_get(&problems, 0);
        g_test_message("%s", problem->message);
        g_assert_nonnull(strstr(problem->message, rows[i].message));
        g_assert_cmpuint(problem->line, ==, rows[i].line);
        g_assert_cmpstr(problem->pointer, ==, rows[i].pointer);
        g_assert_true(g_utf8_validate(problem->message, -1, NULL));
    }
    AUTO_DIAGNOSTICS problems = {0};
    g_assert_null(topology_parse("{\"a\": 1\0}", 9, "-", &problems));
    g_assert_cmpuint(diagnostics_count(&problems), ==, 1);
    g_assert_nonnull(strstr(diagnostics_get(&problems, 0)->message, "zero byte"));
}

/* 100 MB of 'unit' is refused at once. */
static void assert_flood_refused(const char *start, const char *unit)
{
    const size_t size = 100000000, length = strlen(unit);
    g_autofree char *text = g_malloc(size);
    for (size_t i = 0; i < size; i++) {
        text[i] = unit[i % length];
    }
    for (size_t i = 0; start[i]; i++) {
        text[i] = start[i];
    }
    AUTO_DIAGNOSTICS problems = {0};
    g_assert_null(topology_parse(text, size, "-", &problems));
    g_assert_cmpuint(diagnostics_count(&problems), ==, 1);
}

static void test_floods(void)
{
    assert_flood_refused("", "[");
    assert_flood_refused("", "{\"a\":");
    assert_flood_refused("[", "[],");
    assert_flood_refused("[", "{},");
    assert_flood_refused("[", "1,");
    assert_flood_refused("\"", "a");
    assert_flood_refused("", "\\");
    assert_flood_refused("", " ");
}

static void test_too_many(void)
{
    GString *text = g_string_new("{\"distem\": 2, \"name\": \"x\", \"vnodes\": {\n");
    for (unsigned i = 0; i < 20000; i++) {
        g_string_append_printf(text, "\"n%u\": {\"memory\": \"%u\",\n\"vifaces\": {\"x\": {\"vnetwork\": \"nowhere\"}}}%s\n", i,
                               i + 1, i < 19999 ? "," : "}}");
    }
    AUTO_DIAGNOSTICS problems = {0};
    g_assert_null(topology_parse(text->str, text->len, "-", &problems));
    g_assert_cmpuint(diagnostics_count(&problems), ==, 101);
    g_assert_cmpuint(diagnostics_get(&problems, 0)->line, ==, 2);
    g_assert_cmpuint(diagnostics_get(&problems, 99)->line, ==, 200);
    g_assert_cmpstr(diagnostics_get(&problems, 100)->message, ==, "and 19900 more problems");
    g_string_free(text, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/topology/refuse/mistakes", test_mistakes);
    g_test_add_func("/topology/refuse/all-at-once", test_all_at_once);
    g_test_add_func("/topology/refuse/no-echo", test_no_echo);
    g_test_add_func("/topology/refuse/syntax", test_syntax);
    g_test_add_func("/topology/refuse/floods", test_floods);
    g_test_add_func("/topology/refuse/too-many", test_too_many);
    return g_test_run();
}
