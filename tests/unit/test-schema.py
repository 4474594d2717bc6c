# The published schema takes the examples, and refuses what it should, by a validator of the keywords that it uses.
import json
import os
import re
import sys

top = os.environ.get("top_srcdir", ".")
with open(os.path.join(top, "share/topology.schema.json"), encoding="utf-8") as file:
    SCHEMA = json.load(file)
NOTES = {"$schema", "$id", "$defs", "title", "description"}


def is_type(value, name):
    return {
        "object": isinstance(value, dict),
        "array": isinstance(value, list),
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
    }[name]


def check_object(schema, value, place):
    for key in schema.get("required", []):
        if key not in value:
            yield f"{place}: {key} is missing"
    for key, member in value.items():
        known = False
        if key in schema.get("properties", {}):
            known = True
            yield from check(schema["properties"][key], member, f"{place}/{key}")
        for pattern, inner in schema.get("patternProperties", {}).items():
            if re.search(pattern, key):
                known = True
                yield from check(inner, member, f"{place}/{key}")
        if not known and schema.get("additionalProperties") is False:
            yield f"{place}/{key}: unknown"


def check(schema, value, place=""):
    """Yields what is wrong with 'value'; a keyword that it does not know is an error of its own."""
    unknown = set(schema) - NOTES - {
        "$ref", "type", "properties", "patternProperties", "additionalProperties", "required", "items", "enum", "const", "pattern",
        "minimum", "maximum", "maxLength", "anyOf"}
    assert not unknown, f"this test does not know {unknown}"
    if "$ref" in schema:
        target = SCHEMA
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        yield from check(target, value, place)
    if "type" in schema and not is_type(value, schema["type"]):
        yield f"{place}: no {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"] or "const" in schema and value != schema["const"]:
        yield f"{place}: not one of the values"
    if "pattern" in schema and not re.search(schema["pattern"], value) or len(str(value)) > schema.get("maxLength", 1 << 30):
        yield f"{place}: does not match"
    if not schema.get("minimum", value) <= value <= schema.get("maximum", value) if is_type(value, "integer") else False:
        yield f"{place}: out of range"
    if "anyOf" in schema and all(list(check(choice, value, place)) for choice in schema["anyOf"]):
        yield f"{place}: none of the alternatives"
    if isinstance(value, dict):
        yield from check_object(schema, value, place)
    if isinstance(value, list):
        for i, member in enumerate(value):
            yield from check(schema.get("items", {}), member, f"{place}/{i}")


def with_output(**properties):
    return {"vnodes": {"n": {"vifaces": {"x": {"vnetwork": "a", "output": properties}}}}}


GOOD = [
    {},
    {"vnodes": {"r[1-2]c[01-10].x": {}, "worker": {"count": 3, "cpu": {"cores": 1, "ratio": "50%"}, "memory": "0"}}},
    with_output(latency="1.5ms", jitter="250us", loss="0.5%", bandwidth="10 Mbit/s", queue="64kB", reordering_gap=2),
    {"vnetworks": {"a": {"ipv4": "10.0.0.0/24", "transport": "vlan", "vlan": 7, "interface": "eth1.5"}}},
    {"vnodes": {"n": {"where": {"site": "Nancy 2"}, "labels": {"site": "paris"}}}, "defaults": {"vnetwork": {"underlay": "ipv6"}}},
    {"layout": {"defaults": {"port": 4789}, "vnetworks": {"a": {"vni": 7}}}},
    with_output(bandwidth="1Mbit/s", queue="10packets", aqm="codel", framing="ip", overhead="-4B", cell="48/53", seed=1, keep_order=True),
    with_output(bandwidth="1Mbit/s", queue="50ms", gilbert_enter="1%", gilbert_leave="20%", markov_p14="1%"),
    {"traces": {"a/lte.csv": ["0 1Mbit/s", ""]}, **with_output(bandwidth={"trace": "a/lte.csv", "loop": True})},
    with_output(latency={"trace": "a"}, loss={"trace": "b", "loop": False}),
    with_output(latency="3\u00b5s", bandwidth="0", distribution="normal"),
    {"matrix": {"latency": "m.csv", "loss": ["to, a", "a, 1%"], "seed": 7}, "matrices": {"m.csv": ["to, a", "a, 1ms"]}},
    {"vnodes": {"n": {"memory": 0, "cpu": {"ratio": 0}}}} | with_output(latency=0, loss=0, bandwidth=0, queue=0, overhead=0, seed=0),
    {"tables": {"lab/few.dist": ["1 2"]}} | with_output(latency="3ms", jitter="1ms", distribution={"table": "lab/few.dist"}),
]
BAD = [
    {"distem": 1},
    {"name": "a b"},
    {"name": "x" * 64},
    {"routing": "hop"},
    {"vnode": {}},
    {"vnetworks": {"a": {}}},
    {"vnetworks": {"a": {"ipv4": "10.0.0.0/24", "vni": 0}}},
    {"vnetworks": {"a[1-2]": {"ipv4": "10.0.0.0/24"}}},
    {"vnetworks": {"a": {"ipv4": "10.0.0.0/24", "interface": "a:b"}}},
    {"vnodes": {"n": {"where": {"site": "a,b"}}}},
    {"vnodes": {"n": {"where": {"site": "a=b"}}}},
    {"vnodes": {"n": {"labels": {"site": 7}}}},
    {"layout": {"defaults": {"vni": 7}}},
    {"vnodes": {"n": {"memory": "12"}}},
    {"vnodes": {"n": {"memory": 12}}},
    {"vnodes": {"n": {"image": "debian"}}},
    {"vnodes": {"n": {"count": 0}}},
    {"vnodes": {"n": {"vifaces": {"lo": {}}}}},
    {"vnodes": {"n": {"vifaces": {"a234567890123456": {}}}}},
    {"vnodes": {"n": {"vifaces": {"x": {"mac": "01:00:00:00:00:01"}}}}},
    {"vroutes": [{"from": "a", "to": "b"}]},
    {"tables": {"few.dist": "1 2"}},
    {"matrix": {"delay": "m.csv"}},
    {"matrix": {"latency": 7}},
    {"matrix": {"loss": "m.csv", "seed": 4294967296}},
    {"matrices": {"m.csv": "to, a"}},
    {"tables": {"/few.dist": ["1 2"]}},
    with_output(latency="1ms", jitter="1ms", distribution={"file": "few.dist"}),
    with_output(latency="20"),
    with_output(latency={"loop": True}),
    with_output(bandwidth={"trace": "/etc/passwd"}),
    with_output(jitter={"trace": "a"}),
    {"traces": {"a": "0 1Mbit/s"}},
    with_output(latency="-1ms"),
    with_output(bandwidth="10mbps"),
    with_output(loss=0.01),
    with_output(latncy="1ms"),
    with_output(distribution="gauss"),
    with_output(queue=10),
    with_output(queue="10frames"),
    with_output(overhead="4"),
    with_output(cell="48"),
    with_output(keep_order="yes"),
]


def main():
    count = failures = 0

    def result(name, wrong, expected):
        nonlocal count, failures
        count += 1
        failures += bool(wrong) != expected
        print(f"{'ok' if bool(wrong) == expected else 'not ok'} {count} - {name}")
        if bool(wrong) != expected:
            print(f"# {wrong or 'nothing is found wrong'}")

    for name in sorted(os.listdir(os.path.join(top, "examples"))):
        if name.endswith(".json"):
            with open(os.path.join(top, "examples", name), encoding="utf-8") as file:
                example = json.load(file)
            if example.pop("distem-layout", None):
                # A layout file is the layout of a topology.
                example = {"distem": 2, "name": "x", "layout": example}
            result(f"examples/{name}", list(check(SCHEMA, example)), False)
    for body in GOOD:
        result(f"takes {json.dumps(body)}", list(check(SCHEMA, {"distem": 2, "name": "x", **body})), False)
    for body in BAD:
        result(f"refuses {json.dumps(body)}", list(check(SCHEMA, {"distem": 2, "name": "x", **body})), True)
    print(f"1..{count}")
    return failures > 0


sys.exit(main())
