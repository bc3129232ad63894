/* derive_expected.h: what the API must say of a person, written from the reference and the messages of the history.
 * Included by derive_model_test.c only, after its struct world. */
#ifndef ONYM_TESTS_APPLY_EXPECTED_H
#define ONYM_TESTS_APPLY_EXPECTED_H

static void put_members(Model *model, int person, int kind, struct buf *buf)
{
    const char *last = "";
    int put = 0;
    for (;;) {                                               /* each time the least that is larger than the last */
        const char *next = NULL;
        for (int i = 0; i < model->id_count; i++) {
            const Id *id = &model->ids[i];
            if (id->kind != kind || !id->is_seen || !is_member(model, i, person)) continue;
            if ((put == 0 || strcmp(id->value, last) > 0) && (!next || strcmp(id->value, next) < 0)) next = id->value;
        }
        if (!next) return;
        if (put++) buf_char(buf, ',');
        buf_json_string(buf, str_from(next));
        last = next;
    }
}

/* Whose the message is; -1 for nobody. */
static int person_of(Model *model, const Said *said)
{
    int subject = id_of(model, IDENTITY_USER, said->user);
    if (subject < 0) subject = id_of(model, IDENTITY_ANONYMOUS, said->anonymous);
    return subject < 0 ? -1 : owner_at(model, subject, said->time, said->id);
}

static void put_traits(struct world *world, int person, struct buf *buf)
{
    for (int k = 0, put = 0; k < TRAITS; k++) {
        const struct message *last = NULL;
        for (int i = 0; i < world->message_count; i++) {
            const struct message *message = &world->messages[i];
            if (!message->is_in_set || message->traits[k] < 0 || person_of(&world->model, &message->said) != person)
                continue;
            if (!last || message->said.time > last->said.time ||
                (message->said.time == last->said.time && strcmp(message->said.id, last->said.id) > 0))
                last = message;
        }
        if (!last || last->traits[k] == 0) continue;
        buf_printf(buf, "%s\"%s\":%s", put++ ? "," : "", trait_names[k], trait_values[last->traits[k]]);
    }
}

static void put_seen(struct world *world, int person, struct buf *buf)
{
    int count = 0, first = 0, last = 0;
    for (int i = 0; i < world->message_count; i++) {
        const struct message *message = &world->messages[i];
        if (!message->is_in_set || person_of(&world->model, &message->said) != person) continue;
        if (!count || message->said.time < first) first = message->said.time;
        if (!count || message->said.time > last) last = message->said.time;
        count++;
    }
    if (count) {
        buf_str_put(buf, STR(",\"first_seen\":\""));
        buf_instant(buf, START_MS + first);
        buf_str_put(buf, STR("\",\"last_seen\":\""));
        buf_instant(buf, START_MS + last);
        buf_char(buf, '"');
    } else {
        buf_str_put(buf, STR(",\"first_seen\":null,\"last_seen\":null"));
    }
    buf_printf(buf, ",\"events\":%d}", count);
}

static void write_expected(struct world *world, int person, struct buf *buf)
{
    Model *model = &world->model;
    buf_clear(buf);
    buf_str_put(buf, STR("{\"person_id\":\""));
    write_person_id(&model->ids[person], buf);
    buf_str_put(buf, STR("\",\"user_ids\":["));
    put_members(model, person, IDENTITY_USER, buf);
    buf_str_put(buf, STR("],\"anonymous_ids\":["));
    put_members(model, person, IDENTITY_ANONYMOUS, buf);
    buf_str_put(buf, STR("],\"external_ids\":[],\"traits\":{"));
    put_traits(world, person, buf);
    buf_char(buf, '}');
    put_seen(world, person, buf);
}

#endif
