/* cli_ask: a question to Onym's API from the command line. A command that wants to know something of people, events
 * or destinations asks the same paths as everybody else, so that there is one truth to test; this is its client.
 *
 *     struct asker *asker;
 *     Str answer;
 *     int code = ask_open(line, &arena, &asker);                      complains itself
 *     if (!code) code = ask(asker, STR("POST"), STR("/api/v1/funnels"), question, &answer);
 *     if (!code) print(answer);                                       JSON; event_tree_read makes a tree of it
 *     ask_close(asker);                                               accepts NULL
 *     return code;
 *
 * Whom it asks. With --url: that server. Else, if no process has the data directory, this one starts the
 * whole engine for this one question (journal, applier, HTTP on a free port of 127.0.0.1 with a key made for
 * the moment, no sources, no destinations), shows how far it has caught up, and closes it cleanly. Else the
 * server that has it, at the address it wrote into <data>/address (config_address.h), or at the configuration's.
 *
 * The secret key is the configuration's, else that of <data>/keys.yaml, else $ONYM_SECRET_KEY.
 *
 * A command that asks has the options OPTIONS_OF_ASKING (commands.tbl.h): --config, --data, --url. SIGINT and
 * SIGTERM end a question and the command cleanly; the server then drops the work.
 * One asker a process, and one thread.
 */
#ifndef ONYM_CLI_ASK_H
#define ONYM_CLI_ASK_H

#include "command/command.h"
#include "event/event.h"

struct asker;

/* Loads the configuration and finds or starts whom to ask. EXIT_FINE, or the exit code after complaining. The
 * arena (CONFIG_ARENA_BYTES) is kept until ask_close. */
int ask_open(const struct command_line *line, Arena *arena, struct asker **ret);
/* The same for questions that only a running server can answer: none is started. */
int ask_open_running(const struct command_line *line, Arena *arena, struct asker **ret);
/* The address of the dashboard: public_url, or the address of the server that is asked; without a slash at its end. */
Str ask_page(const struct asker *asker);
/* The same, but it prints nothing except errors of a configuration, with their lines: the reason is in err. */
Status MUST ask_try_open(const struct command_line *line, Arena *arena, struct asker **ret, Err *err);
void ask_close(struct asker *asker);                          /* accepts NULL */
/* A whole command: run opens the asker itself, with this arena; if run leaves it open, it is closed. */
int ask_run(const struct command_line *line, int (*run)(const struct command_line *line, Arena *arena,
                                                        struct asker **ret_asker));

/* SIGINT and SIGTERM are remembered from now on, as they are by each ask_open; has one of them come? */
void ask_catch_signals(void);
bool ask_is_interrupted(void);
/* While a question is under way, at least five times a second: false gives it up (ERR_CLOSED). */
void ask_meanwhile(struct asker *asker, bool (*goes_on)(void *context), void *context);

/* Asks and complains: EXIT_FINE with the answer of a 2xx; EXIT_USAGE if the question was wrong (400, 413),
 * EXIT_WRONG for all else. path with its query, encoded; body empty: none. The answer is the asker's until the
 * next question. */
int ask(struct asker *asker, Str method, Str path, Str body, Str *ret_answer);
/* The same for what may take long (POST; path without a query): the terminal shows how far the answer is. */
int ask_question(struct asker *asker, Str path, Str question, Str *ret_answer);

/* The same for a command with a policy of its own: OK with whatever status the API answered. It fails
 * only if no other question could do better, and says what to do: nobody answers; the key is refused (ERR_DENIED); what
 * answers is not Onym, or does not know the path yet (ERR_UNSUPPORTED); interrupted (ERR_CLOSED). */
typedef struct AskCall {
    Str method, path, body;
} AskCall;
Status MUST ask_send(struct asker *asker, const AskCall *call, int *ret_status, Str *ret_answer, Err *err);
/* Prints an error of the API ("steps[0].event: ..."), and gives the exit code that its status stands for. */
int ask_complain(struct asker *asker, int status, Str answer);

/* Between two questions about something that goes on. False: interrupted, end the command. */
bool ask_wait(struct asker *asker, Millis wait_ms);

#endif
