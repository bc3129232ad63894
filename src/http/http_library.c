/* http_library: the browser library, from the bytes that the build put into the program. */
#include "http_exchange.h"

void http_library(struct exchange *exchange)
{
    Err err;
    err_set(&err, ERR_NOT_FOUND, "this build has no browser library in it; make browser, then make");
    reply_error(exchange, ERR_NOT_FOUND, &err);
}
