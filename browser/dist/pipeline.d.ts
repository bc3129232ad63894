import type { Context, DestinationMiddleware, Json, Message, Plugin, SourceMiddleware } from './types';
export declare const makeContext: (event: Message) => Context;
export declare const isEnabled: (integrations: Json, name: string) => boolean;
export declare const makePipeline: (report: (error: unknown) => void) => {
    addSourceMiddleware(run: SourceMiddleware): void;
    addDestinationMiddleware(name: string, ...runs: DestinationMiddleware[]): void;
    register(analytics: unknown, plugins: Plugin[]): Promise<unknown>;
    deregister(names: string[]): void;
    ready: () => Promise<unknown[]>;
    /** Everything that stands before storage; null when the call is dropped. */
    before: (context: Context) => Context | PromiseLike<Context | null> | null;
    /** Everything that hears of the call once it is safe. */
    after(context: Context): void;
};
