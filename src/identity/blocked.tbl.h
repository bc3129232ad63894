/* BLOCKED(value): values that never name anyone, in lower case. Compared without regard to case and to white
 * space around; a value of only zeros and dashes ("", "0", "-", "00000000-0000-…") is blocked without a row.
 * Each row is a bug that was seen in the field: what a template or an SDK writes where it has no id. */
BLOCKED("null")
BLOCKED("undefined")
BLOCKED("-1")
BLOCKED("guest")
BLOCKED("anonymous")
BLOCKED("anonymousid")
BLOCKED("unknown")
BLOCKED("none")
BLOCKED("[object object]")
