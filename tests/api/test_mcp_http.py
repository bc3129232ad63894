"""/mcp: the Model Context Protocol over HTTP, as hostile and careless clients speak it. tests/api/mcp_client.py has the public
client."""
import socket
import threading

from client import Case, PATIENCE_S, SECRET, json, message, unittest

READER = "rd_0123456789abcdefghij"
MODERN = "2026-07-28"


def request(number, method, **params):
    return {"jsonrpc": "2.0", "id": number, "method": method, **({"params": params} if params else {})}


def call(number, tool, **arguments):
    return request(number, "tools/call", name=tool, arguments=arguments)


class McpHttp(Case):
    config = {"keys": [{"name": "numbers", "key": READER}]}

    def post(self, body, key=SECRET, path="/mcp", method="POST", **headers):
        """(status, what was told)."""
        if isinstance(body, str):
            body = body.encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
                   **{name.replace("_", "-"): value for name, value in headers.items()}}
        status, self.headers, text = self.raw(path, method, body, {k: v for k, v in headers.items() if v is not None}, key)
        return status, json.loads(text) if text else None

    def failure(self, told):
        self.assertTrue(told["result"]["isError"], told)
        return told["result"]["content"][0]["text"]

    def test_a_key_opens_it_and_nothing_else(self):
        for key in (None, "wk_website", "", "x" * 5000):
            status, told = self.post(request(1, "ping"), key)
            self.assertEqual(status, 401, key)
            self.assertNotIn("result", told)
        status, headers, _ = self.raw("/api/v1/session", "POST", {"key": SECRET}, {"Sec-Fetch-Site": "same-origin"}, key=None)
        self.assertEqual(status, 200)
        cookie = headers["Set-Cookie"].split(";")[0]
        status, told = self.post(request(1, "ping"), None, Cookie=cookie, Sec_Fetch_Site="same-origin")
        self.assertEqual((status, told["error"]["code"]), (403, "unauthorized"))
        for key in (SECRET, READER):
            self.assertEqual(self.post(request(1, "ping"), key), (200, {"jsonrpc": "2.0", "id": 1, "result": {}}))

    def test_pages_of_other_origins_are_refused(self):
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"},
                        {"Origin": "http://127.0.0.1:1"}):
            status, told = self.post(call(1, "people"), **headers)
            self.assertEqual(status, 403, headers)
            self.assertNotIn("Access-Control-Allow-Origin", self.headers)
            self.assertNotIn("result", told)
        self.assertEqual(self.post(request(1, "ping"), Origin=self.server.url)[0], 200)

    def test_other_methods_forms_and_kinds(self):
        for method in ("GET", "DELETE"):
            self.assertEqual(self.post(None, method=method, Accept="text/event-stream")[0], 405)
        for kind in ("text/plain", "multipart/form-data", "", None, "application/jsonp"):
            self.assertEqual(self.post(json.dumps(request(1, "ping")), Content_Type=kind)[0], 415, kind)
        self.assertEqual(self.post(request(1, "ping"), Accept="text/html")[0], 406)
        for accept in (None, "*/*", "application/*;q=0.5", "text/event-stream, Application/JSON"):
            self.assertEqual(self.post(request(1, "ping"), Accept=accept)[0], 200, accept)
        self.assertEqual(self.post(request(1, "ping"), Content_Type="application/json; charset=utf-8")[0], 200)

    def test_what_is_no_message(self):
        deep = '{"a":' * 3000 + "1" + "}" * 3000
        for text, code in (("", -32700), ("{", -32700), ("nonsense", -32700), ("[]", -32600), ("7", -32600), (deep, -32600),
                           ('{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600), ('{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
                           (json.dumps([request(1, "ping")]), -32600), ('{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600)):
            status, told = self.post(text)
            self.assertEqual((status, told["error"]["code"]), (400, code), text[:60])
        self.assertEqual(self.post('{"jsonrpc":"2.0","id":1,"method":"ping","x":"' + "y" * 600_000 + '"}')[0], 413)
        self.assertEqual(self.post(request(2, "tools/call", name="people_erase"))[1]["error"]["code"], -32602)
        self.assertEqual(self.post(request(2, "resources/list"))[1]["error"]["code"], -32601)
        # Nothing is asked of the client, so its answers are taken and dropped; so are notifications.
        for one in ({"jsonrpc": "2.0", "id": 1, "result": {}}, {"jsonrpc": "2.0", "method": "notifications/initialized"},
                    {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}):
            self.assertEqual(self.post(one), (202, None))

    def test_versions_in_headers_are_those_of_messages(self):
        self.assertEqual(self.post(request(1, "ping"), MCP_Protocol_Version="1999-01-01")[0], 400)
        self.assertEqual(self.post(request(1, "ping"), MCP_Protocol_Version="2025-06-18")[0], 200)
        status, told = self.post(request(1, "initialize", protocolVersion="2025-06-18", capabilities={}))
        self.assertEqual((status, told["result"]["protocolVersion"]), (200, "2025-06-18"))
        self.assertIsNone(self.headers["Mcp-Session-Id"])
        meta = {"io.modelcontextprotocol/protocolVersion": MODERN}
        say = {"MCP_Protocol_Version": MODERN, "Mcp_Method": "tools/call", "Mcp_Name": "people"}
        one = request(1, "tools/call", name="people", arguments={}, _meta=meta)
        self.assertEqual(self.post(one, **say)[0], 200)
        for lie in ({"MCP_Protocol_Version": "2025-06-18"}, {"MCP_Protocol_Version": None}, {"Mcp_Method": "ping"},
                    {"Mcp_Method": None}, {"Mcp_Name": "events"}, {"Mcp_Name": None}):
            status, told = self.post(one, **{**say, **lie})
            self.assertEqual((status, told["error"]["code"]), (400, -32020), lie)
        for method, scope in (("tools/list", "private"), ("server/discover", "public")):       # tools are those of the key
            status, told = self.post(request(1, method, _meta=meta), MCP_Protocol_Version=MODERN, Mcp_Method=method)
            self.assertEqual((status, told["result"]["cacheScope"]), (200, scope), method)
        status, told = self.post(request(1, "no/such", _meta=meta), MCP_Protocol_Version=MODERN, Mcp_Method="no/such")
        self.assertEqual((status, told["error"]["code"]), (404, -32601))

    def test_a_call_is_the_apis_answer_and_no_way_around_it(self):
        self.send(message("identify", "h1", 1, anonymousId="h-a", userId="h-u", traits={"email": "h@example.com"}))
        told = self.post(call("q", "people_resolve", user_id="h-u"))[1]
        self.assertEqual(told["id"], "q")
        self.assertEqual(told["result"]["structuredContent"], self.resolve(user_id="h-u"))
        self.assertEqual(self.post(call(1, "questions"))[1]["result"]["structuredContent"], {"questions": []})
        # Arguments are values, whatever they look like.
        for tool, arguments in (("people_one", {"person_id": "../sources"}), ("people_one", {"person_id": "u_x?limit=1#"}),
                                ("destinations_one", {"destination": "x/../../sources"}), ("people_one", {"person_id": ""}),
                                ("people_one", {"person_id": "."}), ("people_one", {"person_id": "u" * 400_000}),
                                ("people_resolve", {"user_id": ["h-u"]}), ("trends", {"series": [{"event": "\u202e" * 999}] * 40}),
                                ("people_events", {"person_id": "u_h-u", "limit": "1&cursor=x"})):
            text = self.failure(self.post(call(1, tool, **arguments))[1])
            self.assertNotIn("wk_", text)
        self.assertEqual(self.post(call(1, "people_one", person_id="u_h-u"))[0], 200)          # it stands

    def test_a_reader_is_told_numbers(self):
        self.send(message("identify", "r1", 1, anonymousId="r-a", userId="r-u", traits={"email": "r@example.com"}))
        told = self.post(call(1, "trends", series=["*"]), READER)[1]
        self.assertFalse(told["result"]["isError"])
        for tool, arguments in (("people_one", {"person_id": "u_r-u"}), ("people_resolve", {"user_id": "r-u"}), ("questions", {}),
                                ("funnels_people", {"steps": ["*"], "step": 1}), ("destinations_dead", {"destination": "x"}),
                                ("trends", {"series": ["*"], "by": "traits.email"})):
            self.assertIn("not for the role reader", self.failure(self.post(call(1, tool, **arguments), READER)[1]), tool)
        status, told = self.post(call(1, "people"), READER)
        self.assertNotIn("r@example.com", json.dumps(told))
        self.assertTrue(told["result"]["structuredContent"]["people"])

    def test_many_at_once_and_some_that_leave(self):
        body = json.dumps(call(1, "trends", series=["*"])).encode()
        head = (f"POST /mcp HTTP/1.1\r\nHost: onym\r\nAuthorization: Bearer {READER}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        clients = [socket.create_connection(("127.0.0.1", self.server.port), PATIENCE_S) for _ in range(60)]
        for at, client in enumerate(clients):
            client.sendall(head + (body if at % 3 else body[:-5]))
            if at % 3 != 1:
                client.close()
        answers = [client.recv(1 << 16) for at, client in enumerate(clients) if at % 3 == 1]
        for client in clients:
            client.close()
        for one in answers:
            self.assertTrue(one.startswith((b"HTTP/1.1 200", b"HTTP/1.1 503")), one[:200])
        told = []
        threads = [threading.Thread(target=lambda at=at: told.append(self.raw("/mcp", "POST", call(at, "events"),
                   {"Content-Type": "application/json"})[2])) for at in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(json.loads(one)["id"] for one in told), list(range(8)))

    def test_it_is_no_order_and_stands_in_no_list_of_them(self):
        before = self.ask("audit")["entries"]
        self.post(call(1, "people"))
        self.post(call(1, "trends", series=["*"]))
        self.assertEqual(self.ask("audit")["entries"], before)


if __name__ == "__main__":
    unittest.main()
