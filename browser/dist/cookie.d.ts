import type { LoadOptions } from './types';
type CookieOptions = NonNullable<LoadOptions['cookie']>;
export declare const readCookie: (name: string) => string | null;
export declare const writeCookie: (name: string, value: string | null, options: CookieOptions, domain?: string) => void;
/** The widest domain on which a probe cookie sticks; undefined for localhost and addresses. Probed once a page. */
export declare const findCookieDomain: (host: string) => string | undefined;
export {};
