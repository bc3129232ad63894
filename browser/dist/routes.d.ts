/** `onChange` is told the URL that was left. */
export declare const watchRoutes: (onChange: (referrer: string) => void) => void;
