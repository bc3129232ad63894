/* server_plan: gives the configuration's tracking plan to the collector. */
#ifndef ONYM_SERVER_PLAN_H
#define ONYM_SERVER_PLAN_H

#include "config/config.h"

/* At a start, and at each reload. What is wrong with the plan is logged; if it has errors the old plan stays. Without a
 * plan no message is checked from now on. */
Status MUST server_load_plan(const struct config *config, struct collector *collector, Err *err);

#endif
