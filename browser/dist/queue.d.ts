export interface Queue {
    put(id: string, text: string): void;
    get(id: string): string | null;
    remove(id: string): void;
    /** The ids of all calls that wait, from every tab of the site, oldest first. */
    list(): string[];
}
export declare const openQueue: (writeKey: string) => Queue;
