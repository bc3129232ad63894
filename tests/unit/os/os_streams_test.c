/* os_streams: what was closed is closed for who writes, and takes no file's number. */
#include "os/os_streams.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* In a process of its own, which has no streams to fail by: 0, or the number of the first claim that does not hold. */
static int without(unsigned closed)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char byte = 'x';
        for (int stream = 0; stream <= 2; stream++)
            if (closed >> stream & 1) (void)close(stream);
        streams_hold();
        int file = open("/dev/null", O_RDWR);
        if (file <= 2) _exit(1);
        if (closed & 1 && read(0, &byte, 1) != -1) _exit(2);
        if (closed & 2 && write(1, &byte, 1) != -1) _exit(3);
        if (closed & 4 && write(2, &byte, 1) != -1) _exit(4);
        if (!(closed & 4) && write(2, &byte, 0) != 0) _exit(5);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

static void a_closed_stream_takes_no_files_number(void **state)
{
    (void)state;
    for (unsigned closed = 0; closed < 8; closed++) assert_int_equal(without(closed), 0);
}

static void a_file_over_its_limit_is_a_failed_write(void **state)
{
    int status;
    pid_t child = fork();
    (void)state;
    assert_true(child >= 0);
    if (child == 0) {
        char path[] = "/tmp/onym-streams-XXXXXX";
        int file = mkstemp(path);
        struct rlimit none = { 0, 0 };
        (void)unlink(path);
        streams_hold();
        if (setrlimit(RLIMIT_FSIZE, &none) != 0) _exit(1);
        _exit(write(file, "x", 1) == -1 && errno == EFBIG ? 0 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_stream_takes_no_files_number),
        cmocka_unit_test(a_file_over_its_limit_is_a_failed_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
