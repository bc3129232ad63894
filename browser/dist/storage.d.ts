import type { LoadOptions } from './types';
export interface Store {
    /** The bare text, or null when absent. */
    get(key: string): string | null;
    /** null removes. `text` is an id, or JSON when `isJson`. */
    set(key: string, text: string | null, isJson?: boolean): void;
}
/** localStorage or sessionStorage; null where the browser throws at the mere mention. */
export declare const webStorage: (name: "localStorage" | "sessionStorage") => Storage | null;
export declare const makeMemoryStore: () => Store;
/** The stores of a browser, each opened once and null where blocked. */
export interface Stores {
    cookie: Store | null;
    localStorage: Store | null;
    memory: Store;
    /** The domain that cookies are set on; undefined for the host alone. */
    domain?: string | undefined;
}
export declare const openStores: (options: LoadOptions, memory: Store) => Stores;
