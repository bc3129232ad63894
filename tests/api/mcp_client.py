"""`onym mcp`, and /mcp over HTTP, and the public client of the Model Context Protocol (PyPI's mcp), as it is: both of its
ways to begin, every tool. Loaded by tests/api/openapi, which has the packages."""
import asyncio
import re

import jsonschema
import mcp
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from client import SECRET, Case, json, lib, message, unittest


class Mcp(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.parameters = StdioServerParameters(command=str(lib.program()), args=[
            "mcp", "--config", str(cls.server.config), "--data", str(cls.server.data)])

    def way(self):
        return self.parameters

    def talk(self, story, mode="auto"):
        async def all_of_it():
            async with mcp.Client(self.way(), mode=mode) as client:
                return await story(client)
        return asyncio.run(asyncio.wait_for(all_of_it(), 60))

    def history(self):
        self.send(message("page", 1, 1, anonymousId="c-1", properties={"path": "/"}),
                  message("identify", 2, 2, anonymousId="c-1", userId="c-u", traits={"email": "c@example.com"}),
                  message("track", 3, 3, userId="c-u", event="Account Created", properties={"plan": "Free"}))

    def test_both_ways_to_begin(self):
        for mode, version in (("legacy", "2025-11-25"), ("auto", "2026-07-28"), ("2026-07-28", "2026-07-28")):
            async def look(client):
                tools = (await client.list_tools()).tools
                return client.protocol_version, client.server_info, {tool.name for tool in tools}
            spoken, info, names = self.talk(look, mode)
            self.assertEqual(spoken, version, mode)
            self.assertLessEqual({"funnels", "trends", "retention", "paths", "signups", "events", "people_resolve",
                                  "destinations"}, names)
            if mode != "2026-07-28":
                self.assertEqual(info.name, "onym")

    def test_there_is_a_tool_for_every_question_and_they_only_read(self):
        async def look(client):
            return (await client.list_tools()).tools
        tools = self.talk(look)
        described = json.loads(self.raw("/api/v1/openapi.json")[2])
        names = [tool.name for tool in tools]
        self.assertEqual(len(names), len(set(names)))
        for path, operations in described["paths"].items():
            for method, operation in operations.items():
                body = json.dumps(operation.get("requestBody", {}))
                if re.search(r'schemas/\w*Question"', body):
                    self.assertIn(path[8:].replace("/", "_"), names)
        for tool in tools:
            jsonschema.Draft202012Validator.check_schema(tool.input_schema)
            self.assertTrue(tool.annotations.read_only_hint, tool.name)
            self.assertRegex(tool.name, r"^[a-z_]{1,64}$")
            self.assertTrue(tool.description and tool.title)
            self.assertNotRegex(json.dumps(tool.input_schema), r"components/schemas|--[a-z]")
        for word in ("erase", "suppress", "unmerge", "restore", "replay", "redo", "test", "hash", "export"):
            self.assertFalse([name for name in names if word in name], word)

    def test_the_answers_are_the_apis(self):
        self.history()
        asked = {"funnels": {"steps": ["page:/", "Account Created"]}, "funnels_people": {"steps": ["page:/"], "step": 1},
                 "trends": {"series": ["Account Created"], "unit": "week"}, "retention": {"birth": "*", "periods": 2},
                 "paths": {"event": "page:/"}, "signups": {"event": "Account Created"}, "events": {}}
        got = {"people_resolve": ({"user_id": "c-u"}, "people/resolve?user_id=c-u"),
               "people_why": ({"ids": "c-1,c-u"}, "people/why?ids=c-1,c-u"), "people": ({"search": "c-u"}, "people?search=c-u"),
               "people_one": ({"person_id": "u_c-u"}, "people/u_c-u"), "people_groups": ({"person_id": "u_c-u"}, "people/u_c-u/groups"),
               "people_events": ({"person_id": "u_c-u", "limit": 2}, "people/u_c-u/events?limit=2"),
               "people_links": ({"person_id": "u_c-u"}, "people/u_c-u/links"), "destinations": ({}, "destinations"),
               "people_traits_history": ({"person_id": "u_c-u", "trait": "email"}, "people/u_c-u/traits/history?trait=email")}

        async def ask(client):
            schemas = {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}
            for name, question in asked.items():
                jsonschema.Draft202012Validator(schemas[name]).validate(question)
            for name, (arguments, _) in got.items():
                jsonschema.Draft202012Validator(schemas[name]).validate(arguments)
            return {name: await client.call_tool(name, arguments) for name, arguments in
                    {**asked, **{name: arguments for name, (arguments, _) in got.items()}}.items()}
        for mode in ("legacy", "auto"):
            for name, answer in self.talk(ask, mode).items():
                with self.subTest(f"{mode} {name}"):
                    wanted = (self.ask(name.replace("_", "/"), "POST", asked[name]) if name in asked
                              else self.ask(got[name][1]))
                    self.assertFalse(answer.is_error, answer)
                    self.assertEqual(answer.structured_content, wanted)
                    self.assertEqual(json.loads(answer.content[0].text), wanted)

    def test_what_is_wrong_is_told_to_the_assistant_or_to_the_client(self):
        async def ask(client):
            told = []
            for name, arguments in (("funnels", {"steps": []}), ("trends", {"series": ["x"], "colour": 1}),
                                    ("people_one", {"person_id": "u_nobody/../.."}), ("people_one", {}),
                                    ("people_resolve", {"user_id": ["a"]}), ("people_resolve", {"key": "a"})):
                answer = await client.call_tool(name, arguments)
                told.append((answer.is_error, answer.content[0].text))
            with self.assertRaises(mcp.MCPError) as refused:
                await client.call_tool("people_erase", {})
            return told, refused.exception.error.code
        told, code = self.talk(ask)
        self.assertEqual(code, -32602)
        for (is_error, text), words in zip(told, ("steps: ", "colour", "there is no person", "person_id: is missing",
                                                  "user_id: a text", 'no argument "key"')):
            self.assertTrue(is_error)
            self.assertIn(words, text)


class McpByHttp(Mcp):
    """The same over HTTP, and what a reader's key may."""
    config = {"keys": [{"name": "numbers", "key": "rd_0123456789abcdefghij"}]}
    key = SECRET

    def way(self):
        return streamable_http_client(self.server.url + "/mcp",
                                      http_client=create_mcp_http_client({"Authorization": f"Bearer {self.key}"}))

    def test_a_reader_asks_numbers_and_is_told_nobody(self):
        self.history()
        self.key = "rd_0123456789abcdefghij"

        async def ask(client):
            return ({tool.name for tool in (await client.list_tools()).tools},
                    await client.call_tool("signups", {"event": "Account Created"}), await client.call_tool("people", {}),
                    await client.call_tool("people_resolve", {"user_id": "c-u"}), await client.call_tool("findings", {}))
        names, signups, people, resolve, findings = self.talk(ask)
        self.assertLessEqual({"funnels", "trends", "retention", "paths", "signups", "people", "findings", "live_counts"}, names)
        self.assertFalse(names & {"people_resolve", "people_one", "funnels_people", "questions", "people_why"})
        self.assertEqual(signups.structured_content["people"], 1)
        self.assertFalse(people.is_error)
        self.assertNotIn("c@example.com", str(people))
        self.assertIn("not for the role reader", resolve.content[0].text)
        self.assertTrue(resolve.is_error)
        self.assertFalse(findings.is_error)


if __name__ == "__main__":
    unittest.main()
