/* doctor_cache: keeps the last answer, since pages often ask the same again at once. It is given for a minute, and only
 * while nearly no new messages came, nobody was erased and nothing was muted: then it still is the answer. */
#include "doctor_private.h"

#include <stdlib.h>

enum { CACHE_MS = MINUTE_MS, GROWN_PART = 1000, ANSWER_BYTES = 4 << 20 };

static uint64_t key_of(const DoctorQuestion *question)
{
    uint64_t numbers[] = { (uint64_t)question->since_ms, question->with_imports, question->tells_people,
                           question->signup_count };
    uint64_t key = hash_64(question->source, hash_64(str_of(numbers, sizeof numbers), 0));
    for (size_t at = 0; at < question->signup_count; at++) key = hash_64(question->signups[at], key);
    for (size_t at = 0; at < question->source_count; at++)
        key = hash_64(question->sources[at].name, key + question->sources[at].is_server);
    return key;
}

static uint32_t count_erased(const DoctorQuestion *question)
{
    DeriveSizes sizes;
    derive_read_sizes(question->applier, &sizes);
    return sizes.identity.erased;
}

bool doctor_cache_find(struct doctor_cache *cache, const DoctorQuestion *question, struct buf *out)
{
    Millis now_ms = question->world->now_ms;
    uint32_t erased = count_erased(question);
    pthread_mutex_lock(&cache->lock);
    uint64_t whole = journal_distance(cache->from, cache->end);
    bool is_good = cache->text && cache->key == key_of(question) && now_ms >= cache->at_ms
        && now_ms - cache->at_ms < CACHE_MS && cache->erased == erased && question->end >= cache->end
        && journal_distance(cache->end, question->end) <= whole / GROWN_PART;
    if (is_good) buf_put(out, cache->text, cache->len);
    pthread_mutex_unlock(&cache->lock);
    return is_good;
}

/* If somebody muted a finding while the answer was computed, the answer does not know it, and is not kept. */
void doctor_cache_put(struct doctor_cache *cache, const DoctorQuestion *question, Str answer, uint64_t age)
{
    char *text = answer.len <= ANSWER_BYTES ? malloc(answer.len + 1) : NULL;
    uint32_t erased = count_erased(question);
    if (!text) return;
    memcpy(text, answer.bytes, answer.len);
    pthread_mutex_lock(&cache->lock);
    char *old = cache->age == age ? cache->text : text;
    if (cache->age == age) {
        cache->text = text, cache->len = answer.len, cache->key = key_of(question);
        cache->at_ms = question->world->now_ms, cache->end = question->end, cache->erased = erased;
        cache->from = journal_find_time(question->journal, question->world->now_ms - question->since_ms);
    }
    pthread_mutex_unlock(&cache->lock);
    free(old);
}

uint64_t doctor_cache_age(struct doctor_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    uint64_t age = cache->age;
    pthread_mutex_unlock(&cache->lock);
    return age;
}

void doctor_cache_forget(struct doctor_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    free(cache->text);
    cache->text = NULL;
    cache->age++;
    pthread_mutex_unlock(&cache->lock);
}

void doctor_cache_init(struct doctor_cache *cache) { check(pthread_mutex_init(&cache->lock, NULL) == 0); }

void doctor_cache_done(struct doctor_cache *cache)
{
    free(cache->text);
    pthread_mutex_destroy(&cache->lock);
}
