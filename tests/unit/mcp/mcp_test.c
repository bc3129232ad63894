/* mcp: lines are taken whole, wherever their bytes are cut; one that is too long is refused once, the next is read. */
#include "mcp/mcp.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char ping[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}\n";
static const char pong[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n";

static void open_mcp(struct mcp *mcp, int ends[2])
{
    assert_int_equal(pipe(ends), 0);
    *mcp = (struct mcp){ .out = ends[1] };
    region_open(&mcp->line_region, ASSISTANT_TREE_BYTES);
    buf_init(&mcp->input, LINE_BYTES);
    buf_init(&mcp->message, ASSISTANT_MESSAGE_BYTES);
    buf_init(&mcp->tools, ASSISTANT_MESSAGE_BYTES);
}

static void close_mcp(struct mcp *mcp, int ends[2])
{
    buf_done(&mcp->tools);
    buf_done(&mcp->message);
    buf_done(&mcp->input);
    region_close(&mcp->line_region);
    close(ends[0]);
    close(ends[1]);
}

static void a_line_may_be_cut_anywhere(void **state)
{
    (void)state;
    struct mcp mcp;
    int ends[2];
    char said[256];
    open_mcp(&mcp, ends);
    for (size_t cut = 0; cut < sizeof ping - 1; cut++) {
        take_bytes(&mcp, str_of(ping, cut));
        take_bytes(&mcp, str_of(ping + cut, sizeof ping - 1 - cut));
        assert_int_equal(read(ends[0], said, sizeof said), sizeof pong - 1);
        assert_memory_equal(said, pong, sizeof pong - 1);
    }
    close_mcp(&mcp, ends);
}

static void a_line_that_is_too_long_is_refused_once(void **state)
{
    (void)state;
    struct mcp mcp;
    int ends[2];
    char said[4096];
    static char bytes[65536];
    open_mcp(&mcp, ends);
    memset(bytes, 'x', sizeof bytes);
    for (size_t sent = 0; sent < 2 * LINE_BYTES; sent += sizeof bytes) take_bytes(&mcp, str_of(bytes, sizeof bytes));
    take_bytes(&mcp, STR("\n"));
    take_bytes(&mcp, str_of(ping, sizeof ping - 1));
    ssize_t count = read(ends[0], said, sizeof said - 1);
    assert_true(count > 0);
    said[count] = 0;
    assert_non_null(strstr(said, "-32600"));
    assert_non_null(strstr(said, pong));
    assert_null(strstr(strstr(said, "-32600") + 1, "-32600"));
    close_mcp(&mcp, ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_may_be_cut_anywhere),
        cmocka_unit_test(a_line_that_is_too_long_is_refused_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
