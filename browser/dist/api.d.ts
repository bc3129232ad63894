import { type Replayed } from './stub';
import type { Analytics } from './types';
/** `home` is where the script came from: calls go there unless the options say otherwise. */
export declare const makeAnalytics: (home?: string) => Analytics & {
    replay(call: Replayed): unknown;
};
