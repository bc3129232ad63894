export declare const makeServerCookie: (url: string, writeKey: string, domain: string | undefined) => (anonymousId: string | null, userId: string | null) => void;
