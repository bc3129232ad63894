/* http_asset_bytes: for the assembler: a file in three forms, as the build made them. See http_asset.h. */
#define ASSET_TEXT(text) #text
#define ASSET_BYTES(symbol, file) \
        .global asset_##symbol, asset_##symbol##_gzip, asset_##symbol##_brotli, asset_##symbol##_end ; \
asset_##symbol:          .incbin ASSET_TEXT(build/file) ; \
asset_##symbol##_gzip:   .incbin ASSET_TEXT(build/file.gz) ; \
asset_##symbol##_brotli: .incbin ASSET_TEXT(build/file.br) ; \
asset_##symbol##_end:
