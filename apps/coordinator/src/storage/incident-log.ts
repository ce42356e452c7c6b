import { join } from 'node:path';
import { disk, type FileSystem, writeFileWhole } from '@gradwire/checkpoint';
import { GradwireError, toError } from '@gradwire/errors';
import type { Claim } from './claim.ts';

/** Something that should not have happened. */
export interface IncidentFacts {
  /**
   * `answers-differ`: workers of one class computed different numbers. `settled`: it is known who was wrong. `expelled`: a
   * worker was put out. `rolled-back`: the run goes back to a snapshot. `failed`: the run ended.
   * `clock-jumped`: this process did not run for a while, or the time of day jumped.
   */
  readonly what: 'answers-differ' | 'settled' | 'expelled' | 'rolled-back' | 'failed' | 'clock-jumped';
  /** From 1. */
  readonly step?: number;
  readonly shards?: readonly number[];
  readonly workers?: readonly string[];
  /** Checksums, in the order of `workers`. */
  readonly sums?: readonly string[];
  /** For people. */
  readonly message: string;
}

/** A line of `incidents.jsonl`. */
export interface Incident extends IncidentFacts {
  /** Time of day, as in ISO 8601. */
  readonly at: string;
  readonly term: number;
}

/** The incidents of a run, over all its coordinators. Going back to a snapshot takes none away. */
export interface IncidentLog {
  readonly count: number;
  readonly last: Incident | undefined;
  /** Takes it down; it is on disk once `settled` resolves. */
  note(facts: IncidentFacts): void;
  /** Never rejects. */
  settled(): Promise<void>;
}

/** What {@link openIncidents} is told. */
export interface IncidentOptions {
  readonly claim: Claim;
  /** Told when an incident could not be written. */
  readonly onProblem: (error: Error) => void;
  /** Default: the real disk. */
  readonly files?: FileSystem | undefined;
}

/**
 * Reads `incidents.jsonl`, if there is one; a line that is none is kept as it is, but not counted. Rejects if there is one
 * that cannot be read: the next incident would replace it.
 */
export async function openIncidents(
  directory: string,
  { claim, onProblem, files = disk }: IncidentOptions,
): Promise<IncidentLog> {
  const path = join(directory, 'incidents.jsonl');
  const text = await readIncidents(path, files);
  const texts = text.split('\n').filter((line) => line !== '');
  const found = parseIncidents(text);
  let { length: count } = found;
  let last = found.at(-1);
  let writing = Promise.resolve();
  const write = async (): Promise<void> => {
    try {
      // A coordinator that was replaced would take away the lines of the new one.
      if (await claim.check()) return;
      await writeFileWhole(path, `${texts.join('\n')}\n`, { files });
    } catch (thrown) {
      onProblem(toError(thrown));
    }
  };
  return {
    get count() {
      return count;
    },
    get last() {
      return last;
    },
    note(facts) {
      last = { at: new Date().toISOString(), term: claim.term, ...facts };
      count += 1;
      texts.push(JSON.stringify(last));
      // Rare, and short: the whole file each time, so that no line is ever torn.
      writing = writing.then(write);
    },
    settled: () => writing,
  };
}

async function readIncidents(path: string, files: FileSystem): Promise<string> {
  try {
    return (await files.readFile(path)).toString();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return '';
    throw new GradwireError('FILE_CORRUPT', `${path}: expected a readable file, found ${message}`, { cause });
  }
}

/** The incidents in the text of an `incidents.jsonl`; lines that are none are left out. */
export function parseIncidents(text: string): Incident[] {
  return text.split('\n').flatMap(parse);
}

function parse(text: string): Incident[] {
  try {
    const value = JSON.parse(text) as Incident;
    return typeof value.message === 'string' ? [value] : [];
  } catch {
    return [];
  }
}
