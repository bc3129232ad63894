/* server_plan: the tracking plan of the configuration, into the collector. */
#ifndef ONYM_SERVER_PLAN_H
#define ONYM_SERVER_PLAN_H

#include "config/config.h"

/* At a start, and at each reload. What is wrong with the plan is logged; with an error the one before stays. Without a
 * plan nothing is checked from now on. */
Status MUST server_load_plan(const struct config *config, struct collector *collector, Err *err);

#endif
