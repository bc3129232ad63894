/* doctor_texts: gives each text a number, so that a row needs four bytes for it and passes compare numbers. At most
 * DOCTOR_NAMES_MAX texts get one: a later text counts as no text (0), as does an empty one. Long texts are cut. */
#include "doctor_private.h"

#include <stdlib.h>

uint32_t doctor_name(struct doctor_names *names, Str text)
{
    if (!text.len) return 0;
    text = str_slice(text, 0, DOCTOR_NAME_BYTES);
    uint64_t hash = hash_64(text, 0);
    for (uint32_t at, probe = 0; (at = slots_next(&names->slots, hash, &probe)) != SLOTS_NONE;)
        if (str_equal(names->texts[at], text)) return at;
    if (!names->count) names->count = 1;                    /* 0 is none */
    if (names->count == DOCTOR_NAMES_MAX || arena_left(names->arena) < text.len + 1
        || !vector_reserve(names->texts, names->capacity, names->count + (size_t)1, DOCTOR_NAMES_MAX)
        || !slots_reserve(&names->slots, names->count + 1)) return 0;
    names->texts[0] = (Str){ 0 };
    names->texts[names->count] = arena_copy(names->arena, text);
    slots_put(&names->slots, hash, names->count);
    return names->count++;
}

uint32_t doctor_release(struct exam *exam, Str library, Str version)
{
    char room[128];
    struct buf text;
    buf_init_fixed(&text, room, sizeof room);
    buf_str_put(&text, str_slice(library, 0, 80));
    if (version.len) buf_char(&text, ' ');
    buf_str_put(&text, str_slice(version, 0, 40));
    return doctor_name(&exam->names, buf_str(&text));
}
