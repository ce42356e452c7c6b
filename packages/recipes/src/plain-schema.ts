import { formatCount } from '@gradwire/data';
import * as v from 'valibot';
import { closestName } from './closest-name.ts';

// Schema pieces whose messages say what was expected and what was found; the path is put in front by the caller.

type Found = { readonly input: unknown };

/** `expected …, found …`. */
export function expecting(what: string): (issue: Found) => string {
  return (issue) => `expected ${what}, found ${show(issue.input)}`;
}

/** A value as a person would write it, shortened. */
export function show(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string') return String(value);
  return value.length > 60 ? `${JSON.stringify(value.slice(0, 57))}…` : JSON.stringify(value);
}

/** A finite number that satisfies `accepts`. */
export function number(what: string, accepts: (value: number) => boolean): v.GenericSchema<number> {
  const message = expecting(what);
  return v.pipe(
    v.number(message),
    v.check((value) => Number.isFinite(value) && accepts(value), message),
  );
}

/** A whole number from `least` to `most`. */
export function integer(least: number, most: number): v.GenericSchema<number> {
  const range = `a whole number from ${formatCount(least)} to ${formatCount(most)}`;
  return number(range, (value) => Number.isInteger(value) && value >= least && value <= most);
}

/** A text that matches `pattern`. */
export function text(what: string, pattern: RegExp): v.GenericSchema<string> {
  return v.pipe(v.string(expecting(what)), v.regex(pattern, expecting(what)));
}

/** One of a few words. */
export function oneOf<const Words extends readonly string[]>(words: Words): v.GenericSchema<Words[number]> {
  return v.picklist(words, expecting(words.map((word) => `"${word}"`).join(' or ')));
}

/** A list with `least` to `most` items. */
export function list<Item>(
  item: v.GenericSchema<unknown, Item>,
  least: number,
  most: number,
): v.GenericSchema<unknown, Item[]> {
  const message = expecting(`a list of ${least} to ${most} items`);
  return v.pipe(v.array(item, message), v.minLength(least, message), v.maxLength(most, message));
}

/** The message of an object with these keys: an unknown key, a missing key or no object at all. */
export function objectMessage(keys: readonly string[]): (issue: v.StrictObjectIssue) => string {
  return (issue) => {
    if (issue.expected === 'never') return unknownKey(String(issue.input), keys);
    if (issue.expected === 'Object') return expecting('an object')(issue);
    return 'expected a value, found none (the setting is missing)';
  };
}

function unknownKey(key: string, keys: readonly string[]): string {
  const near = closestName(key, keys);
  const known = keys.map((name) => `"${name}"`).join(', ');
  return `expected one of ${known}, found the unknown setting "${key}"${near ? `; did you mean "${near}"?` : ''}`;
}
