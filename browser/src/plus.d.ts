/** Set by the build: true in analytics.plus.min.js and in the npm package, false in the core, which has none of it. */
declare const PLUS: boolean
/** With tools in the page (device mode): what is served where a source names one. */
declare const TOOLS: boolean
