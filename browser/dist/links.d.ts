import type { CallOptions, Json } from './types';
export type Target = Element | Iterable<Element> | ArrayLike<Element> | {
    toArray(): Element[];
} | null | undefined;
export type FromElement<T> = T | ((element: Element) => T);
type Track = (event: string, properties: Json, options?: CallOptions) => unknown;
export declare const makeTracker: (track: Track, domEvent: "click" | "submit") => (targets: Target, event: FromElement<string>, properties?: FromElement<Json | undefined>, options?: CallOptions) => void;
export {};
