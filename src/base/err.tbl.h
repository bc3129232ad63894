/* ERROR(name, word, meaning): every kind of trouble that a function can return. The word is what
 * machines see (in "code" of an API error, in logs); the meaning is for people. */
ERROR(ERR_INPUT,       "invalid_request",   "what was given breaks a rule; the text names field and rule")
ERROR(ERR_TOO_LARGE,   "too_large",         "what was given is over a limit; the text names the limit")
ERROR(ERR_DENIED,      "unauthorized",      "no key, a wrong key, or a key that may not do this")
ERROR(ERR_NOT_FOUND,   "not_found",         "there is no such thing")
ERROR(ERR_CONFLICT,    "conflict",          "somebody else uses it, or it has changed in the meantime")
ERROR(ERR_RATE,        "rate_limit",        "too many at the moment; try again later")
ERROR(ERR_FULL,        "disk_full",         "no room on the disk; recovers by itself when there is")
ERROR(ERR_IO,          "io_error",          "disk or network failed")
ERROR(ERR_DAMAGED,     "damaged",           "stored bytes are not what was written")
ERROR(ERR_CLOSED,      "shutting_down",     "Onym is stopping, or its journal needs a new start; see the log")
ERROR(ERR_TIMEOUT,     "timeout",           "it took longer than it may")
ERROR(ERR_UNSUPPORTED, "unsupported",       "a version, method or encoding that Onym does not know")
