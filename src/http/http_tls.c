/* http_tls: see its header. */
#include "http_tls.h"
#include "http.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>

/* A client that warns, or wants a new handshake, does so once or twice. A client that did it without end, each in a
 * few bytes, would keep the loop below busy, and everybody else waiting. */
enum { WARNINGS_MAX = 16 };

struct tls {
    gnutls_certificate_credentials_t credentials;
};

struct tls_session {
    gnutls_session_t session;
    bool is_open;                    /* the handshake is done */
    unsigned warnings;               /* that were ignored */
};

Status tls_open(const char *certificate_pem, const char *key_pem, struct tls **ret, Err *err)
{
    struct tls *tls = calloc(1, sizeof *tls);
    if (!tls || gnutls_certificate_allocate_credentials(&tls->credentials) < 0) {
        free(tls);
        return err_set(err, ERR_IO, "http: no memory for TLS");
    }
    gnutls_datum_t certificate = { (unsigned char *)(uintptr_t)certificate_pem, (unsigned)strlen(certificate_pem) };
    gnutls_datum_t key = { (unsigned char *)(uintptr_t)key_pem, (unsigned)strlen(key_pem) };
    if (gnutls_certificate_set_x509_key_mem(tls->credentials, &certificate, &key, GNUTLS_X509_FMT_PEM) < 0) {
        tls_close(tls);
        return err_set(err, ERR_INPUT, "the TLS certificate and the key do not belong together, or are damaged");
    }
    *ret = tls;
    return OK;
}

Status http_check_tls(const char *certificate_pem, const char *key_pem, Err *err)
{
    struct tls *tls = NULL;
    Status s = tls_open(certificate_pem, key_pem, &tls, err);
    tls_close(tls);
    return s;
}

void tls_close(struct tls *tls)
{
    if (!tls) return;
    gnutls_certificate_free_credentials(tls->credentials);
    free(tls);
}

struct tls_session *tls_begin(struct tls *tls, int socket)
{
    struct tls_session *session = calloc(1, sizeof *session);
    if (!session) return NULL;
    if (gnutls_init(&session->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0) {
        free(session);
        return NULL;
    }
    if (gnutls_set_default_priority(session->session) < 0 ||
        gnutls_credentials_set(session->session, GNUTLS_CRD_CERTIFICATE, tls->credentials) < 0) {
        gnutls_deinit(session->session);
        free(session);
        return NULL;
    }
    gnutls_transport_set_int(session->session, socket);
    return session;
}

void tls_end(struct tls_session *session)
{
    if (!session) return;
    if (session->is_open) (void)gnutls_bye(session->session, GNUTLS_SHUT_WR);
    gnutls_deinit(session->session);
    free(session);
}

static ssize_t answer_of(ssize_t got)
{
    if (got >= 0) return got;
    errno = got == GNUTLS_E_AGAIN ? EAGAIN : ECONNRESET;
    return -1;
}

/* Does this result not end the session, so that the same can be tried again at once? */
static bool is_passed_over(struct tls_session *session, ssize_t got)
{
    if (got == GNUTLS_E_INTERRUPTED) return true;
    bool is_warning = got == GNUTLS_E_WARNING_ALERT_RECEIVED || got == GNUTLS_E_REHANDSHAKE;
    return is_warning && ++session->warnings <= WARNINGS_MAX;
}

static bool shake_hands(struct tls_session *session)
{
    int got;
    if (session->is_open) return true;
    do got = gnutls_handshake(session->session);
    while (is_passed_over(session, got));
    session->is_open = got >= 0;
    if (got < 0) (void)answer_of(got);
    return got >= 0;
}

ssize_t tls_read(struct tls_session *session, void *bytes, size_t count)
{
    ssize_t got;
    if (!shake_hands(session)) return -1;
    do got = gnutls_record_recv(session->session, bytes, count);
    while (is_passed_over(session, got));
    return answer_of(got);
}

ssize_t tls_write(struct tls_session *session, const void *bytes, size_t count)
{
    ssize_t got;
    if (!shake_hands(session)) return -1;
    do got = gnutls_record_send(session->session, bytes, count);
    while (is_passed_over(session, got));
    return answer_of(got);
}
