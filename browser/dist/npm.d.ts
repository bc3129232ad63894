import type { Analytics, LoadOptions } from './types';
export type { Analytics, CallOptions, Context, DestinationMiddleware, Entity, LoadOptions, Message, Payload, Plugin, SourceMiddleware, User, } from './types';
/** Calls made before `load` wait in memory, in order. */
export declare const createAnalytics: () => Analytics;
/** The shape of analytics-next's entry: `load` answers an object that has every call and can be awaited. */
export type AnalyticsBrowser = Analytics & {
    instance: Analytics;
    then<R>(onLoaded: (loaded: [Analytics]) => R | PromiseLike<R>): Promise<R>;
};
export declare const AnalyticsBrowser: {
    load(settings: {
        writeKey: string;
    }, options?: LoadOptions): AnalyticsBrowser;
};
