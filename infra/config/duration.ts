/** A duration of holdfast.yaml: a whole number of minutes, hours or days. */
export const DURATION = /^[1-9]\d{0,3}[mhd]$/;

const SECONDS: Record<string, number> = { m: 60, h: 3600, d: 86_400 };

/** Seconds of a duration. */
export const seconds = (duration: string): number =>
  Number(duration.slice(0, -1)) * (SECONDS[duration.slice(-1)] as number);
