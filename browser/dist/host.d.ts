import type { LoadOptions } from './types';
/** "https://t.example.com" of ".../analytics.js/v1/KEY/analytics.min.js", with any path before it; and KEY. */
export declare const readScript: (src: string) => {
    home?: string;
    writeKey?: string;
};
/**
 * The base of the collection paths, "https://host/v1". `apiHost` is a host with or without scheme;
 * `integrations["Segment.io"].apiHost` is the whole base without scheme, as analytics-next has it.
 */
export declare const apiBase: (options: LoadOptions, home: string | undefined) => string;
