/* Views: who everybody is, for threads that scan while the writer goes on.
 *
 * The slots of all nodes lie in pages of 64 KiB. Publishing copies the table of page pointers, not the pages;
 * the writer copies a page before it changes an entry that a published view can see. No view shows the entries after
 * the published node count yet, so they are written in place. A page that a copy replaced is garbage of the
 * last version that showed it, and is freed when nobody holds a view of that version or an older one.
 */
#include "identity_state.h"

#include <stdlib.h>

enum { SPAN_PAGE = 1024, SLOT_PAGE_BYTES = IDENTITY_PAGE_NODES * sizeof(uint32_t),
       SPAN_PAGE_BYTES = SPAN_PAGE * sizeof(void *) };

/* ---- Pages ---- */

static void retire(struct identity *identity, void *memory)
{
    if (!memory) return;
    struct garbage *garbage = vector_push(&identity->garbage, sizeof *garbage);
    *garbage = (struct garbage){ memory, identity->version };
}

/* Gives the page, ready to be written by the next version; makes it if there was none. */
static void *writable_page(struct identity *identity, struct page_table *table, size_t page, size_t bytes)
{
    while (page >= table->count) {
        size_t capacity = table->capacity;
        check(vector_reserve(table->born, capacity, table->count + 1, UINT32_MAX));
        check(vector_reserve(table->pages, table->capacity, table->count + 1, UINT32_MAX));
        table->pages[table->count] = calloc(1, bytes);
        check(table->pages[table->count]);
        table->born[table->count++] = identity->version + 1;
    }
    if (table->born[page] <= identity->version) {
        void *copy = malloc(bytes);
        check(copy);
        memcpy(copy, table->pages[page], bytes);
        retire(identity, table->pages[page]);
        table->pages[page] = copy;
        table->born[page] = identity->version + 1;
    }
    return table->pages[page];
}

uint32_t identity_slot(const struct identity *identity, uint32_t node)
{
    return ((uint32_t *)identity->slots.pages[node / IDENTITY_PAGE_NODES])[node % IDENTITY_PAGE_NODES];
}

void identity_set_slot(struct identity *identity, uint32_t node, uint32_t slot)
{
    size_t page = node / IDENTITY_PAGE_NODES;
    uint32_t *slots = node >= identity->published_nodes && page < identity->slots.count
                          ? identity->slots.pages[page]
                          : writable_page(identity, &identity->slots, page, SLOT_PAGE_BYTES);
    slots[node % IDENTITY_PAGE_NODES] = slot;
    identity->is_changed = true;
}

static void set_spans(struct identity *identity, uint32_t index, struct identity_spans *spans)
{
    struct identity_spans **page = writable_page(identity, &identity->spans, index / SPAN_PAGE, SPAN_PAGE_BYTES);
    retire(identity, page[index % SPAN_PAGE]);
    page[index % SPAN_PAGE] = spans;
}

void identity_mark_shared(struct identity *identity, uint32_t shared)
{
    struct shared *s = identity_shared(identity, shared);
    identity->is_changed = true;
    identity_note_unsaved(identity, shared);
    if (s->is_dirty) return;
    s->is_dirty = true;
    *(uint32_t *)vector_push(&identity->dirty, sizeof(uint32_t)) = shared;
}

void identity_drop_shared(struct identity *identity, uint32_t shared)
{
    identity_note_unsaved(identity, shared);
    if (shared / SPAN_PAGE < identity->spans.count) set_spans(identity, shared, NULL);
}

/* ---- Spans ---- */

/* The smallest messageId among the moments of one instant and one owner that begin a span. */
static Str first_id(struct identity *identity, const struct shared *shared, uint32_t from, char *text)
{
    Err err;
    uint32_t to = from + 1;
    if (shared->moments[from].id) return identity_read_id(identity, &shared->moments[from], text);
    while (to < shared->moment_count && shared->moments[to].time_ms == shared->moments[from].time_ms
           && shared->moments[to].owner == shared->moments[from].owner) to++;
    if (identity_settle_instant(identity, shared->moments, from, to, &err) == OK)    /* read once, then kept */
        return identity_read_id(identity, &shared->moments[from], text);
    Str least = identity_read_id(identity, &shared->moments[from], text);            /* unreadable is empty */
    char other[LIMIT_ID_BYTES];
    for (uint32_t i = from + 1; i < to; i++) {
        Str id = identity_read_id(identity, &shared->moments[i], other);
        if (str_compare(id, least) >= 0) continue;
        memcpy(text, id.bytes, id.len);
        least.len = id.len;
    }
    return least;
}

static struct identity_spans *make_spans(struct identity *identity, const struct shared *shared)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < shared->moment_count; i++)
        count += i == 0 || shared->moments[i].owner != shared->moments[i - 1].owner;
    size_t head = sizeof(struct identity_spans) + count * sizeof(IdentitySpan);
    struct identity_spans *spans = malloc(head + (size_t)count * LIMIT_ID_BYTES);
    check(spans);
    char *at = (char *)spans + head, text[LIMIT_ID_BYTES];
    spans->count = 0;
    for (uint32_t i = 0; i < shared->moment_count; i++) {
        const struct moment *moment = &shared->moments[i];
        if (i > 0 && moment->owner == moment[-1].owner) continue;
        Str id = i > 0 ? first_id(identity, shared, i, text) : (Str){ text, 0 };     /* the first begins at no time */
        memcpy(at, id.bytes, id.len);
        spans->spans[spans->count++] = (IdentitySpan){ moment->time_ms, { at, id.len }, moment->owner };
        at += id.len;
    }
    /* Shrinking may move it: the texts are found again by their distance. */
    char *old = (char *)spans;
    struct identity_spans *fit = realloc(spans, (size_t)(at - old));
    check(fit);
    at = (char *)fit + head;
    for (uint32_t i = 0; i < fit->count; i++) {
        fit->spans[i].from_id.bytes = at;
        at += fit->spans[i].from_id.len;
    }
    return fit;
}

/* ---- Publishing, taking, giving ---- */

static void free_garbage(struct identity *identity)
{
    struct garbage *garbage = identity->garbage.items;
    uint64_t oldest = identity->oldest->version;
    while (identity->garbage_start < identity->garbage.count && garbage[identity->garbage_start].version < oldest)
        free(garbage[identity->garbage_start++].memory);
    if (identity->garbage_start == identity->garbage.count) identity->garbage_start = identity->garbage.count = 0;
}

static void drop_view(struct identity *identity, struct identity_view *view)
{
    if (view->older) view->older->newer = view->newer;
    if (view->newer) view->newer->older = view->older;
    if (identity->oldest == view) identity->oldest = view->newer;
    if (identity->newest == view) identity->newest = view->older;
    free(view);
}

void identity_publish(struct identity *identity)
{
    if (identity->newest && !identity->is_changed) return;
    for (size_t i = 0; i < identity->dirty.count; i++) {
        uint32_t index = ((uint32_t *)identity->dirty.items)[i];
        struct shared *shared = identity_shared(identity, index);
        shared->is_dirty = false;
        if (shared->moment_count) set_spans(identity, index, make_spans(identity, shared));
    }
    identity->dirty.count = 0;

    size_t slots = identity->slots.count * sizeof(void *), spans = identity->spans.count * sizeof(void *);
    struct identity_view *view = malloc(sizeof *view + slots + spans);
    check(view);
    char *tables = (char *)(view + 1);
    if (slots) memcpy(tables, identity->slots.pages, slots);
    if (spans) memcpy(tables + slots, identity->spans.pages, spans);
    *view = (struct identity_view){
        .version = identity->version + 1, .node_count = identity->node_count, .older = identity->newest,
        .pages = (const uint32_t *const *)(void *)tables,
        .span_pages = (const struct identity_spans *const *const *)(void *)(tables + slots),
    };

    check(pthread_mutex_lock(&identity->lock) == 0);
    struct identity_view *before = identity->newest;
    if (before) before->newer = view;
    identity->newest = view;
    if (!identity->oldest) identity->oldest = view;
    if (before && before->readers == 0) drop_view(identity, before);
    identity->version++;
    free_garbage(identity);
    check(pthread_mutex_unlock(&identity->lock) == 0);
    identity->published_nodes = identity->node_count;
    identity->is_changed = false;
}

const struct identity_view *identity_take_view(struct identity *identity)
{
    check(pthread_mutex_lock(&identity->lock) == 0);
    struct identity_view *view = identity->newest;
    view->readers++;
    check(pthread_mutex_unlock(&identity->lock) == 0);
    return view;
}

void identity_give_view(struct identity *identity, const struct identity_view *view)
{
    if (!view) return;
    struct identity_view *mine = (struct identity_view *)(uintptr_t)view;       /* we made it; readers see it const */
    check(pthread_mutex_lock(&identity->lock) == 0);
    check(mine->readers > 0);
    if (--mine->readers == 0 && mine != identity->newest) drop_view(identity, mine);
    check(pthread_mutex_unlock(&identity->lock) == 0);
}

void identity_view_init(struct identity *identity)
{
    check(pthread_mutex_init(&identity->lock, NULL) == 0);
    identity_publish(identity);
}

void identity_view_done(struct identity *identity)
{
    check(identity->newest == identity->oldest && identity->newest->readers == 0);
    drop_view(identity, identity->newest);
    for (size_t i = identity->garbage_start; i < identity->garbage.count; i++)
        free(((struct garbage *)identity->garbage.items)[i].memory);
    for (size_t i = 0; i < identity->spans.count; i++) {
        struct identity_spans **page = identity->spans.pages[i];
        for (size_t k = 0; k < SPAN_PAGE; k++) free(page[k]);
        free(page);
    }
    for (size_t i = 0; i < identity->slots.count; i++) free(identity->slots.pages[i]);
    free(identity->spans.pages);
    free(identity->spans.born);
    free(identity->slots.pages);
    free(identity->slots.born);
    vector_done(&identity->garbage);
    vector_done(&identity->dirty);
    check(pthread_mutex_destroy(&identity->lock) == 0);
}

/* ---- Reading a view ---- */

void identity_view_mark_owners(const struct identity_view *view, uint32_t slot, uint64_t *bits)
{
    if (slot == IDENTITY_NONE) return;
    if (!identity_is_shared(slot)) {
        __atomic_fetch_or(&bits[slot / 64], UINT64_C(1) << slot % 64, __ATOMIC_RELAXED);
        return;
    }
    const struct identity_spans *spans = identity_view_spans(view, slot);
    for (uint32_t at = 0; at < spans->count; at++)
        identity_view_mark_owners(view, identity_view_slot(view, spans->spans[at].owner), bits);
}

const struct identity_spans *identity_view_spans(const struct identity_view *view, uint32_t shared_slot)
{
    check(identity_is_shared(shared_slot));
    uint32_t index = shared_slot & ~IDENTITY_SHARED;
    return view->span_pages[index / SPAN_PAGE][index % SPAN_PAGE];
}

/* Finds the last span that begins before the event; the first span if none does. */
static const IdentitySpan *span_at(const struct identity_spans *spans, Millis time_ms, Str message_id)
{
    uint32_t low = 1, high = spans->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const IdentitySpan *span = &spans->spans[middle];
        bool is_before = span->from_ms < time_ms ||
                         (span->from_ms == time_ms && str_compare(span->from_id, message_id) < 0);
        if (is_before) low = middle + 1;
        else high = middle;
    }
    return &spans->spans[low - 1];
}

IdentityPerson identity_view_find_person(const struct identity_view *view, IdentityNode subject, Millis time_ms,
                                         Str message_id)
{
    uint32_t slot = identity_view_slot(view, subject);
    while (identity_is_shared(slot))
        slot = identity_view_slot(view, span_at(identity_view_spans(view, slot), time_ms, message_id)->owner);
    return slot;
}

bool identity_view_needs_id(const struct identity_view *view, IdentityNode subject, Millis time_ms)
{
    uint32_t slot = identity_view_slot(view, subject);
    while (identity_is_shared(slot)) {
        const struct identity_spans *spans = identity_view_spans(view, slot);
        const IdentitySpan *span = span_at(spans, time_ms, (Str){ "", 0 });
        if (span + 1 < spans->spans + spans->count && span[1].from_ms == time_ms) return true;
        slot = identity_view_slot(view, span->owner);
    }
    return false;
}

IdentityPerson identity_view_person_now(const struct identity_view *view, IdentityNode node)
{
    uint32_t slot = identity_view_slot(view, node);
    while (identity_is_shared(slot)) {
        const struct identity_spans *spans = identity_view_spans(view, slot);
        slot = identity_view_slot(view, spans->spans[spans->count - 1].owner);
    }
    return slot;
}
