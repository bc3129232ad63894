/** Longer than a send may take (delivery.ts), so that a lease outlives the request that it covers. */
export declare const LEASE_MS = 20000;
/** Runs `job`, which never rejects, when no other tab runs one of the same name. */
export declare const oneTabAtATime: (name: string, job: () => Promise<void>) => Promise<void>;
