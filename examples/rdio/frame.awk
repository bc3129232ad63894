# Makes a whole page: awk -f frame.awk frame.html pages/NAME.html
# The first line of a page, its title, and what follows take the places of two comments in the frame. A page that
# begins with a doctype is whole as it stands.
FNR == NR { frame[++frame_count] = $0; next }
FNR == 1 && /^<!doctype/ { is_whole = 1 }
is_whole { print; next }
FNR == 1 { title = $0; next }
{ page[++page_count] = $0 }
END {
    if (is_whole) exit
    for (at = 1; at <= frame_count; at++) {
        if (frame[at] ~ /<!-- page -->/) for (line = 1; line <= page_count; line++) print page[line]
        else if (frame[at] ~ /<!-- title -->/) print "    " title
        else print frame[at]
    }
}
