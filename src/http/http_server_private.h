/* http_server_private: a server and its connections, as http_server.c (what becomes of requests) and http_connection.c
 * (how their bytes come and go) see them. */
#ifndef ONYM_HTTP_SERVER_PRIVATE_H
#define ONYM_HTTP_SERVER_PRIVATE_H

#include <netinet/in.h>

#include "http_exchange.h"
#include "http_tls.h"
#include "http_wire.h"

/* Where a connection is; each state has a list in the order in which they came to it, and a time limit of its own. */
typedef enum ConnectionState {
    CONNECTION_IDLE,                 /* between requests: idle_timeout */
    CONNECTION_READING,              /* a request has begun: request_timeout, from its first byte */
    CONNECTION_WAITING,              /* for the journal or a worker, which have limits of their own */
    CONNECTION_WRITING,              /* an answer that its client takes slowly: idle_timeout without progress */
    CONNECTION_STREAMING,            /* an answer without an end, all of it sent so far: no limit */
    CONNECTION_ENDING,               /* the last answer is sent; what still comes is read, so that the answer arrives */
    CONNECTION_CLOSED,               /* to be freed */
    CONNECTION_STATES,
} ConnectionState;

struct connection {
    struct connection *before, *after;               /* of its state's list */
    struct connection *next;                         /* in the list of ready or of closed ones */
    struct http_server *server;
    struct exchange *exchange;                       /* the request at hand; NULL: none has begun */
    struct tls_session *tls;
    int64_t since_ns;                                /* when it entered its state, or wrote last */
    int64_t write_began_ns;
    struct wire_body body;
    struct buf in, out;                              /* bytes not looked at yet; the head of an answer, not sent yet */
    size_t scanned;                                  /* how much of an incomplete head was searched */
    size_t sent;  /* how much of the answer: first of out, then of the reply's body */
    size_t forgotten_bytes;
    int socket;
    uint8_t state;
    bool is_readable;                                /* until the socket says that it is empty */
    bool is_ready;                                   /* it is in the list of ready connections */
    bool has_left;                                   /* the client ended its side, or all of it */
    bool has_asked;                                  /* it has sent a request */
    bool has_skipped;                                /* an empty line before the request */
    bool needs_more;                                 /* in is the beginning of something */
    char ip[INET6_ADDRSTRLEN];
};

struct connection_list {
    struct connection *first, *last;
};

struct http_server {
    HttpOptions options;
    struct collect_workspace *workspace;
    struct tls *tls;
    int epoll, wake, listener, spare;                /* spare: a descriptor to give up when there is no other */
    struct region region;
    Arena arena;
    /* connections */
    struct connection_list lists[CONNECTION_STATES];
    struct connection *ready, *closed;
    HttpCrowd *crowd, alone;                         /* alone: used if there are no other servers */
    char *scratch;                                   /* bytes that were read, before a connection keeps them */
    struct buf head;                                 /* of the answer at hand */
    WireHead wire;                                   /* of the request at hand */
    int turn_requests;                               /* how many the connection at hand may still begin in its turn */
    int64_t now_ns, swept_at_ns, streamed_at_ns, complained_at_ns, date_at_s;
    char date[INSTANT_HTTP_BYTES];          /* without a NUL; its first byte is 0 before the first answer */
    bool is_quiesced, is_deaf;                       /* deaf: accepts no connections, since it has no descriptors */
    /* exchanges */
    struct exchange *free_exchanges;
    struct exchange *working;                        /* given to worker threads; linked both ways */
    size_t free_exchange_count, busy_count, body_bytes;
    struct journal_append *free_append;              /* linked by next */
    size_t free_append_count;
    size_t submitted_count;                          /* since the last commit of ours */
    _Atomic(struct exchange *) done;                 /* durable or failed, pushed by the committer */
    atomic_bool wake_pending;
};

enum { READ_BYTES = 64 * 1024 };

/* ---- Requests (http_server.c), for connections ---- */
/* A head is there: gives the connection its exchange, which may be answered already. False: no memory. */
bool server_begin_exchange(struct connection *connection, Str head);
/* Answers bytes that are not a request: makes an exchange with its answer. False: no memory. */
bool server_refuse(struct connection *connection, const WireRefusal *refusal);
/* Takes body bytes. False: the connection should be closed. */
bool server_take_body(struct exchange *exchange, Str bytes);
/* The request is whole: it is handled, and then answered or waiting. */
void server_handle(struct exchange *exchange);
void server_end_exchange(struct exchange *exchange);
/* Gives the exchange to a worker; false, and nothing has happened: too much is waiting. */
bool server_give_work(struct exchange *exchange, ExchangeWork *work);

/* ---- Answers without an end (http_stream.c) ---- */
enum { STREAM_POLL_MS = 100 };
/* All that was made is sent: asks for more at once, or waits for streams_step. */
void stream_go_on(struct connection *connection);
/* Asks the streams that have something to say for a piece. */
void streams_step(struct http_server *server);
/* The server stops: each stream ends, at the latest with the piece that is being made. */
void streams_end(struct http_server *server);

/* ---- Connections (http_connection.c), for the server ---- */
Status MUST connections_open(struct http_server *server, Err *err);
void connections_quiesce(struct http_server *server);
void connections_close(struct http_server *server);
/* Waits at most timeout_ms for something, and serves what is there. */
void connections_round(struct http_server *server, Millis timeout_ms);
/* Ends connections that have had their time. */
void connections_sweep(struct http_server *server);
/* The exchange of a connection is answered, or has a piece: sends what its socket takes. */
void connection_answer(struct connection *connection);

/* ---- Connections, for who makes room ---- */
void connection_close(struct connection *connection);
void connection_enter(struct connection *connection, ConnectionState state);
/* Refuses what its client is sending, and closes after that answer. */
void connection_refuse(struct connection *connection, const WireRefusal *refusal);
/* Lets it be served in this round or the next. */
void connection_make_ready(struct connection *connection);
/* Has its client sent something that was not read yet? Then it is made ready. */
bool connection_has_bytes(struct connection *connection);

/* ---- Too many of them (http_crowd.c) ---- */
/* False: there are too many connections already; turn the new one away. */
bool crowd_has_room(struct http_server *server);
/* Closes as many unused connections as the other servers need. */
void crowd_give_room(struct http_server *server);
/* Answers 503 and closes the socket. */
void crowd_turn_away(struct http_server *server, int socket);
/* There are no descriptors left. True: not even the waiting client could be told; accept nobody for a while. */
bool crowd_make_room(struct http_server *server, int why);
/* The connection whose body has been arriving longest, and too long while memory is short; NULL: all are quick. */
struct connection *crowd_find_stalled(struct http_server *server, const struct connection *asking);

/* ---- Answers (http_answer.c) ---- */
/* The bytes of an answer up to its body, into server->head. */
void answer_write_head(struct exchange *exchange, bool closes);

#endif
