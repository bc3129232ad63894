import type { Callback, CallOptions, Json } from './types';
/** Texts first, then up to two objects, then a function; `null` and `undefined` keep a place of their kind. */
export interface Args {
    texts: Array<string | undefined>;
    data: Json;
    options: CallOptions;
    callback?: Callback;
}
/** `textCount` places may hold an id or a name before the objects begin. */
export declare const readArgs: (args: unknown[], textCount: number) => Args;
