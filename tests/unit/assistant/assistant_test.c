/* assistant: what becomes of a message, whatever it is. */
#include "assistant/assistant.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static char memory[1 << 20];

static void every_message_has_its_step_and_its_answer(void **state)
{
    (void)state;
    static const struct { const char *text; AssistantStep step; int error; const char *answer; } rows[] = {
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", ASSISTANT_ANSWERED, 0,
          "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}" },
        { "{\"jsonrpc\":\"2.0\",\"id\":\"\\u00e9\\n\xff\",\"method\":\"ping\"}", ASSISTANT_ANSWERED, 0,
          "{\"jsonrpc\":\"2.0\",\"id\":\"\xc3\xa9\\n\xef\xbf\xbd\",\"result\":{}}" },
        { "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"tools/list\"}", ASSISTANT_LIST, 0, NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"cursor\":\"x\"}}", ASSISTANT_ANSWERED,
          ASSISTANT_BAD_PARAMS, NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"people\"}}",
          ASSISTANT_CALL, 0, NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"erase\"}}",
          ASSISTANT_ANSWERED, ASSISTANT_BAD_PARAMS, NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"people\",\"arguments\":[]}}",
          ASSISTANT_ANSWERED, ASSISTANT_BAD_PARAMS, NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}", ASSISTANT_ANSWERED, ASSISTANT_BAD_PARAMS,
          NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"PING\"}", ASSISTANT_ANSWERED, ASSISTANT_NO_METHOD, NULL },
        { "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}", ASSISTANT_CANCEL,
          0, NULL },
        { "{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}", ASSISTANT_SILENT, 0, NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", ASSISTANT_SILENT, 0, NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":[],\"method\":\"ping\"}", ASSISTANT_ANSWERED, ASSISTANT_BAD_REQUEST, NULL },
        { "[]", ASSISTANT_ANSWERED, ASSISTANT_BAD_REQUEST, NULL }, { "", ASSISTANT_ANSWERED, ASSISTANT_BAD_JSON, NULL },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"_meta\":"
          "{\"io.modelcontextprotocol/protocolVersion\":\"1999\"}}}", ASSISTANT_ANSWERED, ASSISTANT_BAD_VERSION, NULL },
    };
    struct buf out;
    buf_init(&out, ASSISTANT_MESSAGE_BYTES);
    for (size_t at = 0; at < countof(rows); at++) {
        Arena arena = { memory, memory + sizeof memory };
        AssistantMessage message;
        buf_clear(&out);
        AssistantStep step = assistant_take(str_from(rows[at].text), &arena, &message, &out);
        if (step != rows[at].step || message.error != rows[at].error) fail_msg("%s", rows[at].text);
        assert_int_equal(step == ASSISTANT_ANSWERED, out.len > 0);
        if (rows[at].answer) assert_true(str_equal(buf_str(&out), str_from(rows[at].answer)));
    }
    buf_done(&out);
}

static void an_answer_that_is_none_is_a_failure(void **state)
{
    (void)state;
    static const struct { const char *answer; int status; const char *words; } rows[] = {
        { "{\"a\":\n1}", 200, "\"structuredContent\":{\"a\": 1}" }, { "<html>", 200, "is no Onym" },
        { "[1]", 200, "is no Onym" }, { "{}", 500, "is no Onym" },
        { "{\"error\":{\"message\":\"is wrong\",\"field\":\"steps[0]\"}}", 400, "steps[0]: is wrong" },
    };
    AssistantMessage message = { 0 };
    struct buf out;
    buf_init(&out, ASSISTANT_MESSAGE_BYTES);
    for (size_t at = 0; at < countof(rows); at++) {
        Arena arena = { memory, memory + sizeof memory };
        assistant_outcome(&message, rows[at].status, str_from(rows[at].answer), arena, &out);
        if (!memmem(out.bytes, out.len, rows[at].words, strlen(rows[at].words)))
            fail_msg("%.*s", STR_FORMAT(buf_str(&out)));
        assert_null(memchr(out.bytes, '\n', out.len));
    }
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_has_its_step_and_its_answer),
        cmocka_unit_test(an_answer_that_is_none_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
