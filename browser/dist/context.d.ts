import type { Json, LoadOptions, PageState } from './types';
export declare const VERSION = "1.0.0";
/** The page as it is now. `referrer` is that of the last change of page within a single-page app. */
export declare const readPage: (referrer?: string) => PageState;
/** The same from its parts, as the stub of the snippet noted them. */
export declare const makePage: (canonical: string | null | undefined, path: string, url: string, search: string, title: string, referrer: string) => PageState;
export declare const readParams: (search: string) => Json;
export declare const makeContextReader: (options: LoadOptions) => (page: PageState) => Json;
