/**
 * Splits items into runs whose sizes sum up to at most `maxBytes`, in their order. An item that is larger is a run of its own.
 * Functions read the objects of a restore from its archive run by run, so that memory holds one run.
 */
export function* windowsOf<T extends { readonly bytes: number }>(
  items: readonly T[],
  maxBytes: number,
): Generator<T[]> {
  let window: T[] = [];
  let bytes = 0;
  for (const item of items) {
    if (window.length > 0 && bytes + item.bytes > maxBytes) {
      yield window;
      window = [];
      bytes = 0;
    }
    window.push(item);
    bytes += item.bytes;
  }
  if (window.length > 0) yield window;
}
