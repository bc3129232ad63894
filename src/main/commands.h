/* commands: every command that there is, and every option of it. */
#ifndef ONYM_MAIN_COMMANDS_H
#define ONYM_MAIN_COMMANDS_H

#include "command/command.h"

extern const CommandTable onym_commands;

#endif
