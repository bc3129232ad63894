/* bench-identity: new links a second, look-ups a second, resident bytes an identifier, as the engine grows.
 *   build/release/bench/identity [MILLIONS …]     identifiers, in millions; 1 10 by default, 50 takes a minute
 * Half of the identifiers are anonymous ids (UUIDs), half are user ids (decimal, as a database gives them). Every
 * message of "link" brings a new anonymous id and a new user: two identifiers and a link each, the costliest kind.
 * "again" is the usual event of a known visitor: both ids, known. "second" gives a device its second user. Random
 * ids of the whole population, so that no cache helps. Goals: links >= 2 M/s, <= 64 resident bytes an identifier;
 * exits 1 where one is missed. Then the same with a store, in a directory under TMPDIR: the first save of all that,
 * a save after 2 M more messages of known visitors, and loading; wall-clock time. */
#include "identity/identity.h"
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 4096, ID_BYTES = 40, ROUNDS = 1 << 21, AHEAD = 4 };

static const double goal_links = 2e6, goal_bytes = 64;

struct texts { char anonymous[BATCH][ID_BYTES], user[BATCH][ID_BYTES]; };

static uint64_t mix(uint64_t z)
{
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void write_ids(struct texts *texts, uint32_t place, uint64_t anonymous, uint64_t user)
{
    uint64_t a = mix(anonymous), b = mix(anonymous ^ UINT64_C(1) << 63);
    snprintf(texts->anonymous[place], ID_BYTES, "%08x-%04x-4%03x-a%03x-%012" PRIx64, (uint32_t)a,
             (uint32_t)(a >> 32) & 0xffff, (uint32_t)(a >> 48) & 0xfff, (uint32_t)b & 0xfff, b >> 16);
    snprintf(texts->user[place], ID_BYTES, "%" PRIu64, 100000 + user);
}

static uint64_t resident_bytes(void)
{
    unsigned long all = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    check(file && fscanf(file, "%lu %lu", &all, &resident) == 2);
    fclose(file);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Processor time: the machine may have other work. */
static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static IdentityMessage message_at(const struct texts *texts, uint32_t place)
{
    return (IdentityMessage){ .message_id = STR("m"), .anonymous_id = { texts->anonymous[place], 36 },
                              .user_id = str_from(texts->user[place]) };
}

enum work { LINK, AGAIN, SECOND };

/* Applies count messages; the time of writing the texts is not counted. */
static double run(struct identity *identity, struct texts *texts, enum work work, uint64_t known, uint64_t count,
                  double *ret_best)
{
    IdentityAhead aheads[4 * AHEAD] = { 0 };
    double spent = 0;
    *ret_best = 1e9;
    for (uint64_t done = 0; done < count; done += BATCH) {
        for (uint32_t i = 0; i < BATCH; i++) {
            uint64_t n = work == LINK ? known + done + i : mix(done + i + 7) % known;
            write_ids(texts, i, n, work == SECOND ? mix(n) % known : n);
        }
        double before = seconds();
        for (uint32_t i = 0; i < BATCH; i++) {
            IdentityNode subject;
            Err err;
            IdentityMessage ahead = message_at(texts, i + 3 * AHEAD < BATCH ? i + 3 * AHEAD : i);
            IdentityMessage message = message_at(texts, i);
            message.time_ms = (Millis)(done + i);
            message.position = done + i;
            identity_prefetch(identity, &ahead, &aheads[(i + 3 * AHEAD) % countof(aheads)]);
            identity_prefetch_nodes(identity, &aheads[(i + 2 * AHEAD) % countof(aheads)]);
            identity_prefetch_rest(identity, &aheads[(i + AHEAD) % countof(aheads)]);
            check(identity_apply(identity, &message, &subject, &err) == OK);
        }
        identity_publish(identity);
        double took = seconds() - before;
        spent += took;
        if (took < *ret_best) *ret_best = took;
    }
    return spent;
}

static double look_up(struct identity *identity, struct texts *texts, uint64_t known, uint64_t count)
{
    double spent = 0;
    for (uint64_t done = 0; done < count; done += BATCH) {
        for (uint32_t i = 0; i < BATCH; i++) write_ids(texts, i, mix(done + i + 99) % known, 0);
        double before = seconds();
        for (uint32_t i = 0; i < BATCH; i++) {
            IdentityNode node = identity_find(identity, IDENTITY_ANONYMOUS, str_from(texts->anonymous[i]));
            check(node != IDENTITY_NONE && identity_person_now(identity, node) != IDENTITY_NONE);
        }
        spent += seconds() - before;
    }
    return spent;
}

static bool measure(uint64_t links)
{
    static struct texts texts;
    uint64_t resident = resident_bytes();
    struct identity *identity;
    Err err;
    check(links && identity_open(&(IdentityOptions){ .seed = 1 }, &identity, &err) == OK);
    double best, other;
    double linked = run(identity, &texts, LINK, 0, links, &best);
    double bytes = (double)(resident_bytes() - resident) / (double)(2 * links);
    double found = look_up(identity, &texts, links, ROUNDS);
    double again = run(identity, &texts, AGAIN, links, ROUNDS, &other);
    double second = run(identity, &texts, SECOND, links, ROUNDS / 8, &other);
    identity_close(identity);
    printf("%12" PRIu64 " %12.0f %12.0f %12.0f %12.0f %12.0f %18.1f\n", 2 * links, (double)links / linked,
           BATCH / best, ROUNDS / again,
           ROUNDS / 8 / second, ROUNDS / found, bytes);
    fflush(stdout);
    return (double)links / linked >= goal_links && bytes <= goal_bytes;
}

static double wall(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double save(struct identity *identity, struct kv *kv)
{
    struct kv_txn *txn;
    Err err;
    double before = wall();
    check(kv_begin_write(kv, &txn, &err) == OK && identity_save(identity, txn, 1, &err) == OK);
    check(kv_commit(txn, &err) == OK);
    identity_end_save(identity, 1, true);
    return (wall() - before) * 1e3;
}

static void measure_store(uint64_t links)
{
    static struct texts texts;
    static const char *const tables[] = { "state", "evidence" };
    char dir[200], path[240];
    struct kv *kv;
    struct identity *identity;
    KvStats stats;
    Err err;
    snprintf(dir, sizeof dir, "%s/onym-bench-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    check(mkdtemp(dir) && kv_open(&(KvOptions){ .dir = dir, .tables = tables, .table_count = 2 }, &kv, &err) == OK);
    IdentityOptions options = { .seed = 1, .store = { kv, 0, 1 } };
    check(identity_open(&options, &identity, &err) == OK);
    double other;
    run(identity, &texts, LINK, 0, links, &other);
    double first = save(identity, kv);
    run(identity, &texts, AGAIN, links, ROUNDS, &other);
    double second = save(identity, kv);
    identity_close(identity);
    check(kv_read_stats(kv, &stats, &err) == OK);
    double before = wall();
    check(identity_open(&options, &identity, &err) == OK);
    double load = (wall() - before) * 1e3;
    identity_close(identity);
    kv_close(kv);
    printf("%12" PRIu64 " first save %.0f ms, %d messages later %.0f ms, load %.0f ms, %.0f MB on disk\n", 2 * links,
           first, ROUNDS, second, load, (double)stats.used_bytes / 1e6);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, i ? "data.mdb" : "lock.mdb");
        unlink(path);
    }
    rmdir(dir);
}

int main(int argc, char **argv)
{
    static char *usual[] = { "1", "10" };
    bool is_reached = true;
    char **sizes = argc > 1 ? argv + 1 : usual;
    int size_count = argc > 1 ? argc - 1 : (int)countof(usual);
    printf("%12s %12s %12s %12s %12s %12s %18s\n", "identifiers", "link/s", "best batch", "again/s",
           "second/s", "look-up/s", "bytes/identifier");
    for (int i = 0; i < size_count; i++)
        is_reached &= measure(strtoull(sizes[i], NULL, 10) * 500000 / BATCH * BATCH);
    for (int i = 0; i < size_count; i++) measure_store(strtoull(sizes[i], NULL, 10) * 500000 / BATCH * BATCH);
    printf("goals: link/s >= %.0f, bytes/identifier <= %.0f: %s\n", goal_links, goal_bytes,
           is_reached ? "reached" : "missed");
    return is_reached ? 0 : 1;
}
