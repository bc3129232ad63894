# The browser library and its snippet, as the build made them: no generator, no generated C.
        .section .rodata
        .global http_library_start, http_library_end, http_library_gzip_start, http_library_gzip_end
        .global http_snippet_start, http_snippet_end
        .balign 16
http_library_start:      .incbin "build/browser/analytics.min.js"
http_library_end:
        .balign 16
http_library_gzip_start: .incbin "build/browser/analytics.min.js.gz"
http_library_gzip_end:
        .balign 16
http_snippet_start:      .incbin "build/browser/snippet.min.js"
http_snippet_end:
        .section .note.GNU-stack, "", @progbits
