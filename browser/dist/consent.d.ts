import type { LoadOptions } from './types';
export declare const isRefusedBySignal: (options: LoadOptions) => boolean;
