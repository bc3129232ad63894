"""JSON-Schema-Test-Suite against plan/: every case of the subset must come out as the suite and as python's jsonschema say.

What is left out is listed here by name, each with its reason; a case that is listed and passes is an error, too, so the list
stays true. usage: suite.py DRIVER [SUITE-FOLDER]"""
import json, os, subprocess, sys

import jsonschema

# Whole files, which are about keywords that are not read.
FILES = {
    "refRemote": "other documents are not fetched: a plan is complete in itself",
    "id": "$id inside of a schema is refused",
    "anchor": "$anchor is no way to name a schema here; #/$defs/NAME is",
    "dynamicRef": "refused when the plan is loaded",
    "recursiveRef": "refused when the plan is loaded",
    "unevaluatedItems": "refused when the plan is loaded",
    "unevaluatedProperties": "refused when the plan is loaded",
    "vocabulary": "about dialects of one's own",
    "unknownKeyword": "about $id inside of keywords that nobody knows",
    "infinite-loop-detection": "a ring that ends is checked in tests/unit/plan; the suite's has an $id",
    "content": "contentEncoding and contentMediaType say nothing of values here",
}
# Groups of cases: (file, description) or (file, description, test).
LEFT_OUT = {
    ("ref", "remote ref, containing refs itself"): "refers to json-schema.org",
    ("ref", "Recursive references between schemas"): "$id inside of a schema",
    ("ref", "refs with relative uris and defs"): "$id inside of a schema",
    ("ref", "relative refs with absolute uris and defs"): "$id inside of a schema",
    ("ref", "Location-independent identifier"): "refers by $id and not by place",
    ("ref", "Location-independent identifier with absolute URI"): "refers by $id and not by place",
    ("ref", "Location-independent identifier with base URI change in subschema"): "refers by $id and not by place",
    ("ref", "$ref prevents a sibling $id from changing the base uri"): "refers by $id and not by place",
    ("ref", "$ref with absolute-path-reference"): "refers by $id and not by place",
    ("ref", "$id must be resolved against nearest parent, not just immediate parent"): "refers by $id and not by place",
    ("ref", "order of evaluation: $id and $ref"): "refers by $id and not by place",
    ("ref", "order of evaluation: $id and $anchor and $ref"): "refers by $id and not by place",
    ("ref", "simple URN base URI with $ref via the URN"): "refers by $id and not by place",
    ("ref", "URN base URI with URN and JSON pointer ref"): "refers by $id and not by place",
    ("ref", "URN base URI with URN and anchor ref"): "refers by $id and not by place",
    ("ref", "URN ref with nested pointer ref"): "refers by $id and not by place",
    ("ref", "naive replacement of $ref with its value"): "refers to another document",
    ("ref", "ref creates new scope when adjacent to keywords"): "unevaluatedProperties is refused",
    ("ref", "Reference an anchor with a non-relative URI"): "refers by $id and not by place",
    ("ref", "ref to if"): "refers by $id and not by place",
    ("ref", "ref to then"): "refers by $id and not by place",
    ("ref", "ref to else"): "refers by $id and not by place",
    ("ref", "ref with absolute-path-reference"): "refers by $id and not by place",
    ("not", "collect annotations inside a 'not', even if collection is disabled"): "unevaluatedProperties is refused",
    ("definitions", "validate definition against metaschema"): "refers to json-schema.org",
    ("definitions", "definition validity"): "refers to json-schema.org",
    ("definitions", "valid definition"): "refers to json-schema.org",
    ("definitions", "invalid definition"): "refers to json-schema.org",
    ("defs", "validate definition against metaschema"): "refers to json-schema.org",
}
LEFT_OUT[("ecmascript-regex", "ECMA 262 regex non-compliance")] = "about the format regex, which is not checked"
for _word in ("email", "date", "date-time", "uri", "uuid"):
    LEFT_OUT[("format", f"{_word} format", f"invalid {_word} string is only an annotation by default")] = "it is checked here"
FORMATS = {"date-time", "date", "email", "uuid", "uri"}
OPTIONAL = {"bignum", "ecmascript-regex", "zeroTerminatedFloats", "float-overflow", "non-bmp-regex"}


def files(folder):
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.endswith(".json"):
            yield name[:-5], path
    optional = os.path.join(folder, "optional")
    for name in sorted(os.listdir(optional)):
        if name.endswith(".json") and name[:-5] in OPTIONAL:
            yield name[:-5], os.path.join(optional, name)
    formats = os.path.join(optional, "format")
    for name in sorted(os.listdir(formats)):
        if name[:-5] in FORMATS:
            yield name[:-5], os.path.join(formats, name)


def ask(driver, questions):
    text = "".join(json.dumps(question) + "\n" for question in questions)
    done = subprocess.run([driver], input=text, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def oracle(draft, schema):
    kind = jsonschema.Draft7Validator if draft == "draft7" else jsonschema.Draft202012Validator
    known = [word for word in FORMATS if word in jsonschema.FormatChecker.checkers]
    return kind(schema, format_checker=jsonschema.FormatChecker(formats=known))


def run(driver, draft, folder):
    groups = []
    for name, path in files(folder):
        for group in json.load(open(path)):
            schema = group["schema"]
            if draft == "draft7" and isinstance(schema, dict):
                schema = {"$schema": "http://json-schema.org/draft-07/schema#", **schema}
            groups.append((name, path, group, schema))
    answers = ask(driver, [{"schema": schema, "tests": [test["data"] for test in group["tests"]]}
                           for _, _, group, schema in groups])
    passed = skipped = 0
    bad, used = [], set()
    for (name, path, group, schema), answer in zip(groups, answers):
        for at, test in enumerate(group["tests"]):
            keys = [(name, group["description"]), (name, group["description"], test["description"])]
            left_out = next((key for key in keys if key in LEFT_OUT), None)
            whole = FILES.get(name) if "optional" not in path else None
            got = answer["fits"][at] if "fits" in answer else answer["refused"]
            is_right = got is test["valid"]
            if whole or left_out:
                skipped += 1
                if left_out: used.add((left_out, is_right))
                continue
            if is_right: passed += 1
            else: bad.append(f"{draft} {name}: {group['description']}: {test['description']}: {got}, not {test['valid']}")
            if "optional" in path:
                continue                                    # python's checks less of these than the suite says
            try:
                said = oracle(draft, schema).is_valid(test["data"])
            except Exception as error:                      # some versions stumble over their own messages
                print(f"  python's jsonschema fails: {name}: {group['description']}: {type(error).__name__}")
                continue
            if is_right and said is not test["valid"]:
                print(f"  python's jsonschema differs from the suite, and from us: {name}: {group['description']}: {test['description']}")
    right = {key for key, is_right in used if is_right} - {key for key, is_right in used if not is_right}
    for key in sorted(right):
        bad.append(f"{draft} {key} is listed as left out, and all of it passes: take it off the list")
    print(f"{draft}: {passed} cases passed, {skipped} left out by name, {len(bad)} wrong ({folder})")
    return bad


def main():
    driver = sys.argv[1]
    base = sys.argv[2] if len(sys.argv) > 2 else "/usr/share/json-schema-test-suite/tests"
    bad = []
    for draft in ("draft7", "draft2020-12"):
        folder = os.path.join(base, draft)
        if os.path.isdir(folder):
            bad += run(driver, draft, folder)
    for line in bad:
        print("  " + line)
    sys.exit(1 if bad else 0)


main()
