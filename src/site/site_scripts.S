# What `onym check-site` runs in the page, as it stands in the files: no generator, no generated C.
        .section .rodata
        .global site_early_start, site_early_end, site_probe_start, site_probe_end
site_early_start:        .incbin "src/site/site_early.js"
site_early_end:
site_probe_start:        .incbin "src/site/site_probe.js"
site_probe_end:
        .section .note.GNU-stack,"",%progbits
