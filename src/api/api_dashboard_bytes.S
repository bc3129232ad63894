# The dashboard of dashboard.tbl.h, as the build made it.
#include "http/http_asset_bytes.h"
#define ASSET(symbol, file, type) ASSET_BYTES(symbol, ui/file)
        .section .rodata
#include "dashboard.tbl.h"
        .section .note.GNU-stack, "", @progbits
