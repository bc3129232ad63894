# Dependencies run downward only, and through the door (X/X.h) or a table of rows (X/*.tbl.h). usage: awk -f tools/layers.awk src/LAYERS src/*/*.[ch]*
FNR == NR             { if ($1 ~ /^[a-z]/) rank[$1] = ++depth; next }
/^#include ".*\//     { split(FILENAME, from, "/"); split($2, to, /["\/.]/)     # bare names are the own folder
                        if (to[2] == from[2])              next
                        if (!(to[2] in rank))              say("unknown folder in " $2)
                        if (rank[to[2]] <= rank[from[2]])  say("looks up at " $2)
                        if (to[2] != to[3] && to[4] != "tbl" && !(to[2] == "os" && to[3] == "fetch")) say("goes past the door of " to[2]) }
function say(what)    { printf "%s:%d: error: %s\n", FILENAME, FNR, what; bad = 1 }
END                   { exit bad }
