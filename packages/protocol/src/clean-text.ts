/** Control characters other than newline and tab, and lone surrogates: neither belongs into a text for people. */
const unprintable: RegExp = /[^\P{Cc}\n\t]|\p{Cs}/gu;

/** Colours and cursor movements of terminals (ECMA-48 control sequences). */
// oxlint-disable-next-line no-control-regex -- escape characters are what this is about
const controlSequence: RegExp = /\u001b\[[0-?]*[ -/]*[@-~]/gu;

/** Whether a text can be shown on a terminal as it is: no control characters but newline and tab, no lone surrogates. */
export function isCleanText(text: string): boolean {
  return text.search(unprintable) === -1;
}

/** Makes a text fit for the wire: no terminal escapes, unprintable characters replaced, cut to `maxLength`. */
export function cleanText(text: string, maxLength: number): string {
  const clean = text.replace(controlSequence, '').replace(/\r\n?/g, '\n').replace(unprintable, '\ufffd');
  if (clean.length <= maxLength) return clean;
  // A cut through a surrogate pair leaves its first half, which is replaced.
  return `${clean.slice(0, maxLength - 1).replace(unprintable, '')}…`;
}
