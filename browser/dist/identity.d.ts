import type { Stores } from './storage';
import type { Entity, LoadOptions, User } from './types';
export interface Visitor {
    user: User;
    group: Entity;
    /** Carries what memory learned while storage was closed (before load, before consent) into storage. */
    open(): void;
    /** Removes every trace from the stores. */
    forget(): void;
}
export declare const makeVisitor: (stores: Stores, options: LoadOptions, isOpen: () => boolean) => Visitor;
