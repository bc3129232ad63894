/* cli_doctor_accounts: `onym doctor --accounts FILE`. */
#ifndef ONYM_CLI_DOCTOR_ACCOUNTS_H
#define ONYM_CLI_DOCTOR_ACCOUNTS_H

#include "cli_person.h"

/* Tells what was guessed of the file on standard error, asks, and tells what is wrong with which account. EXIT_WRONG
 * also where --fail-on says so: "error" means accounts that never arrived, the others any. */
int cli_compare_accounts(struct person_command *command, const char *file);

#endif
