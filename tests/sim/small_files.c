#include "small_files.h"

#include "world.h"

#include <stdio.h>

enum { MUTES, SESSIONS, SAVED, CRASH_PER_THOUSAND = 200, CALLS_OF_A_WRITE = 9, LATER_DAYS = 3, MUTED_DAYS = 300,
       SESSION_HOURS = 11 };
static const char *const file_names[SMALL_FILES] = { "the mutes", "the sessions", "the saved questions" };
static const char *const file_paths[SMALL_FILES] = { "/data/findings", "/data/sessions", "/data/saved.json" };
static const Str key = STR("sk_simulator"), reason = STR("as it should be");

/* ---- What there is ---- */

/* Does the file of findings, as it lies there, have this one as muted? */
static bool has_mute(struct world *world, const char *fingerprint)
{
    Arena arena = region_arena(&world->scratch);
    Str text = fake_disk_peek(&world->disk, "/data/findings");
    const TreeNode *root;
    Err err;
    if (!text.bytes) return false;
    if (event_tree_read(arena_copy(&arena, text), &arena, &root, &err))
        world_fail(world, "the file of findings: %s", err.text);
    for (const TreeNode *one = event_tree_get(root, STR("findings"))->first; one; one = one->next)
        if (str_equal(event_tree_text(one, "fingerprint"), str_from(fingerprint)))
            return event_tree_millis(one, "muted") && str_equal(event_tree_text(one, "reason"), reason);
    return false;
}

static bool has_saved(struct world *world, const char *name)
{
    Arena arena = region_arena(&world->scratch);
    struct buf out;
    buf_init_fixed(&out, arena_bytes(&arena, 64 * 1024), 64 * 1024);
    Err err;
    if (desk_write_saved(world->small_files.desk, (Str){ 0 }, &out, &err))
        world_fail(world, "saved questions: %s", err.text);
    return str_contains(buf_str(&out), arena_printf(&arena, "\"%s\"", name));
}

static bool has_item(struct world *world, int file, const char *name)
{
    AccessSession session;
    if (file == MUTES) return has_mute(world, name);
    if (file == SAVED) return has_saved(world, name);
    return access_find(world->small_files.access, str_of(name, ACCESS_TOKEN_CHARS), &session);
}

/* A session that nobody used ends by itself. */
static bool has_ended(const struct world *world, int file, const struct small_item *item)
{
    return file == SESSIONS && world->outside.now_ms - item->at_ms > SESSION_HOURS * HOUR_MS;
}

static void check_items(struct world *world, int file)
{
    struct small_files *small = &world->small_files;
    for (size_t at = 0; at < small->counts[file]; at++) {
        struct small_item *item = &small->items[file][at];
        bool is_there = has_item(world, file, item->name);
        if (is_there != item->is_there && !item->is_in_doubt && !has_ended(world, file, item))
            world_fail(world, "%s: %s is %s", file_names[file], item->name, is_there ? "back" : "lost");
        /* Where the process died alone, what was in doubt is there and may not be on the disk yet. */
        item->is_there = is_there;
        item->is_in_doubt &= !world->has_lost_power;
    }
}

void small_files_open(struct world *world)
{
    struct small_files *small = &world->small_files;
    char damage[ERR_TEXT_BYTES];
    AccessOptions access = { .path = "/data/sessions", .has_sessions = true, .disk = &world->disk.disk,
                             .clock = &world->outside.clock, .dice = &world->dice.dice };
    DeskOptions desk = { .dir = "/data", .disk = &world->disk.disk, .clock = &world->clock.clock,
                         .dice = &world->dice.dice };
    AccessKey secret = { STR("secret"), key, ACCESS_ADMIN };
    Err err;
    if (doctor_open(&world->disk.disk, "/data/findings", &small->doctor, damage, &err) || damage[0])
        world_fail(world, "the file of findings: %s", damage[0] ? damage : err.text);
    if (access_open(&access, &small->access, damage, &err) || damage[0])
        world_fail(world, "the file of sessions: %s", damage[0] ? damage : err.text);
    access_set_keys(small->access, &secret, 1);
    if (desk_open(&desk, &small->desk, damage, &err) || damage[0])
        world_fail(world, "the files of the dashboard: %s", damage[0] ? damage : err.text);
    for (int file = 0; file < SMALL_FILES; file++) check_items(world, file);
}

void small_files_close(struct world *world)
{
    struct small_files *small = &world->small_files;
    doctor_close(small->doctor);
    access_close(small->access);
    desk_close(small->desk);
    small->doctor = NULL;
    small->access = NULL;
    small->desk = NULL;
}

/* ---- Changes ---- */

static struct small_item *find_item(struct small_files *small, int file, const char *name)
{
    for (size_t at = 0; at < small->counts[file]; at++)
        if (!strcmp(small->items[file][at].name, name)) return &small->items[file][at];
    if (small->counts[file] == SMALL_ITEMS_MAX) return NULL;
    struct small_item *item = &small->items[file][small->counts[file]++];
    *item = (struct small_item){ .is_there = false };
    snprintf(item->name, sizeof item->name, "%s", name);
    return item;
}

static struct small_item *draw_item(struct world *world, int file)
{
    struct small_files *small = &world->small_files;
    return small->counts[file] ? &small->items[file][fake_dice_below(&world->dice, small->counts[file])] : NULL;
}

/* A file is written whole: what was said of others that were in doubt counts with it, as it is in memory. */
static void end_change(struct world *world, int file, struct small_item *item, bool is_there, Status status)
{
    struct small_files *small = &world->small_files;
    world_tell(world, "%s: %.16s is to be %s: %s", file_names[file], item->name, is_there ? "there" : "gone",
               status_word(status));
    if (status && status != ERR_IO && status != ERR_FULL)
        world_fail(world, "%s: %s", file_names[file], status_word(status));
    item->at_ms = world->outside.now_ms;
    if (!status && world->canary == CANARY_SMALL_FILE) fake_disk_drop(&world->disk, file_paths[file]);
    if (status) item->is_in_doubt = true;
    for (size_t at = 0; at < small->counts[file] && !status; at++) {
        struct small_item *one = &small->items[file][at];
        if (one == item) one->is_there = is_there;
        else if (one->is_in_doubt) one->is_there = has_item(world, file, one->name);
        one->is_in_doubt = false;
    }
}

/* The doctor looks, so that it knows of findings; then one is muted, or told again. */
static void change_mute(struct world *world)
{
    Arena arena = region_arena(&world->scratch);
    const TreeNode *tree;
    struct buf out;
    Err err;
    struct fake_disk *disk = &world->disk;
    unsigned faults = disk->fault_per_million;
    uint64_t crash_at = disk->fail_at_call, room = disk->capacity_bytes, calls = disk->calls;
    disk->fault_per_million = 0;
    disk->fail_at_call = disk->capacity_bytes = 0;
    Str findings = checks_examine(world, world->small_files.doctor, world->applier, LATER_DAYS * DAY_MS, &arena);
    disk->fault_per_million = faults;
    disk->capacity_bytes = room;
    if (crash_at) disk->fail_at_call = crash_at + disk->calls - calls;
    if (event_tree_read(findings, &arena, &tree, &err)) world_fail(world, "findings that are no JSON: %s", err.text);
    const TreeNode *list = event_tree_get(tree, STR("findings"));
    uint32_t count = list->count;
    if (!count) return;
    const TreeNode *one = list->first;
    for (uint64_t skip = fake_dice_below(&world->dice, count); skip > 0; skip--) one = one->next;
    Str fingerprint = event_tree_text(one, "fingerprint");
    char name[SMALL_NAME_BYTES];
    snprintf(name, sizeof name, "%.*s", STR_FORMAT(fingerprint));
    struct small_item *item = find_item(&world->small_files, MUTES, name);
    if (!item) return;
    DoctorMute mute = { .is_muted = !item->is_there, .reason = reason, .now_ms = world->clock.now_ms,
                        .until_ms = world->clock.now_ms + MUTED_DAYS * DAY_MS };
    buf_init(&out, 4096);
    Status s = doctor_mute(world->small_files.doctor, fingerprint, &mute, &out, &err);
    buf_done(&out);
    end_change(world, MUTES, item, mute.is_muted, s);
}

/* Somebody signs in, or is signed out. A session that could not be written is in memory, and comes with the next. */
static void change_session(struct world *world)
{
    struct small_files *small = &world->small_files;
    struct small_item *item = fake_dice_chance(&world->dice, 400) ? draw_item(world, SESSIONS) : NULL;
    AccessSession session;
    Err err;
    if (item && item->is_there && !item->is_in_doubt && !has_ended(world, SESSIONS, item)) {
        check(access_find(small->access, str_of(item->name, ACCESS_TOKEN_CHARS), &session));
        check(access_end(small->access, str_from(session.id)));
        end_change(world, SESSIONS, item, false, access_write(small->access, false, &err));
        return;
    }
    char token[SMALL_NAME_BYTES] = "";
    Millis wait_ms;
    AccessVisitor visitor = { .key = key, .address = STR("192.0.2.1"), .agent = STR("a browser") };
    if (small->counts[SESSIONS] == SMALL_ITEMS_MAX) return;
    Status s = access_sign_in(small->access, &visitor, token, &session, &wait_ms, &err);
    if (s) world_fail(world, "signing in: %s", err.text);
    item = find_item(small, SESSIONS, token);
    end_change(world, SESSIONS, item, true, access_write(small->access, false, &err));
}

/* The id of a saved question, for who forgets it. */
static Str find_saved(struct world *world, const char *name, Arena *arena)
{
    struct buf out;
    const TreeNode *list;
    Err err;
    buf_init_fixed(&out, arena_bytes(arena, 64 * 1024), 64 * 1024);
    buf_char(&out, '[');
    if (desk_write_saved(world->small_files.desk, (Str){ 0 }, &out, &err)) world_fail(world, "saved: %s", err.text);
    buf_char(&out, ']');
    if (event_tree_read(buf_str(&out), arena, &list, &err)) world_fail(world, "saved questions: %s", err.text);
    for (const TreeNode *one = list->first; one; one = one->next)
        if (str_equal(event_tree_text(one, "name"), str_from(name))) return event_tree_text(one, "id");
    return (Str){ 0 };
}

static void change_saved(struct world *world)
{
    struct small_files *small = &world->small_files;
    Arena arena = region_arena(&world->scratch);
    char name[SMALL_NAME_BYTES];
    struct buf out;
    Err err;
    snprintf(name, sizeof name, "question %d", (int)fake_dice_below(&world->dice, SMALL_ITEMS_MAX));
    struct small_item *item = find_item(small, SAVED, name);
    if (has_saved(world, name)) {
        end_change(world, SAVED, item, false, desk_forget_saved(small->desk, find_saved(world, name, &arena), &err));
        return;
    }
    DeskQuestion question = { .name = str_from(name), .kind = STR("funnel"), .question = STR("{\"steps\":[\"a\"]}"),
                              .by = "secret" };
    buf_init(&out, 64 * 1024);
    Status s = desk_save(small->desk, &question, &out, &err);
    buf_done(&out);
    end_change(world, SAVED, item, true, s);
}

void small_files_act(struct world *world)
{
    struct fake_disk *disk = &world->disk;
    if (world->has_faults && fake_dice_chance(&world->dice, CRASH_PER_THOUSAND)) {
        disk->fault = DISK_FAULT_CRASH;
        disk->fail_at_call = disk->calls + 1 + fake_dice_below(&world->dice, CALLS_OF_A_WRITE);
    }
    switch (fake_dice_below(&world->dice, SMALL_FILES)) {
    case MUTES: change_mute(world); break;
    case SESSIONS: change_session(world); break;
    default: change_saved(world); break;
    }
    disk->fail_at_call = 0;
}
