/* site_chromium: the process and its profile. Everything that begins here ends in chromium_stop. */
#include "site_chromium.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { FIRST_FREE = 10, CHILD_IN = 3, CHILD_OUT = 4, REMOVE_TRIES = 50, REMOVE_WAIT_MS = 20, WORDS_BYTES = 256 * 1024,
       PATH_BYTES = 4096, ARGUMENTS = 32 };

/* ---- Finding ---- */

static bool is_program(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISREG(found.st_mode) && access(path, X_OK) == 0;
}

static bool find_in_path(const char *name, Arena *arena, Str *ret)
{
    Str rest = str_from(getenv("PATH"));
    if (!rest.len) rest = STR("/usr/local/bin:/usr/bin:/bin");
    while (rest.len) {
        Str folder = str_cut(rest, ':', &rest);
        Arena scratch = *arena;
        if (!folder.len || folder.len > PATH_BYTES) continue;
        Str path = arena_printf(&scratch, "%.*s/%s", STR_FORMAT(folder), name);
        if (!is_program(path.bytes)) continue;
        *arena = scratch;
        *ret = path;
        return true;
    }
    return false;
}

Status chromium_find(Arena *arena, Str *ret, Err *err)
{
    static const char *const names[] = { "chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
                                         "chrome", "headless-shell", "chrome-headless-shell", "microsoft-edge",
                                         "microsoft-edge-stable", "brave-browser" };
    const char *given = getenv("CHROMIUM");
    if (given && given[0]) {
        bool is_path = strchr(given, '/') != NULL;
        if (is_path && is_program(given)) {
            *ret = arena_copy(arena, str_from(given));
            return OK;
        }
        if (!is_path && find_in_path(given, arena, ret)) return OK;
        return err_set(err, ERR_NOT_FOUND, "CHROMIUM=%s is no program; set it to the path of a Chromium or Chrome",
                       given);
    }
    for (size_t at = 0; at < countof(names); at++)
        if (find_in_path(names[at], arena, ret)) return OK;
    return err_set(err, ERR_NOT_FOUND, "there is no Chromium here to load the page with: apt-get install chromium "
                   "(Debian, "
                   "Ubuntu: or google-chrome-stable), or set CHROMIUM to the path of one");
}

/* ---- The profile ---- */

static Status make_profile(struct chromium *chromium, Err *err)
{
    const char *temporary = getenv("TMPDIR");
    int length = snprintf(chromium->profile, sizeof chromium->profile, "%s/onym-chromium-XXXXXX",
                          temporary && temporary[0] == '/' ? temporary : "/tmp");
    if ((size_t)length >= sizeof chromium->profile)
        snprintf(chromium->profile, sizeof chromium->profile, "/tmp/onym-chromium-XXXXXX");
    if (mkdtemp(chromium->profile)) return OK;
    int number = errno;
    Status s = err_set_errno(err, number, "no temporary directory %s for the browser", chromium->profile);
    chromium->profile[0] = 0;
    return s;
}

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *place)
{
    (void)found, (void)kind, (void)place;
    return remove(path) && errno != ENOENT;
}

/* Processes that were killed may write for a moment longer, so a directory can be full again. */
static void remove_profile(struct chromium *chromium)
{
    struct stat found;
    for (int tries = 0; chromium->profile[0] && tries < REMOVE_TRIES; tries++) {
        if (tries) (void)poll(NULL, 0, REMOVE_WAIT_MS);
        (void)nftw(chromium->profile, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
        if (lstat(chromium->profile, &found) && errno == ENOENT) chromium->profile[0] = 0;
    }
    if (chromium->profile[0]) fprintf(stderr, "onym: %s could not be removed\n", chromium->profile);
    chromium->profile[0] = 0;
}

/* ---- The process ---- */

/* A pipe whose ends are after the child's 3 and 4, so that no dup2 goes over one that is still needed. */
static Status make_pipe(int ret[2], Err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) return err_set_errno(err, errno, "no pipe to the browser");
    ret[0] = fcntl(ends[0], F_DUPFD_CLOEXEC, FIRST_FREE);
    ret[1] = fcntl(ends[1], F_DUPFD_CLOEXEC, FIRST_FREE);
    int number = errno;
    close(ends[0]);
    close(ends[1]);
    if (ret[0] >= 0 && ret[1] >= 0) return OK;
    if (ret[0] >= 0) close(ret[0]);
    if (ret[1] >= 0) close(ret[1]);
    return err_set_errno(err, number, "no pipe to the browser");
}

enum { PLACES = 3, PLACE_BYTES = 160 };
struct environment { char places[PLACES][PLACE_BYTES], **variables; };

/* The caller's environment, but temporary files and crash reports go into the profile, which is removed. A browser that
 * is killed removes none, and would keep its reports beside the user's. The caller frees the variables. */
static bool make_environment(struct environment *environment, const char *profile)
{
    static const char *const names[PLACES] = { "TMPDIR=", "XDG_CONFIG_HOME=", "XDG_CACHE_HOME=" };
    size_t count = 0, kept = 0;
    while (environ[count]) count++;
    environment->variables = calloc(count + PLACES + 1, sizeof *environment->variables);
    if (!environment->variables) return false;
    for (size_t place = 0; place < PLACES; place++) {
        snprintf(environment->places[place], PLACE_BYTES, "%s%s", names[place], profile);
        environment->variables[kept++] = environment->places[place];
    }
    for (size_t at = 0; at < count; at++) {
        bool is_ours = false;
        for (size_t place = 0; place < PLACES; place++)
            is_ours |= !strncmp(environ[at], names[place], strlen(names[place]));
        if (!is_ours) environment->variables[kept++] = environ[at];
    }
    return true;
}

static Status spawn(struct chromium *chromium, Str program, char *const *arguments, int child_in, int child_out,
                    Err *err)
{
    char words[sizeof chromium->profile + 16];
    struct environment environment;
    if (!make_environment(&environment, chromium->profile))
        return err_set(err, ERR_IO, "no memory to start the browser");
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGINT), sigaddset(&usual, SIGTERM), sigaddset(&usual, SIGPIPE);
    snprintf(words, sizeof words, "%s/said", chromium->profile);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, words, O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions, child_in, CHILD_IN);
    posix_spawn_file_actions_adddup2(&actions, child_out, CHILD_OUT);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    pid_t process = 0;
    int number = posix_spawn(&process, program.bytes, &actions, &attributes, arguments, environment.variables);
    free(environment.variables);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (number) return err_set_errno(err, number, "%.*s cannot be started", STR_FORMAT(program));
    chromium->process = process;
    return OK;
}

static Status start(struct chromium *chromium, Str program, const char *user_agent, Err *err)
{
    static const char *const switches[] = {
        "--headless", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check", "--disable-gpu",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
        "--disable-extensions", "--disable-breakpad", "--disable-crash-reporter", "--disable-dev-shm-usage",
        "--mute-audio", "--password-store=basic", "--use-mock-keychain", "--block-new-web-contents",
        "--disable-features=SpareRendererForSitePerProcess,Translate,MediaRouter",
    };
    char folder[sizeof chromium->profile + 32], agent[512];
    const char *arguments[ARGUMENTS];
    size_t count = 0;
    arguments[count++] = program.bytes;
    for (size_t at = 0; at < countof(switches); at++) arguments[count++] = switches[at];
    snprintf(folder, sizeof folder, "--user-data-dir=%s/profile", chromium->profile);
    arguments[count++] = folder;
    if (user_agent) {
        snprintf(agent, sizeof agent, "--user-agent=%s", user_agent);
        arguments[count++] = agent;
    }
    chromium->is_without_sandbox = geteuid() == 0;
    if (chromium->is_without_sandbox) arguments[count++] = "--no-sandbox";
    arguments[count++] = "about:blank";
    arguments[count] = NULL;
    check(count < ARGUMENTS);
    int to[2], from[2];
    Status s = make_pipe(to, err);
    if (s) return s;
    s = make_pipe(from, err);
    if (s) {
        close(to[0]), close(to[1]);
        return s;
    }
    s = spawn(chromium, program, (char *const *)(uintptr_t)arguments, to[0], from[1], err);
    close(to[0]);
    close(from[1]);
    chromium->out = to[1];
    chromium->in = from[0];
    if (fcntl(chromium->out, F_SETFL, O_NONBLOCK) || fcntl(chromium->in, F_SETFL, O_NONBLOCK))
        return s ? s : err_set_errno(err, errno, "the pipe to the browser");
    return s;
}

Status chromium_start(Str program, const char *user_agent, struct chromium *ret, Err *err)
{
    *ret = (struct chromium){ 0 };
    (void)sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN },
                    NULL);       /* a browser that dies is told */
    Status s = make_profile(ret, err);
    if (!s) s = start(ret, program, user_agent, err);
    devtools_open(&ret->devtools, ret->in, ret->out);
    if (s) chromium_stop(ret);
    return s;
}

Str chromium_last_words(const struct chromium *chromium, Arena *arena)
{
    char path[sizeof chromium->profile + 16];
    Str rest, last = { 0 };
    snprintf(path, sizeof path, "%s/said", chromium->profile);
    if (disk_read_file(os_disk(), path, WORDS_BYTES, arena, &rest, NULL)) return last;
    bool has_no_sandbox = str_contains(rest, STR("No usable sandbox"));
    while (rest.len) {
        Str line = str_trim(str_cut(rest, '\n', &rest));
        if (line.len) last = line;
    }
    if (has_no_sandbox)
        return STR("its sandbox does not work here. Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, "
                   "or a container with --cap-add SYS_ADMIN), or run this as root for pages that you trust");
    return str_slice(last, 0, 200);
}

void chromium_stop(struct chromium *chromium)
{
    if (chromium->process > 0) {
        (void)kill(-chromium->process, SIGKILL);
        (void)kill(chromium->process, SIGKILL);
        while (waitpid(chromium->process, NULL, 0) < 0 && errno == EINTR) { }
        chromium->process = 0;
    }
    if (chromium->in > 0) close(chromium->in);
    if (chromium->out > 0) close(chromium->out);
    chromium->in = chromium->out = 0;
    devtools_close(&chromium->devtools);
    remove_profile(chromium);
}
