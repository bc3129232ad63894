/* What the engine says of a person, beside the model: for the random histories and for the simulator, which include
 * it after identity_model.c. A difference is put into words: complaint has COMPLAINT_BYTES. */
#include "base/base.h"

enum { COMPLAINT_BYTES = 400 };
#define FAIL(...) return snprintf(complaint, COMPLAINT_BYTES, __VA_ARGS__), false
#define NAME(id) (id).kind, (id).value

static bool name_is(const struct identity *identity, IdentityPerson person, const Id *id)
{
    char text[IDENTITY_PERSON_ID_BYTES], expected_text[IDENTITY_PERSON_ID_BYTES];
    struct buf buf, expected;
    if (person == IDENTITY_NONE) return false;
    buf_init_fixed(&buf, text, sizeof text);
    buf_init_fixed(&expected, expected_text, sizeof expected_text);
    identity_write_person_id(identity, person, &buf);
    write_person_id(id, &expected);
    return identity_find_person(identity, buf_str(&buf)) == person && str_equal(buf_str(&buf), buf_str(&expected));
}

static bool check_members(struct identity *identity, const Model *model, int of, IdentityPerson person, Arena scratch,
                          char *complaint)
{
    IdentityMember *members;
    size_t count, expected = 0;
    Err err;
    if (identity_list_members(identity, person, &scratch, &members, &count, &err)) FAIL("members: %s", err.text);
    for (int i = 0; i < model->id_count; i++) {
        const Id *id = &model->ids[i];
        if (!id->is_seen || !is_member(model, i, of)) continue;
        uint32_t node = identity_find(identity, (IdentityKind)id->kind, str_from(id->value));
        size_t k = 0;
        while (k < count && members[k].node != node) k++;
        if (k == count) FAIL("%d:%s is missing among the members of %d:%s", NAME(*id), NAME(model->ids[of]));
        if (members[k].is_owner_now != (owner_at(model, i, 0, NULL) == of)) FAIL("is_owner_now of %s", id->value);
        expected++;
    }
    if (expected != count) FAIL("%zu members of %d:%s, not %zu", count, NAME(model->ids[of]), expected);
    return true;
}
