import type { LoadOptions, Mark, PageState } from './types';
export type StubCall = [method: string, ...args: any[]];
export interface Stub extends Array<StubCall> {
    _writeKey?: string;
    _loadOptions?: LoadOptions;
    /** The storage key under which the snippet keeps the calls. */
    _kept?: string;
}
export interface Replayed {
    method: string;
    args: unknown[];
    mark: Mark;
    page?: PageState | undefined;
}
/** The calls that make messages or change who the visitor is; all others set the library up. */
export declare const isMessageCall: (method: string) => boolean;
export declare const readCall: ([method, ...args]: StubCall) => Replayed;
/**
 * Takes the snippet's kept copy of this page's own calls out of storage; false when another tab has been
 * quicker and taken them over, so that they must not be made twice.
 */
export declare const claimKept: (own: string | undefined) => boolean;
/** Takes over the calls that other pages left behind. */
export declare const takeKept: () => Replayed[];
