/* warehouse_settings: an entry of the configuration, judged. */
#ifndef ONYM_WAREHOUSE_SETTINGS_H
#define ONYM_WAREHOUSE_SETTINGS_H

#include "warehouse.h"
#include "warehouse_choice.h"
#include "warehouse_name.h"

typedef struct WarehouseSettings {
    Str url, schema;
    WarehouseNaming naming;
    WarehouseChoice choice;                  /* in the arena, and its texts */
    bool has_people;                         /* onym_people, onym_identifiers, the views */
    Millis every_ms;                         /* a load begins that long after the one before; 0: not given */
} WarehouseSettings;

/* Texts live in the arena or in the configuration. ERR_INPUT: err->field names the setting. */
Status MUST warehouse_read_settings(const WarehouseConfig *config, Arena *arena, WarehouseSettings *ret, Err *err);

#endif
