/* url: parts of an address as clients write it, before anybody has checked it. */
#ifndef ONYM_BASE_URL_H
#define ONYM_BASE_URL_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The host, as it is written, without user and port; the brackets of an IPv6 address stay. If there is no scheme it
 * is the text before the first "/", "?", "#" or "\" ("//host/x", too); empty: there is none. Borrows. */
Str url_host(Str url);

#ifdef __cplusplus
}
#endif
#endif
