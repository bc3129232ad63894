# A .c file includes the doors of those folders alone that src/DOORS lets it call, or of one whose table it includes. So of
# a folder farther away it can name the types and constants alone of which a neighbour's door speaks; its functions are
# refused by tools/doors.
# Dependencies run downward only, and through the door (X/X.h) or a table of rows (X/*.tbl.h). usage: awk -f tools/layers.awk src/LAYERS src/DOORS src/*/*.[ch]*
FILENAME ~ /DOORS$/   { if ($2 == "calls") for (at = 3; at <= NF; at++) calls[$1, $at] = 1; next }
FNR == NR             { if ($1 ~ /^[a-z]/) rank[$1] = ++depth; next }
/^#include ".*\//     { split(FILENAME, from, "/"); split($2, to, /["\/.]/)     # bare names are the own folder
                        if (to[2] == from[2])              next
                        if (!(to[2] in rank))              say("unknown folder in " $2)
                        if (rank[to[2]] <= rank[from[2]])  say("looks up at " $2)
                        if (to[2] != to[3] && to[4] != "tbl" && !(to[2] == "os" && to[3] == "fetch")) say("goes past the door of " to[2])
                        if (to[4] == "tbl") has_table[FILENAME, to[2]] = 1
                        else if (FILENAME ~ /[.]cc?$/ && to[2] != "base" && !((from[2], to[2]) in calls)) far[FILENAME ":" FNR] = to[2] }
function say(what)    { printf "%s:%d: error: %s\n", FILENAME, FNR, what; bad = 1 }
END                   { for (place in far) { file = place; sub(/:.*/, "", file)
                            if (!((file, far[place]) in has_table)) { print place ": error: " far[place] " is no neighbour (src/DOORS)"; bad = 1 } }
                        exit bad }
