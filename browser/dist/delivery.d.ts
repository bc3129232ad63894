import type { Queue } from './queue';
export declare const UNREADY = "~";
export interface DeliveryOptions {
    url: string;
    writeKey: string;
    /** Finishes a call that another page left before its plugins had answered. */
    finish(id: string, text: string): void;
    /** The server has refused these for good. */
    onRefused(ids: string[], status: number): void;
    isOpen(): boolean;
}
export declare const makeDelivery: (queue: Queue, options: DeliveryOptions) => {
    wake: () => void;
    unfinished: Set<string>;
};
