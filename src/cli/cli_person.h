/* cli_person: what `onym person`, `links`, `why`, `unmerge` and `delete` have in common: they ask the API (ask.h) about
 * one person, and print its answer as it came (--json) or drawn. */
#ifndef ONYM_CLI_PERSON_H
#define ONYM_CLI_PERSON_H

#include "cli_ask.h"
#include "terminal/terminal.h"

struct person_command {
    const struct command_line *line;
    Arena arena;                                            /* for all of the command */
    Terminal terminal;                                      /* standard output */
    struct asker *asker;
    struct buf out;
    bool is_json;
};

/* The whole command: opens, runs, prints out, closes. */
typedef int PersonRun(struct person_command *command);
int person_run(const struct command_line *line, PersonRun *run);

/* Asks and reads the answer as a tree; complains. The tree and the text live as long as the command. ret_tree may be
 * NULL: the answer is no JSON document. */
int person_ask(struct person_command *command, const char *method, Str path, Str body, Str *ret_text,
               const TreeNode **ret_tree);
/* people/resolve?id=: whoever the id names. */
int person_find(struct person_command *command, const char *id, Str *ret_text, const TreeNode **ret_person);
/* "/api/v1/people/u_12345/links" of a person that was found. */
Str person_path(struct person_command *command, const TreeNode *person, const char *rest);

/* The links of an answer as a table. */
void person_draw_links(struct person_command *command, const TreeNode *links);
/* A line or two: who it is, with ids and dates. */
void person_draw_head(struct person_command *command, const TreeNode *person);
/* "12345", and "~a-1" for an anonymous id. */
Str person_node_text(struct person_command *command, const TreeNode *node);

#endif
