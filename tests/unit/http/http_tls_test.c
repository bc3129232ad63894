/* http_tls: a client whose warnings have no end. */
#include "http/http_tls.c"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include <gnutls/x509.h>

enum { PEM_BYTES = 8192 };

static void make_certificate(char *certificate_pem, char *key_pem)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t certificate;
    size_t certificate_len = PEM_BYTES, key_len = PEM_BYTES;
    assert_int_equal(gnutls_x509_privkey_init(&key), 0);
    assert_int_equal(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                                  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), 0);
    assert_int_equal(gnutls_x509_crt_init(&certificate), 0);
    assert_int_equal(gnutls_x509_crt_set_version(certificate, 3), 0);
    assert_int_equal(gnutls_x509_crt_set_serial(certificate, "\1", 1), 0);
    assert_int_equal(gnutls_x509_crt_set_activation_time(certificate, 0), 0);
    assert_int_equal(gnutls_x509_crt_set_expiration_time(certificate, 4000000000), 0);
    assert_int_equal(gnutls_x509_crt_set_dn(certificate, "CN=localhost", NULL), 0);
    assert_int_equal(gnutls_x509_crt_set_key(certificate, key), 0);
    assert_int_equal(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crt_export(certificate, GNUTLS_X509_FMT_PEM, certificate_pem, &certificate_len), 0);
    assert_int_equal(gnutls_x509_privkey_export(key, GNUTLS_X509_FMT_PEM, key_pem, &key_len), 0);
    gnutls_x509_crt_deinit(certificate);
    gnutls_x509_privkey_deinit(key);
}

struct pair {
    struct tls *tls;
    struct tls_session *server;
    gnutls_session_t client;
    gnutls_certificate_credentials_t credentials;
    int sockets[2];
};

static void open_pair(struct pair *pair)
{
    char certificate[PEM_BYTES], key[PEM_BYTES], byte;
    Err err;
    int got;
    make_certificate(certificate, key);
    assert_int_equal(tls_open(certificate, key, &pair->tls, &err), OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair->sockets), 0);
    assert_non_null(pair->server = tls_begin(pair->tls, pair->sockets[0]));
    assert_int_equal(gnutls_init(&pair->client, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL), 0);
    assert_int_equal(gnutls_certificate_allocate_credentials(&pair->credentials), 0);
    assert_int_equal(gnutls_credentials_set(pair->client, GNUTLS_CRD_CERTIFICATE, pair->credentials), 0);
    assert_int_equal(gnutls_priority_set_direct(pair->client, "NORMAL:-VERS-ALL:+VERS-TLS1.2", NULL), 0);
    gnutls_transport_set_int(pair->client, pair->sockets[1]);
    do {
        got = gnutls_handshake(pair->client);
        assert_int_equal(tls_read(pair->server, &byte, 1), -1);
        assert_int_equal(errno, EAGAIN);
    } while (got == GNUTLS_E_AGAIN);
    assert_int_equal(got, 0);
}

static void close_pair(struct pair *pair)
{
    tls_end(pair->server);
    tls_close(pair->tls);
    gnutls_deinit(pair->client);
    gnutls_certificate_free_credentials(pair->credentials);
    close(pair->sockets[0]);
    close(pair->sockets[1]);
}

static void a_few_warnings_are_passed_over(void **state)
{
    struct pair pair;
    char bytes[8];
    (void)state;
    open_pair(&pair);
    for (int at = 0; at < 3; at++)
        assert_int_equal(gnutls_alert_send(pair.client, GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED), 0);
    assert_int_equal(gnutls_record_send(pair.client, "hello", 5), 5);
    assert_int_equal(tls_read(pair.server, bytes, sizeof bytes), 5);
    assert_memory_equal(bytes, "hello", 5);
    close_pair(&pair);
}

static void warnings_without_end_end_the_session(void **state)
{
    struct pair pair;
    char bytes[8];
    (void)state;
    open_pair(&pair);
    for (int at = 0; at < 2 * WARNINGS_MAX; at++)
        assert_int_equal(gnutls_alert_send(pair.client, GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED), 0);
    assert_int_equal(tls_read(pair.server, bytes, sizeof bytes), -1);
    assert_int_equal(errno, ECONNRESET);
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_warnings_are_passed_over),
        cmocka_unit_test(warnings_without_end_end_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
