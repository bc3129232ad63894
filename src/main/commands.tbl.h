/* Every command and every option of it.
 *
 * COMMAND(name, function, group, operands, summary, details)
 * OPTION(command, letter, name, value, path, help)     value NULL: a switch; path: the configuration's
 *                                                      option that it overrides
 */
#ifndef COMMAND
#define COMMAND(...)
#endif
#ifndef OPTION
#define OPTION(...)
#endif

#define OPTIONS_OF_DATA(command) \
    OPTION(command, 'c', "config", "FILE", NULL, "the configuration; without it $ONYM_CONFIG, or the defaults") \
    OPTION(command, 'd', "data", "DIR", "data", "the data directory, instead of the configuration's")
#define OPTIONS_OF_FILTER(command) \
    OPTION(command, 't', "type", "TYPE", NULL, "only identify, track, page, screen, group or alias; repeatable") \
    OPTION(command, 'e', "event", "NAME", NULL, "only this event (or page, screen) name; repeatable") \
    OPTION(command, 'u', "user", "ID", NULL, "only this userId or anonymousId; repeatable") \
    OPTION(command, 's', "source", "NAME", NULL, "only this source; repeatable")

COMMAND("check-config", command_check_config, "Run", "[FILE]", "reads a configuration and says what is wrong with it",
    "Tells everything that is wrong, each with its line, and exits 1 where something is; warnings alone are "
    "no reason. Opens nothing and changes nothing.")
OPTION("check-config", 'c', "config", "FILE", NULL, "the same as FILE")
OPTION("check-config", 0, "template", NULL, NULL,
    "print every option with its default and reason, as a file to begin with")
OPTION("check-config", 0, "json", NULL, NULL, "print the findings as JSON")

COMMAND("keys", command_keys, "Run", "", "shows the write keys, and the secret key if asked",
    "Write keys go into websites, apps and servers, and can only write. The secret key reads and administers.")
OPTIONS_OF_DATA("keys")
OPTION("keys", 0, "secret", NULL, NULL, "print the secret key too")
OPTION("keys", 0, "json", NULL, NULL, "print JSON")

COMMAND("completion", command_completion, "Other", "bash | zsh | fish", "prints the completions for a shell",
    "For bash: onym completion bash > /etc/bash_completion.d/onym")
COMMAND("version", command_version, "Other", "", "prints the version", "")
COMMAND("help", command_help, "Other", "[COMMAND]", "explains a command", "")

#undef COMMAND
#undef OPTION
#undef OPTIONS_OF_DATA
#undef OPTIONS_OF_FILTER
