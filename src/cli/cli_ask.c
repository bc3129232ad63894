/* cli_ask: who answers, one request at a time, and the words for all that can go wrong on the way. */
#include "cli_ask.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"
#include "server/server.h"
#include "terminal/terminal.h"

enum { STEP_MS = 200, WAIT_MS = 50, GLANCE_MS = 500, QUESTION_ID = 22,
       ASK_MS = 60 * 60 * 1000, CONNECT_MS = 5000, ONE_OFF_KEY = 43,
       ERROR_ARENA_BYTES = 4 * 1024 * 1024 };

/* A look, beside a question that takes long, at how far the server is with it. */
struct glance {
    struct fetch fetch;
    bool is_under_way;
    int64_t at_ns;
    uint64_t done, all;                    /* all 0: not known */
};

struct asker {
    struct config config;
    Arena *arena;
    struct serve *own;                     /* the engine of this process; NULL: a server is asked */
    Str base, secret_key;
    bool is_given;                         /* by --url */
    bool starts;                           /* asks its own engine if no server runs */
    struct fetcher *fetcher;
    struct progress progress;
    struct buf answer;
    bool is_answered;
    bool (*goes_on)(void *context);        /* NULL: never given up */
    void *context;
    Str question_id;                       /* empty: what is asked has no progress */
    struct glance glance;
    FetchAnswer result;                    /* body and headers are gone; answer holds the body */
};

static volatile sig_atomic_t is_interrupted;               /* the one thing that a signal may touch */

static void on_signal(int number)
{
    (void)number;
    is_interrupted = 1;
}

/* ---- The engine of this process ---- */

/* Sources keep their names, but nobody knows a key to write with. */
static void lock_sources(struct asker *asker, struct config *config)
{
    Source *sources = arena_new(asker->arena, Source, config->source_count + 1);
    for (size_t at = 0; at < config->source_count; at++) {
        char *key = arena_bytes(asker->arena, ONE_OFF_KEY);
        dice_key(os_dice(), key, ONE_OFF_KEY);
        sources[at] = config->sources[at];
        sources[at].write_key = str_of(key, ONE_OFF_KEY);
        sources[at].own_path = (Str){ 0 };
        sources[at].is_enabled = false;
    }
    config->sources = sources;
}

/* The same directory, but nobody else may write or ask, and nothing is delivered meanwhile. */
static void make_private(struct asker *asker, struct config *config)
{
    static const ConfigListen listens[] = { { { "127.0.0.1:0", 11 }, { "127.0.0.1", 9 }, 0 } };
    char *key = arena_bytes(asker->arena, ONE_OFF_KEY);
    dice_key(os_dice(), key, ONE_OFF_KEY);
    *config = asker->config;
    config->listen = (ConfigListens){ listens, 1 };
    config->ui_listen = (Str){ 0 };
    config->secret_key = str_of(key, ONE_OFF_KEY);
    config->tls.certificate = config->tls.key = (Str){ 0 };
    config->threads = 1;
    config->unknown_write_keys = UNKNOWN_KEYS_REFUSE;
    lock_sources(asker, config);
    config->destination_count = 0;
}

static Status catch_up(struct asker *asker, Err *err)
{
    uint64_t done, all;
    while (!serve_wait_applied(asker->own, WAIT_MS, &done, &all)) {
        if (is_interrupted) return err_set(err, ERR_CLOSED, "interrupted");
        progress_show(&asker->progress, done, all, STR(""));
    }
    progress_clear(&asker->progress);
    return OK;
}

static Status open_own(struct asker *asker, Err *err)
{
    struct config *config = arena_new(asker->arena, struct config, 1);
    make_private(asker, config);
    log_configure(LOG_ERROR, (LogFormat)config->log.format);
    Status s = serve_start(config, ROLE_QUESTIONS, &asker->own, err);
    if (s) return s;
    asker->secret_key = config->secret_key;
    asker->base = arena_printf(asker->arena, "http://127.0.0.1:%u", serve_port(asker->own));
    progress_init(&asker->progress, os_clock(), "reading the journal");
    return catch_up(asker, err);
}

/* ---- Whom to ask ---- */

static bool has_journal(const struct asker *asker)
{
    DiskEntry *entries;
    size_t count;
    Arena scratch = *asker->arena;
    return os_disk()->list(os_disk(), config_journal_dir(&asker->config, &scratch), &scratch, &entries, &count, NULL)
           == OK;
}

static void find_secret(struct asker *asker)
{
    /* First what somebody said: the configuration, then the environment. Then the keys that a server made for itself,
     * since with --url another server is asked, and ./onym-data may be there by chance. If there is no key, the server
     * will say so. */
    asker->secret_key = asker->config.secret_key;
    if (asker->secret_key.len == 0) asker->secret_key = str_from(getenv("ONYM_SECRET_KEY"));
    IGNORE(config_complete_keys(&asker->config, os_disk(), os_dice(), false, asker->arena, NULL));
    if (asker->secret_key.len == 0) asker->secret_key = asker->config.secret_key;
}

static Status open_server(struct asker *asker, const char *url, Err *err)
{
    asker->is_given = url != NULL;
    find_secret(asker);
    asker->base = address_find(&asker->config, url, asker->arena);
    if (!asker->base.len)
        return err_set(err, ERR_IO, "%.*s is in use by another process; --url says where it listens",
                       STR_FORMAT(asker->config.data));
    if (!asker->secret_key.len)
        return err_set(err, ERR_DENIED, "there is no secret key to ask %.*s with: --config names the configuration "
                       "that has it, --data the directory with keys.yaml, or set ONYM_SECRET_KEY",
                       STR_FORMAT(asker->base));
    return OK;
}

static Status open_any(struct asker *asker, const char *url, Err *err)
{
    if (url) return open_server(asker, url, err);
    if (has_journal(asker)) {
        Status s = open_own(asker, err);
        if (s != ERR_CONFLICT) return s;
    } else {
        find_secret(asker);
        if (!asker->secret_key.len)
            return err_set(err, ERR_NOT_FOUND, "there is nothing in %.*s yet; onym serve collects events, --config or "
                           "--data says where they are", STR_FORMAT(asker->config.data));
    }
    return open_server(asker, NULL, err);
}

void ask_catch_signals(void)
{
    (void)sigaction(SIGINT, &(struct sigaction){ .sa_handler = on_signal }, NULL);
    (void)sigaction(SIGTERM, &(struct sigaction){ .sa_handler = on_signal }, NULL);
}

bool ask_is_interrupted(void) { return is_interrupted; }

void ask_meanwhile(struct asker *asker, bool (*goes_on)(void *context), void *context)
{
    asker->goes_on = goes_on;
    asker->context = context;
}

/* The configuration is loaded. starts: if nobody has the data directory, this process takes it. */
static Status open_loaded(const struct command_line *line, bool starts, struct asker *asker, Err *err)
{
    buf_init(&asker->answer, LIMIT_ANSWER_BYTES);
    ask_catch_signals();
    const char *url = command_option(line, "url");
    asker->starts = starts;
    Status s = starts ? open_any(asker, url, err) : open_server(asker, url, err);
    FetchOptions options = { .user_agent = "onym/" ONYM_VERSION };
    if (asker->config.tls.certificate.len && !asker->own && !asker->is_given)
        options.ca_file = arena_copy(asker->arena, asker->config.tls.certificate).bytes;
    if (!s) s = os_fetcher_open(&options, &asker->fetcher, err);
    if (!s) return OK;
    progress_clear(&asker->progress);
    ask_close(asker);
    return s;
}

static int open_asker(const struct command_line *line, bool starts, Arena *arena, struct asker **ret)
{
    Err err;
    struct asker *asker = arena_new(arena, struct asker, 1);
    asker->arena = arena;
    int code = command_load_config(line, arena, &asker->config);
    if (code) return code;
    if (open_loaded(line, starts, asker, &err)) {
        command_complain("%s", err.text);
        return EXIT_WRONG;
    }
    *ret = asker;
    return EXIT_FINE;
}

int ask_open(const struct command_line *line, Arena *arena, struct asker **ret)
{
    return open_asker(line, true, arena, ret);
}

int ask_open_running(const struct command_line *line, Arena *arena, struct asker **ret)
{
    return open_asker(line, false, arena, ret);
}

Status ask_try_open(const struct command_line *line, Arena *arena, struct asker **ret, Err *err)
{
    struct asker *asker = arena_new(arena, struct asker, 1);
    asker->arena = arena;
    if (command_load_config(line, arena, &asker->config))
        return err_set(err, ERR_INPUT, "the configuration cannot be read; onym check-config says why");
    Status s = open_loaded(line, true, asker, err);
    if (!s) *ret = asker;
    return s;
}

/* public_url may end in a slash. */
Str ask_page(const struct asker *asker)
{
    Str url = asker->is_given || !asker->config.public_url.len ? asker->base : asker->config.public_url;
    return str_ends(url, STR("/")) ? str_slice(url, 0, url.len - 1) : url;
}

void ask_close(struct asker *asker)
{
    if (!asker) return;
    if (asker->fetcher) asker->fetcher->close(asker->fetcher);
    serve_stop(asker->own);
    buf_done(&asker->answer);
}

int ask_run(const struct command_line *line, int (*run)(const struct command_line *line, Arena *arena,
                                                        struct asker **ret_asker))
{
    struct region region;
    struct asker *asker = NULL;
    region_open(&region, CONFIG_ARENA_BYTES);
    Arena arena = region_arena(&region);
    int code = run(line, &arena, &asker);
    ask_close(asker);
    region_close(&region);
    return code;
}

/* ---- Asking ---- */

static void on_done(struct fetch *fetch, const FetchAnswer *answer)
{
    struct asker *asker = fetch->owner;
    asker->is_answered = true;
    asker->result = *answer;
    buf_clear(&asker->answer);
    buf_str_put(&asker->answer, answer->body);
}

/* ---- Waiting ---- */

static void on_glance(struct fetch *fetch, const FetchAnswer *answer)
{
    struct asker *asker = fetch->owner;
    Arena scratch = *asker->arena;
    const TreeNode *root;
    asker->glance.is_under_way = false;
    if (answer->status != 200 || event_tree_read(answer->body, &scratch, &root, NULL)) return;
    const TreeNode *list = event_tree_find(root, "questions");
    for (const TreeNode *one = list ? list->first : NULL; one; one = one->next) {
        int64_t done, all;
        if (str_equal(event_tree_text(one, "id"), asker->question_id)
            && str_parse_int(event_tree_text(one, "done"), 0, INT64_MAX, &done)
            && str_parse_int(event_tree_text(one, "all"), 0, INT64_MAX, &all)) {
            asker->glance.done = (uint64_t)done;
            asker->glance.all = (uint64_t)all;
        }
    }
}

static Status submit(struct asker *asker, const AskCall *call, Millis timeout_ms, struct fetch *fetch, Err *err)
{
    Arena scratch = *asker->arena;
    FetchRequest request = {
        .method = call->method,
        .url = arena_printf(&scratch, "%.*s%.*s", STR_FORMAT(asker->base), STR_FORMAT(call->path)),
        .headers = {
            { STR("Authorization"), arena_printf(&scratch, "Bearer %.*s", STR_FORMAT(asker->secret_key)) },
            { STR("Content-Type"), STR("application/json") },
        },
        .header_count = 2, .body = call->body, .connect_timeout_ms = CONNECT_MS, .timeout_ms = timeout_ms,
        .answer_bytes_max = LIMIT_ANSWER_BYTES, .allow_private = true, .is_once = true,
    };
    return asker->fetcher->submit(asker->fetcher, &request, fetch, err);
}

/* If the server does not know the path, or answers late, there is only no bar. */
static void glance_ahead(struct asker *asker, int64_t now_ns)
{
    struct glance *glance = &asker->glance;
    Err err;
    bool is_soon = now_ns - glance->at_ns < GLANCE_MS * INT64_C(1000000);
    if (!asker->question_id.len || glance->is_under_way || is_soon) return;
    glance->at_ns = now_ns;
    glance->fetch = (struct fetch){ .on_done = on_glance, .owner = asker };
    AskCall call = { .method = STR("GET"), .path = STR("/api/v1/questions") };
    glance->is_under_way = submit(asker, &call, CONNECT_MS, &glance->fetch, &err) == OK;
}

/* A question that takes long is seen to be under way. */
static void show_waiting(struct asker *asker, int64_t began_ns)
{
    char note[64];
    int64_t now_ns = clock_monotonic_ns(os_clock());
    double seconds = (double)(now_ns - began_ns) / 1e9;
    if (seconds < 1 || !asker->progress.terminal.is_terminal) return;
    glance_ahead(asker, now_ns);
    snprintf(note, sizeof note, "%.0f s", seconds);
    if (asker->glance.all) progress_show_share(&asker->progress, asker->glance.done, asker->glance.all, str_from(note));
    else progress_note(&asker->progress, str_from(note));
}

static Status wait_for_answer(struct asker *asker, struct fetch *fetch, Err *err)
{
    int64_t began_ns = clock_monotonic_ns(os_clock());
    Status s = OK;
    asker->glance = (struct glance){ 0 };
    progress_init(&asker->progress, os_clock(), "asking");
    while (!s && !asker->is_answered && !is_interrupted) {
        s = asker->fetcher->step(asker->fetcher, STEP_MS, err);
        if (!asker->is_answered) show_waiting(asker, began_ns);
        if (!asker->is_answered && asker->goes_on && !asker->goes_on(asker->context)) break;
    }
    progress_clear(&asker->progress);
    if (asker->glance.is_under_way) asker->fetcher->cancel(asker->fetcher, &asker->glance.fetch);
    if (asker->is_answered) return OK;
    asker->fetcher->cancel(asker->fetcher, fetch);
    return s ? s : err_set(err, ERR_CLOSED, is_interrupted ? "interrupted" : "given up");
}

/* ---- What came ---- */

/* The error object of an answer: code, message, field; empty if the answer is none. */
struct api_error {
    Str code, message, field;
};

static struct api_error read_error(Str answer, Arena *arena)
{
    const TreeNode *root;
    if (event_tree_read(answer, arena, &root, NULL)) return (struct api_error){ 0 };
    return (struct api_error){ event_tree_text(root, "error.code"), event_tree_text(root, "error.message"),
                               event_tree_text(root, "error.field") };
}

/* What no other question could mend. */
static Status judge(struct asker *asker, Str path, Err *err)
{
    const FetchAnswer *result = &asker->result;
    Str base = asker->base;
    if (result->outcome != FETCH_ANSWERED)
        return err_set(err, ERR_IO, "no server answers at %.*s: %s; %s", STR_FORMAT(base), result->error,
                       asker->is_given ? "is it running, and is that its address?"
                       : asker->starts && has_journal(asker)
                       ? "another process has the data directory: a server elsewhere (--url says where it listens), or "
                         "a command that ends by itself"
                       : "onym serve starts one, --url says where another one listens");
    if (result->is_cut || !buf_ok(&asker->answer))
        return err_set(err, ERR_TOO_LARGE, "the answer is over %d MiB; ask for less", LIMIT_ANSWER_BYTES >> 20);
    if (result->status < 300) return OK;
    Arena scratch = *asker->arena;
    struct api_error error = read_error(buf_str(&asker->answer), &scratch);
    if (result->status == 403 && error.message.len)
        return err_set(err, ERR_DENIED, "%.*s: %.*s", STR_FORMAT(base), STR_FORMAT(error.message));
    if (result->status == 401 || result->status == 403)
        return err_set(err, ERR_DENIED, "%.*s refuses the secret key: is it the key of the server that runs there? "
                       "onym keys --secret shows this configuration's", STR_FORMAT(base));
    if (!error.code.len)
        return err_set(err, ERR_UNSUPPORTED, "what answers at %.*s is no Onym: HTTP %d without an error that it would "
                       "give; --url says where Onym listens", STR_FORMAT(base), result->status);
    bool is_unknown = result->status == 404 && str_equal(error.message, STR("there is nothing at this path"));
    if ((is_unknown || result->status == 405) && asker->own)
        return err_set(err, ERR_UNSUPPORTED, "the API has nothing at %.*s", STR_FORMAT(path));
    if (is_unknown || result->status == 405)
        return err_set(err, ERR_UNSUPPORTED, "the server at %.*s has nothing at %.*s: the path is mistyped, or the "
                       "server older than this command (onym " ONYM_VERSION "; restart it with the same program)",
                       STR_FORMAT(base), STR_FORMAT(path));
    return OK;
}

Status ask_send(struct asker *asker, const AskCall *call, int *ret_status, Str *ret_answer, Err *err)
{
    struct fetch fetch = { .on_done = on_done, .owner = asker };
    asker->is_answered = false;
    Status s = submit(asker, call, ASK_MS, &fetch, err);
    if (!s) s = wait_for_answer(asker, &fetch, err);
    if (!s) s = judge(asker, call->path, err);
    if (s) return s;
    *ret_status = asker->result.status;
    *ret_answer = buf_str(&asker->answer);
    return OK;
}

int ask_complain(struct asker *asker, int status, Str answer)
{
    Arena scratch = *asker->arena;
    struct api_error error = read_error(answer, &scratch);
    bool has_field = error.field.len && !str_starts(error.message, error.field);
    command_complain("%.*s%s%.*s", STR_FORMAT(has_field ? error.field : STR("")), has_field ? ": " : "",
                     STR_FORMAT(error.message));
    return status == 400 || status == 413 ? EXIT_USAGE : EXIT_WRONG;
}

int ask(struct asker *asker, Str method, Str path, Str body, Str *ret_answer)
{
    Err err;
    int status;
    Str answer;
    if (ask_send(asker, &(AskCall){ method, path, body }, &status, &answer, &err)) {
        command_complain("%s", err.text);
        return EXIT_WRONG;
    }
    if (status >= 300) return ask_complain(asker, status, answer);
    *ret_answer = answer;
    return EXIT_FINE;
}

int ask_question(struct asker *asker, Str path, Str question, Str *ret_answer)
{
    char id[QUESTION_ID];
    dice_key(os_dice(), id, sizeof id);
    asker->question_id = str_of(id, sizeof id);
    /* A person who types a command wants the whole number, not the part that a server knows while it is starting. */
    Str named = arena_printf(asker->arena, "%.*s?id=%.*s&wait=30s", STR_FORMAT(path), STR_FORMAT(asker->question_id));
    int code = ask(asker, STR("POST"), named, question, ret_answer);
    asker->question_id = (Str){ 0 };
    return code;
}

bool ask_wait(struct asker *asker, Millis wait_ms)
{
    Err err;
    return !is_interrupted && asker->fetcher->step(asker->fetcher, wait_ms, &err) == OK && !is_interrupted;
}
