import type { Json, LoadOptions } from './types';
interface Calls {
    setAnonymousId(id: string): unknown;
    identify(id: string, traits: Json): unknown;
    track(event: string, properties: Json): unknown;
}
/** `text` is a URL, or what follows its first `?`; a query after a hash counts as well. */
export declare const runQueryString: (text: string, allowed: LoadOptions["useQueryString"], calls: Calls) => void;
export {};
