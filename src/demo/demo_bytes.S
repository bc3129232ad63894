# The example site that `onym demo` serves: examples/rdio, its pages within their frame.
#include "http/http_asset_bytes.h"
#define ASSET(symbol, file, path, type, policy) ASSET_BYTES(symbol, site/file)
        .section .rodata
#include "assets.tbl.h"
        .global demo_start, demo_start_end
demo_start:     .incbin "examples/rdio/assets/start.js"
demo_start_end:
        .section .note.GNU-stack, "", @progbits
