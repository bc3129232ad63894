export declare const isPromise: (value: any) => value is PromiseLike<any>;
export declare const sooner: <T, R>(value: T | PromiseLike<T>, next: (value: T) => R | PromiseLike<R>) => R | PromiseLike<R>;
/** Runs the steps one after the other on `value`; stops early when one answers null. */
export declare const chain: <T>(value: T | null, steps: Array<(value: T) => T | null | PromiseLike<T | null>>, index?: number) => T | null | PromiseLike<T | null>;
