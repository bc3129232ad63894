import type { Mark } from './types';
export declare const uuid: () => string;
export declare const mark: (now?: number) => Mark;
/** The time inside a mark's id. */
export declare const markTime: (id: string) => number;
