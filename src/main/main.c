/* main: argv picks a command; nothing else. */

#include "commands.h"
#include "os/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int complain_unknown(const char *given)
{
    Str names[64] = { 0 };
    size_t count = 0;
    for (; count < onym_commands.command_count && count < countof(names); count++)
        names[count] = str_from(onym_commands.commands[count].name);
    Str near = nearest_word(str_from(given), names, count);
    if (near.len) command_complain("there is no command \"%s\"; did you mean %.*s?", given, STR_FORMAT(near));
    else command_complain("there is no command \"%s\"; onym --help lists them", given);
    return EXIT_USAGE;
}

static int run(int argc, char **argv)
{
    struct command_line line = { .table = &onym_commands };
    if (argc < 2) {
        line.command = command_find(&onym_commands, STR("help"));
        command_help(&line);
        return EXIT_USAGE;
    }
    Str name = str_from(argv[1]);
    if (str_equal(name, STR("--help")) || str_equal(name, STR("-h"))) name = STR("help");
    if (str_equal(name, STR("--version")) || str_equal(name, STR("-V"))) name = STR("version");
    const Command *command = command_find(&onym_commands, name);
    if (!command) return complain_unknown(argv[1]);
    int code = command_parse(&onym_commands, command, argc - 2, argv + 2, &line);
    return code == EXIT_FINE && line.command ? line.command->run(&line) : code;
}

int main(int argc, char **argv)
{
    streams_hold();
    int code = run(argc, argv);
    if (fflush(stdout) || ferror(stdout)) {
        command_complain("standard output: what was written did not arrive");
        return code ? code : EXIT_WRONG;
    }
    return code;
}
