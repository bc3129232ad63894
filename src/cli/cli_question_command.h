/* cli_question_command: what `onym funnel`, `retention`, `trends`, `paths`, `signups` and `events` have in common:
 * options become a question in JSON, the question is asked (cli_ask.h), and the answer is printed as it came (--json),
 * as CSV (--csv), or drawn.
 *
 * Which questions there are, and which option is which member, ask/questions.tbl.h says (cli_question.c). What a
 * question has of its own on the command line is a QuestionCommandKind in its own file. The API checks the values, and
 * names the member that is wrong; here is only what the command line writes differently: filters, and times ago. */
#ifndef ONYM_CLI_QUESTION_COMMAND_H
#define ONYM_CLI_QUESTION_COMMAND_H

#include <stdio.h>

#include "cli_ask.h"
#include "terminal/terminal.h"

struct question_command;
typedef struct QuestionCommandKind {
    /* NULL, each: as the rows say, and whatever tables the answer has. */
    int (*compose)(struct question_command *command);       /* all members; EXIT_FINE, or after complaining */
    void (*draw)(struct question_command *command);         /* into command->out */
    void (*write_csv)(struct question_command *command);
} QuestionCommandKind;
extern const QuestionCommandKind question_funnel, question_trends, question_retention, question_paths, question_signups,
    question_events;

struct question_command {
    const struct command_line *line;
    Arena arena;                                            /* for all of the command */
    Terminal terminal;
    Str path;                                               /* compose may choose another one */
    struct buf question, out;
    bool is_first_cell;                                     /* of a line of CSV */
    const TreeNode *answer;
};

/* The whole command. */
int question_run(const struct command_line *line, const char *path, const QuestionCommandKind *kind);

/* ---- Composing ---- */

/* A member that is no option goes into command->question by base/json_out.h: the question is an object already. */
/* The option as a member of the same name (or another one), a text or, where it is an integer, a number. Nothing
 * where it was not given. */
void question_option(struct question_command *command, const char *option, const char *member);
/* An event as an operand has it: a text, or an object where it begins with "{". */
void question_event(struct question_command *command, const char *name, Str operand);
/* The option as a time as the API takes it, or a duration ago; as a list of filters. */
void question_time(struct question_command *command, const char *option, const char *member);
int question_filters(struct question_command *command, const char *option, const char *member);
/* cli_question.c. Every option that is a member, as the rows say it; the operands likewise. EXIT_FINE, or after
 * complaining. */
int question_options(struct question_command *command);
int question_rows(struct question_command *command);
/* One --where, appended as a filter: "properties.plan=Free". False: it is none. */
bool where_write(Str text, struct buf *out);

/* ---- Reading the answer ---- */

uint64_t tree_count(const TreeNode *object, const char *path);             /* 0 where there is none */
double tree_number(const TreeNode *object, const char *path, double missing);
Millis tree_millis(const TreeNode *object, const char *path, Millis missing);
/* A value as a person reads it: "(none)" for null, lists and objects as JSON. */
Str tree_value_text(const TreeNode *value);
/* "2026-01-31 12:00" of an instant. */
Str tree_instant_text(const TreeNode *object, const char *path, Arena *arena);
/* When a bucket begins, as the question's time zone has it and as finely as the unit needs: "2026-01-31",
 * "2026-01-31 14:00", "2026-01", "2026 Q1". */
Str tree_bucket_text(struct question_command *command, const TreeNode *instant, Str unit);
Str big_text(uint64_t count, Arena *arena);                                 /* "1,234" */

/* Says where the answer is not of all events yet. */
void question_put_incomplete(const struct question_command *command, FILE *to);
/* The values of a list of numbers, null as 0. */
double *tree_numbers(const TreeNode *list, Arena *arena);
/* A number of an answer: "1,234", "12.5", and "" for null. */
Str tree_number_text(const TreeNode *value, Arena *arena);

/* ---- Drawing ---- */

/* A row a bucket: when, how many, a bar. */
void draw_buckets(struct question_command *command, const TreeNode *buckets, const TreeNode *values, Str title);
/* A list of {value or event, people}: a row each, with its share of all. left_out: a member of the answer. */
void draw_shares(struct question_command *command, const TreeNode *list, Str title, uint64_t all, const char *left_out);

/* cli_lists.c. What an answer shows that nobody draws in a way of its own: its lists as tables, single values before
 * them; as CSV the longest list. */
void lists_draw(struct question_command *command);
void lists_write_csv(struct question_command *command);

/* ---- CSV (RFC 4180; an empty field for null) ---- */

void csv_begin(struct question_command *command, const char *titles);      /* comma between them */
void csv_text(struct question_command *command, Str text);
void csv_value(struct question_command *command, const TreeNode *value);   /* numbers as they are */
void csv_end(struct question_command *command);

#endif
