# The example site that `onym demo` serves, as it stands in examples/rdio.
        .macro site_file name, path
        .global http_site_\name, http_site_\name\()_end
        .balign 16
http_site_\name:  .incbin "examples/rdio/\path"
http_site_\name\()_end:
        .endm
        .section .rodata
        site_file index,   pages/index.html
        site_file browse,  pages/browse.html
        site_file signup,  pages/signup.html
        site_file connect, pages/connect.html
        site_file login,   pages/login.html
        site_file welcome, pages/welcome.html
        site_file account, pages/account.html
        site_file style,   assets/rdio.css
        site_file script,  assets/rdio.js
        site_file albums,  assets/albums.js
        site_file icon,    assets/icon.svg
        .section .note.GNU-stack, "", @progbits
