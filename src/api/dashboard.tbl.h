/* The dashboard and its parts: a row each, in build/ui as the build made them from web/ (which see). Read by the assembler,
 * too.
 *   ASSET(symbol, file, type) */
ASSET(page,        index.html, "text/html; charset=utf-8")
ASSET(page_script, app.js,     "text/javascript; charset=utf-8")
ASSET(page_style,  app.css,    "text/css; charset=utf-8")
