/* TIME_PROBLEM(name, word, text): why a message's time is not, or not only, what its client said. The word is in the
 * stored message (timeProblem), in metrics and, if an import refuses a line because of it, in the reason. The text
 * comes after the field and its value in a sentence. (docs/protocol.md#times) */

TIME_PROBLEM(TIME_UNREADABLE,    "timestamp_unreadable",  "is no time that can be read")
TIME_PROBLEM(TIME_AMBIGUOUS,     "timestamp_ambiguous",   "can be read as more than one time")
TIME_PROBLEM(TIME_BEFORE_1970,   "timestamp_before_1970", "is before 1970")
TIME_PROBLEM(TIME_IN_FUTURE,     "timestamp_in_future",   "is over a day in the future")
TIME_PROBLEM(TIME_SENT_UNREADABLE, "sent_at_unreadable",  "is no time that can be read")
TIME_PROBLEM(TIME_SENT_IGNORED,  "sent_at_ignored",       "cannot be right beside the timestamp")
