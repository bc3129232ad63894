/* The manual page (mdoc), printed by `onym help --man` from the table of commands; packaging/onym.1 is what
 * it printed, and a test compares them. Only what is about the program as a whole is written here. */
#include "command.h"

static const char head[] =
    ".Dd November 23, 2026\n.Dt ONYM 1\n.Os\n"
    ".Sh NAME\n.Nm onym\n.Nd customer-data platform: collects events, keeps them, and tells who is who\n"
    ".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar option ...\n.Op Ar operand ...\n"
    ".Sh DESCRIPTION\n.Nm\nis a self-hosted customer-data platform in one program.\n"
    "It takes events over the Segment Tracking API, so that every Segment SDK works\n"
    "with it by changing its host,\n"
    "and keeps each accepted one durably in a journal before it answers.\n"
    ".Pp\nThe commands are:\n.Bl -tag -width Ds\n";

static const char tail[] =
    ".El\n.Pp\nEvery command also takes\n.Fl h , Fl -help .\n"
    ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n"
    ".It Ev ONYM_CONFIG\nThe configuration to read where\n.Fl -config\nis not given.\n"
    "Where neither is, and no\n.Pa ./onym-data\nis there, all commands but\n.Cm serve\nand\n.Cm demo\n"
    "speak to the Onym that a package installed:\n.Pa /etc/onym/onym.yaml .\n"
    ".It Ev NO_COLOR\nIf set and not empty, nothing is coloured.\n"
    ".It Ev NOTIFY_SOCKET\nWhere\n.Cm serve\ntells systemd that it is ready.\n"
    ".El\n.Pp\nThe configuration may take more from the environment, as ${NAME}.\n"
    ".Sh FILES\n.Bl -tag -width Ds\n"
    ".It Pa onym.yaml\nThe configuration;\n.Cm check-config Fl -template\nprints one with every option.\n"
    ".It Pa DATA/journal/\nThe journal: segment files of checksummed frames.\n"
    "The one truth; everything else is made from it.\n"
    ".It Pa DATA/keys.yaml\nThe keys made at the first start, used where the configuration gives none.\n"
    ".It Pa DATA/imports/\nHow far each import came.\n.El\n"
    ".Sh SIGNALS\n.Cm serve\nreloads its configuration on\n.Dv SIGHUP ,\nand stops on\n.Dv SIGTERM\nand\n.Dv SIGINT :\n"
    "it accepts nothing more, answers what is in, commits, and closes.\n"
    ".Pp\n.Cm import\nstops at the next line on the same two, and goes on from there another time.\n"
    ".Sh EXIT STATUS\n.Bl -tag -width Ds\n.It 0\nAll well.\n"
    ".It 1\nSomething was found wrong, or the command failed.\n"
    ".It 2\nThe command line or the configuration makes no sense.\n.El\n"
    ".Sh EXAMPLES\nStart, with defaults, in the current directory:\n.Pp\n.Dl $ onym serve\n"
    ".Pp\nWatch the sign-ups that a running server takes:\n.Pp\n.Dl $ onym tail --event 'Account Created'\n"
    ".Pp\nWhy were messages refused in the last hour?\n.Pp\n.Dl $ onym tail --rejected --from 1h --no-follow\n"
    ".Pp\nKeep a month's events as a file:\n.Pp\n"
    ".Dl $ onym export --from 2026-10-01 --to 2026-11-01 -o october.ndjson.gz\n"
    ".Pp\nBring an archive in; the same again after an interruption:\n.Pp\n.Dl $ onym import archive/*.gz\n"
    ".Sh STANDARDS\nThe Segment Tracking API, as docs/protocol.md of the sources states it.\n";

/* Prose: a sentence a line, lines of at most 79 columns, nothing that roff would take for a request. */
static void put_prose(struct buf *buf, Str text, bool is_capital)
{
    size_t column = 0;
    bool is_first = true, ends_sentence = false;
    while (text.len) {
        Str word = str_cut(text, ' ', &text);
        if (column && (column + 1 + word.len > 79 || ends_sentence)) buf_char(buf, '\n'), column = 0;
        if (column) buf_char(buf, ' '), column++;
        else if (word.len && (word.bytes[0] == '.' || word.bytes[0] == '\'')) buf_str_put(buf, STR("\\&"));
        for (size_t at = 0; at < word.len; at++) {
            char c = word.bytes[at];
            if (is_first && is_capital && at == 0 && c >= 'a' && c <= 'z') buf_char(buf, (char)(c - 32));
            else if (c == '\\') buf_str_put(buf, STR("\\e"));
            else if (c == '`') buf_char(buf, '"');
            else buf_char(buf, c);
        }
        column += word.len;
        is_first = false;
        ends_sentence = word.len > 1 && word.bytes[word.len - 1] == '.';
    }
    buf_str_put(buf, ends_sentence ? STR("\n") : STR(".\n"));
}

static void put_option(struct buf *buf, const Option *option)
{
    buf_str_put(buf, STR(".It "));
    if (option->letter) buf_printf(buf, "Fl %c , ", option->letter);
    buf_printf(buf, "Fl -%s", option->name);
    if (option->value) buf_printf(buf, " Ar %s", option->value);
    buf_char(buf, '\n');
    put_prose(buf, str_from(option->help), false);
}

static void put_command(struct buf *buf, const CommandTable *table, const Command *command)
{
    bool has_options = false;
    buf_printf(buf, ".It Cm %s%s%s\n", command->name, command->operands[0] ? " Ar " : "", command->operands);
    put_prose(buf, str_from(command->summary), true);
    if (command->details[0]) put_prose(buf, str_from(command->details), false);
    for (size_t at = 0; at < table->option_count; at++) {
        if (strcmp(table->options[at].command, command->name)) continue;
        if (!has_options) buf_str_put(buf, STR(".Bl -tag -width Ds\n"));
        has_options = true;
        put_option(buf, &table->options[at]);
    }
    if (has_options) buf_str_put(buf, STR(".El\n"));
}

void command_write_man(struct buf *buf, const CommandTable *table)
{
    buf_str_put(buf, str_from(head));
    for (size_t at = 0; at < table->command_count; at++) put_command(buf, table, &table->commands[at]);
    buf_str_put(buf, str_from(tail));
}
