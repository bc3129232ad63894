// Load options: a site that moves here may bring some that do nothing here. It should hear of them.

/** Those of nearly all pages: of others the second file (options-told.ts) knows what they are. */
export const COMMON = /apiHost|consent|ownPath/
