type Listener = (...args: any[]) => void;
export declare const makeEmitter: () => {
    on(name: string, listener: Listener, isOnce?: boolean): void;
    off(name: string, listener?: Listener): void;
    emit(name: string, ...args: unknown[]): void;
};
export {};
