/**
 * Control characters other than newline and tab, lone surrogates, and what turns the direction of writing round: none belongs
 * into a text for people.
 */
const unprintable: RegExp = /[^\P{Cc}\n\t]|\p{Cs}|[\u202a-\u202e\u2066-\u2069]/gu;

/** Colours and cursor movements of terminals (ECMA-48 control sequences). */
// oxlint-disable-next-line no-control-regex -- escape characters are what this is about
const controlSequence: RegExp = /\u001b\[[0-?]*[ -/]*[@-~]/gu;

/** Whether a text can be shown on a terminal as it is, see {@link unprintable}. */
export function isCleanText(text: string): boolean {
  return text.search(unprintable) === -1;
}

/** The same in one line. */
export function cleanLine(text: string, maxLength: number): string {
  return cleanText(text, maxLength).replace(/\s/g, ' ');
}

/** Makes a text fit for the wire: no terminal escapes, unprintable characters replaced, cut to `maxLength`. */
export function cleanText(text: string, maxLength: number): string {
  const clean = text.replace(controlSequence, '').replace(/\r\n?/g, '\n').replace(unprintable, '\ufffd');
  if (clean.length <= maxLength) return clean;
  // A cut through a surrogate pair leaves its first half, which is replaced.
  return `${clean.slice(0, maxLength - 1).replace(unprintable, '')}…`;
}
