"""Answers held against the OpenAPI document that the server serves itself: a small reader of JSON Schema, for the words
that src/openapi/openapi.tbl.h uses, stricter than the standard in one thing: a member that an object's schema does not name
is a fault, so that nothing is answered that is not described. (What may be added later is docs/compatibility.md's.)

tests/api/openapi has a public validator look at the document, and compares this reader's verdicts with it.
"""
import re

TYPES = {"null": lambda v: v is None, "boolean": lambda v: isinstance(v, bool), "object": lambda v: isinstance(v, dict),
         "array": lambda v: isinstance(v, list), "string": lambda v: isinstance(v, str),
         "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
         "integer": lambda v: isinstance(v, int) and not isinstance(v, bool)}
KNOWN = {"type", "properties", "required", "items", "enum", "const", "anyOf", "additionalProperties", "$ref",
         "pattern", "minimum", "maximum", "minItems", "maxItems", "maxLength", "description", "examples", "default", "format"}


class Document:
    def __init__(self, document):
        self.document = document
        self.schemas = document["components"]["schemas"]
        self.paths = [(re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)) + r"\Z"), path, operations)
                      for path, operations in document["paths"].items()]
        # A path without names in it goes before one with.
        self.paths.sort(key=lambda entry: entry[1].count("{"))

    def operation(self, method, path):
        """What the document says of a request; None: there is no such path, or not with this method."""
        path = re.sub(r"\?.*", "", path)
        for pattern, _, operations in self.paths:
            if pattern.match(path):
                return operations.get(method.lower())
        return None

    def answer_fault(self, method, path, status, answer):
        """What is wrong with an answer that is JSON; None: nothing is."""
        operation = self.operation(method, path)
        if operation is None:
            return None if status in (404, 405) else f"{method} {path} is not in the document"
        responses = operation["responses"]
        response = responses.get(str(status))
        if response is None:
            # Any path may be refused as a whole (no key, a page of elsewhere) and anything may break.
            if status in (400, 401, 403, 404, 408, 409, 413, 429, 500, 503):
                return self.fault({"anyOf": [{"$ref": "#/components/schemas/Error"},
                                             {"$ref": "#/components/schemas/Problem"}]}, answer)
            return f"{method} {path}: {status} is not in the document"
        if "$ref" in response:
            response = self.document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
        schema = response["content"].get("application/json", {}).get("schema")
        return self.fault(schema, answer) if schema else None

    def question_fault(self, method, path, question):
        """The same of a body that was accepted: what is understood is described."""
        operation = self.operation(method, path)
        if operation is None or "requestBody" not in operation:
            return None
        return self.fault(operation["requestBody"]["content"]["application/json"]["schema"], question, "question")

    def fault(self, schema, value, at="answer"):
        unknown = set(schema) - KNOWN
        assert not unknown, f"tests/lib/schema.py does not read {unknown}"
        if "$ref" in schema:
            found = self.fault(self.schemas[schema["$ref"].rsplit("/", 1)[1]], value, at)
            if found:
                return found
        types = schema.get("type", [])
        types = [types] if isinstance(types, str) else types
        if types and not any(TYPES[name](value) for name in types):
            return f"{at}: wanted {' or '.join(types)}, got {value!r:.80}"
        if "enum" in schema and value not in schema["enum"]:
            return f"{at}: {value!r:.80} is none of {schema['enum']}"
        if "const" in schema and value != schema["const"]:
            return f"{at}: wanted {schema['const']!r}, got {value!r:.80}"
        if "anyOf" in schema:
            found = [self.fault(one, value, at) for one in schema["anyOf"]]
            if all(found):
                return found[0]
        if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
            return f"{at}: {value!r:.80} is not like {schema['pattern']}"
        if isinstance(value, dict):
            return self.object_fault(schema, value, at)
        if isinstance(value, list) and "items" in schema:
            for index, item in enumerate(value):
                found = self.fault(schema["items"], item, f"{at}[{index}]")
                if found:
                    return found
        return None

    def object_fault(self, schema, value, at):
        for name in schema.get("required", []):
            if name not in value:
                return f"{at}.{name} is missing"
        properties = schema.get("properties", {})
        for name, member in value.items():
            if name in properties:
                found = self.fault(properties[name], member, f"{at}.{name}")
                if found:
                    return found
            elif properties and not schema.get("additionalProperties"):
                return f"{at}.{name} is not in the document"
        return None
