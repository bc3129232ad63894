/* people_external: external ids, if the rules opt in to some: each kind has a place in the message. */
#include "people.h"

Str people_spell_external(const IdentityExternal *kind, Str value, char *room)
{
    char folded[LIMIT_ID_BYTES];
    if (kind->folds) value = identity_fold_text(value, folded);
    check(kind->name.len <= LIMIT_KIND_NAME_BYTES && value.len <= LIMIT_ID_BYTES);
    memcpy(room, kind->name.bytes, kind->name.len);
    room[kind->name.len] = ':';
    if (value.len) memcpy(room + kind->name.len + 1, value.bytes, value.len);
    return (Str){ room, kind->name.len + 1 + value.len };
}

Status people_find_externals(struct event_parser *parser, Str json, const PeopleRules *rules, Arena *arena,
                             PeopleExternals *ret, Err *err)
{
    ret->count = 0;
    for (size_t at = 0; at < rules->identity.external_count; at++) {
        Field field;
        Status s = event_find_field(parser, json, rules->external_fields[at], arena, &field, err);
        if (s) return s;
        bool is_id = (field.kind == FIELD_STRING || field.kind == FIELD_NUMBER) && field.text.len;
        if (is_id && field.text.len <= LIMIT_ID_BYTES)
            ret->items[ret->count++] = (IdentityValue){ (IdentityKind)(IDENTITY_EXTERNAL + at), field.text };
    }
    return OK;
}

bool people_read_external(const People *people, Str words, Arena *arena, Str *ret, IdentityPerson *ret_person)
{
    const IdentityRules *rules = &people->rules->identity;
    Str value, name = str_cut(words, ':', &value);
    char text[PEOPLE_EXTERNAL_BYTES];
    size_t at = 0;
    while (at < rules->external_count && !str_equal(rules->externals[at].name, name)) at++;
    if (at == rules->external_count || !value.len || value.len > LIMIT_ID_BYTES) return false;
    Str spelt = people_spell_external(&rules->externals[at], value, text);
    if (spelt.len == name.len + 1 || arena_left(arena) < spelt.len + 1) return false;
    *ret = arena_copy(arena, spelt);
    IdentityNode node = identity_find(people->identity, (IdentityKind)(IDENTITY_EXTERNAL + at), value);
    *ret_person = node == IDENTITY_NONE ? IDENTITY_NONE : identity_person_now(people->identity, node);
    return true;
}

IdentityNode people_find_external(const struct identity *identity, Str spelt)
{
    IdentityKind kind;
    Str value, name = str_cut(spelt, ':', &value);
    return identity_find_kind(identity, name, &kind) && kind >= IDENTITY_EXTERNAL
               ? identity_find(identity, kind, value) : IDENTITY_NONE;
}
