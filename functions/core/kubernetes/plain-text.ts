/** Control and format characters (among them those that change the direction of writing), line ends, and halves of pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\s]+/gu;

/** Longest message that is taken over from a log, an event or an annotation. */
const MAX_LENGTH = 500;

/**
 * Text of somebody else as one printable line of bounded length, for a message. Of a longer one the beginning is kept, or
 * the end. Anything that is no text becomes empty.
 */
export function plainText(value: unknown, keep: 'start' | 'end' = 'start', max: number = MAX_LENGTH): string {
  if (typeof value !== 'string') return '';
  // Twice the length suffices before it is shortened, however long the text is.
  const near = keep === 'start' ? value.slice(0, 2 * max) : value.slice(-2 * max);
  const line = near.replace(UNPRINTABLE, ' ').trim();
  // Cutting a pair of UTF-16 in two leaves half a character.
  const cut = keep === 'start' ? line.slice(0, max) : line.slice(-max);
  return cut.replace(/\p{Cs}/gu, '');
}
