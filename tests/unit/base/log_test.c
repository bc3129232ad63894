/* log: level and format change while other threads log; a line is of one format. Its race is seen by make tsan. */
#include "base/base.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static atomic_bool is_over;

static void *write_lines(void *context)
{
    (void)context;
    for (int at = 0; at < 4000; at++)
        log_write(at % 2 ? LOG_ERROR : LOG_DEBUG, "request",
                  LOG_INT("number", at), LOG_TEXT("path", "/v1/track\n\x1b[31m"));
    atomic_store(&is_over, true);
    return NULL;
}

static void a_reload_changes_the_level_while_others_log(void **state)
{
    char name[] = "/tmp/onym-log-XXXXXX", line[512];
    int file = mkstemp(name), errors = dup(STDERR_FILENO);
    pthread_t writer;
    unsigned lines = 0;
    (void)state;
    assert_true(file >= 0 && dup2(file, STDERR_FILENO) >= 0);
    log_configure(LOG_DEBUG, LOG_LOGFMT);
    assert_int_equal(pthread_create(&writer, NULL, write_lines, NULL), 0);
    for (unsigned at = 0; !atomic_load(&is_over); at++)
        log_configure(at % 3 ? LOG_DEBUG : LOG_INFO, at % 2 ? LOG_JSON : LOG_LOGFMT);
    pthread_join(writer, NULL);
    dup2(errors, STDERR_FILENO);
    log_configure(LOG_INFO, LOG_LOGFMT);
    FILE *stream = fdopen(file, "r");
    for (rewind(stream); fgets(line, sizeof line, stream); lines++) {
        size_t len = strlen(line);
        bool is_json = line[0] == '{';
        assert_true(len > 2 && line[len - 1] == '\n' && !strchr(line, 0x1b));
        assert_true(is_json ? line[len - 2] == '}' && strstr(line, "\"number\":") : strstr(line, " number=") != NULL);
    }
    assert_in_range(lines, 2000, 4000);                      /* errors are logged at both levels */
    fclose(stream);
    close(errors);
    unlink(name);
}

static void what_is_below_the_level_is_not_asked_for(void **state)
{
    (void)state;
    log_configure(LOG_WARN, LOG_LOGFMT);
    assert_false(log_is_on(LOG_DEBUG));
    assert_false(log_is_on(LOG_INFO));
    assert_true(log_is_on(LOG_WARN));
    assert_true(log_is_on(LOG_ERROR));
    log_configure(LOG_NONE, LOG_LOGFMT);
    assert_false(log_is_on(LOG_ERROR));
    assert_false(log_is_on(LOG_NONE));
    log_configure(LOG_INFO, LOG_LOGFMT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reload_changes_the_level_while_others_log),
        cmocka_unit_test(what_is_below_the_level_is_not_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
