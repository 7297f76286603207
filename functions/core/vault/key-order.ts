/** Compares keys as S3 orders them in listings: by the bytes of their UTF-8, which is not the order of JavaScript's strings. */
export const compareKeys = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
