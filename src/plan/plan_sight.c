/* plan_sight: finds quickly that a value fits. Nearly every member of nearly every message fits its plan, and for most
 * the first byte shows it: a quote, if text is wanted. For each property of a plan these first bytes are found once,
 * when the plan is compiled (SchemaProperty.sight). After that, checking a usual message takes one look at each value.
 *
 * It can only say that a value fits. What is not sure is checked as usual (plan_check.c), and nothing is reported
 * here. */
#include "plan_schema.h"

/* The kind of a value, by its first byte. Objects and lists are never sure. */
static const uint8_t first_bytes[256] = {
    ['"'] = SIGHT_TEXT, ['-'] = SIGHT_MINUS, ['t'] = SIGHT_BOOL, ['f'] = SIGHT_BOOL, ['n'] = SIGHT_NULL,
    ['0'] = SIGHT_NUMBER, ['1'] = SIGHT_NUMBER, ['2'] = SIGHT_NUMBER, ['3'] = SIGHT_NUMBER, ['4'] = SIGHT_NUMBER,
    ['5'] = SIGHT_NUMBER, ['6'] = SIGHT_NUMBER, ['7'] = SIGHT_NUMBER, ['8'] = SIGHT_NUMBER, ['9'] = SIGHT_NUMBER,
};

/* Does every number that is not negative fit, however large it is? */
static bool takes_positive(const SchemaNumber *rule)
{
    if (!rule) return true;
    bool has_least = rule->has_least && !rule->least.is_negative && (rule->least.digits || rule->least.is_long);
    return !has_least && !rule->has_most && !rule->has_more_than && !rule->has_less_than && !rule->has_multiple_of;
}

static uint8_t sight_of_number(const Schema *schema)
{
    if (!schema->is_whole && !schema->number) return SIGHT_NUMBER | SIGHT_MINUS;
    if (!takes_positive(schema->number)) return 0;
    return schema->is_whole ? SIGHT_DIGITS : SIGHT_NUMBER;
}

static uint8_t sight_of(const SchemaProperty *property)
{
    const Schema *schema = property->schema;
    uint8_t sight = property->null_is_absent ? SIGHT_NULL : 0;
    if (!schema) return SIGHT_TEXT | SIGHT_NUMBER | SIGHT_MINUS | SIGHT_BOOL | SIGHT_NULL;
    unsigned kinds = schema->kinds ? schema->kinds : ~0u;
    if (schema->is_never || schema->logic) return sight;
    if (schema->values) return kinds >> FIELD_STRING & 1 && !schema->text ? sight | SIGHT_LISTED : sight;
    if (kinds >> FIELD_NULL & 1) sight |= SIGHT_NULL;
    if (kinds >> FIELD_BOOL & 1) sight |= SIGHT_BOOL;
    if (kinds >> FIELD_STRING & 1 && !schema->text) sight |= SIGHT_TEXT;
    return kinds >> FIELD_NUMBER & 1 ? sight | sight_of_number(schema) : sight;
}

void schema_set_sights(struct schema_store *store)
{
    for (SchemaObject *object = store->objects; object; object = object->before) {
        /* Properties are const for the code that checks; here the plan is not open yet, so they may change. */
        SchemaProperty *properties = (SchemaProperty *)(uintptr_t)object->properties;
        if (object->is_slow || object->has_escapes || object->required_count >= 64) continue;
        object->has_sights = true;
        object->all_required = (UINT64_C(1) << object->required_count) - 1;
        for (uint32_t at = 0; at < object->property_count; at++) {
            SchemaProperty *property = &properties[at];
            if (property->required != SCHEMA_NOT_REQUIRED) property->required_bit = UINT64_C(1) << property->required;
            if (property->is_declared && !property->versions.len) property->sight = sight_of(property);
        }
    }
}

static bool is_digits(Str number)
{
    for (size_t at = 0; at < number.len; at++)
        if ((unsigned char)(number.bytes[at] - '0') > 9) return false;
    return true;
}

static bool is_listed(const SchemaValues *values, Str inside)
{
    if (!inside.len || memchr(inside.bytes, '\\', inside.len)) return false;
    for (uint32_t at = 0; at < values->count; at++)
        if (values->items[at]->kind == FIELD_STRING && str_equal_inline(values->items[at]->text, inside)) return true;
    return false;
}

static inline bool value_fits(const SchemaProperty *property, const char *text, const uint32_t *token)
{
    uint8_t bit = first_bytes[(unsigned char)text[*token]];
    if (property->sight & bit) return true;
    if (bit == SIGHT_NUMBER && property->sight & SIGHT_DIGITS) return is_digits(event_token_scalar(text, token));
    return bit == SIGHT_TEXT && property->sight & SIGHT_LISTED
        && is_listed(property->schema->values, event_token_inside(text, token));
}

bool schema_value_fits_at_sight(const SchemaProperty *property, const char *text, const uint32_t *token)
{
    return value_fits(property, text, token);
}

bool schema_object_fits_at_sight(const SchemaObject *object, const char *text, const uint32_t *token)
{
    uint32_t next = 0;
    uint64_t seen = 0;
    if (!object->has_sights) return false;
    for (token++; text[*token] != '}'; token += text[*token] == ',') {
        /* Clients write the members of an event in one order, and plans often have the same order. */
        Str name = event_token_inside(text, token);
        const SchemaProperty *property = &object->properties[next];
        if (next >= object->property_count || !str_equal_inline(property->name, name))
            property = schema_find_property(object, name);
        if (!property || !value_fits(property, text, token + 2)) return false;
        next = (uint32_t)(property - object->properties) + 1;
        if (text[token[2]] != 'n' || !property->null_is_absent) seen |= property->required_bit;
        token += 3;
    }
    return seen == object->all_required;
}
