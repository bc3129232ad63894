/* The example site's pages and what they load: a row each, in build/site as the build made them from examples/rdio. Read
 * by the assembler, too.
 *   ASSET(symbol, file, path, type, policy) */
ASSET(site_index,   index.html,       "/",                 HTML,   PAGE)
ASSET(site_browse,  browse.html,      "/browse",           HTML,   PAGE)
ASSET(site_signup,  signup.html,      "/signup",           HTML,   PAGE)
ASSET(site_connect, connect.html,     "/connect",          HTML,   PAGE)
ASSET(site_login,   login.html,       "/login",            HTML,   PAGE)
ASSET(site_welcome, welcome.html,     "/welcome",          HTML,   PAGE)
ASSET(site_account, account.html,     "/account",          HTML,   PAGE)
ASSET(site_missing, missing.html,     "/missing",          HTML,   PAGE)
ASSET(site_style,   assets/rdio.css,  "/assets/rdio.css",  CSS,    PART)
ASSET(site_script,  assets/rdio.js,   "/assets/rdio.js",   SCRIPT, PART)
ASSET(site_albums,  assets/albums.js, "/assets/albums.js", SCRIPT, PART)
ASSET(site_hard,    assets/hard.js,   "/assets/hard.js",   SCRIPT, PART)
ASSET(site_kept,    assets/kept.js,   "/assets/kept.js",   SCRIPT, PART)
ASSET(site_icon,    assets/icon.svg,  "/assets/icon.svg",  PICTURE, PART)
