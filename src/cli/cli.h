/* cli: commands that ask the API, as everybody else does, and those that start and configure a server. A row of
 * main/'s commands.tbl.h has the options and the help of each. Each gives its exit code.
 */
#ifndef ONYM_CLI_CLI_H
#define ONYM_CLI_CLI_H

#include "command/command.h"
#include "cli_ask.h"

int command_serve(const struct command_line *line);
int command_demo(const struct command_line *line);
int command_demo_data(const struct command_line *line);    /* the same with --data */
int command_ui(const struct command_line *line);
int command_check_config(const struct command_line *line);
int command_check_site(const struct command_line *line);
int command_keys(const struct command_line *line);
int command_question(const struct command_line *line);      /* funnel, trends, …: those of ask/questions.tbl.h */
int command_doctor(const struct command_line *line);
int command_ask(const struct command_line *line);
int command_person(const struct command_line *line);
int command_links(const struct command_line *line);
int command_why(const struct command_line *line);
int command_unmerge(const struct command_line *line);
int command_delete(const struct command_line *line);
int command_suppress(const struct command_line *line);
int command_unsuppress(const struct command_line *line);
int command_suppressions(const struct command_line *line);
int command_destinations(const struct command_line *line);
int command_replay(const struct command_line *line);
int command_plan(const struct command_line *line);

#endif
