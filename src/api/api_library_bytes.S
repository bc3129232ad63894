# The scripts of assets.tbl.h and the snippet, as the build made them: no generator, no generated C.
#include "http/http_asset_bytes.h"
#define ASSET(symbol, file) ASSET_BYTES(symbol, browser/file)
        .section .rodata
#include "assets.tbl.h"
        .global api_snippet_start, api_snippet_end
api_snippet_start:      .incbin "build/browser/snippet.min.js"
api_snippet_end:
        .section .note.GNU-stack, "", @progbits
