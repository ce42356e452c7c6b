// Where the time of a process's threads goes, from the profiles that `node --cpu-prof` leaves.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

// What a stack belongs to: the row that fits its innermost frame that fits any.
const phases = [
  { phase: 'computing', file: /\/packages\/(training|kernels|backend|preprocess)\// },
  { phase: 'choosing samples', file: /\/packages\/(data|random)\// },
  { phase: 'adding partials', file: /\/packages\/engine\/dist\/tree\/|shared-sums/ },
  {
    phase: 'optimizer',
    file: /\/packages\/engine\/dist\/(optimizers|gradients|run\/(commit-step|non-finite))/,
  },
  { phase: 'leases and rules', file: /\/packages\/engine\// },
  { phase: 'messages', file: /\/packages\/(protocol|transport)\/|\/node_modules\/ws\// },
  { phase: 'worker loop', file: /\/apps\/worker\// },
  { phase: 'records and output', file: /\/packages\/(checkpoint|report)\/|\/apps\/cli\/|recorder/ },
];
// Frames of V8 itself; "(program)" is native code outside of JavaScript: sockets, and waiting for them.
const own = new Map([
  ['(idle)', 'idle'],
  ['(program)', 'system'],
  ['(garbage collector)', 'garbage collection'],
]);

/** Milliseconds of each phase between two times of `process.hrtime()` (microseconds), one object for each thread. */
export function readProfiles(folder, { fromUs, toUs }) {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.cpuprofile'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
    .map((profile) => phaseTimes(profile, { fromUs, toUs }))
    .filter((times) => Object.keys(times).length > 0);
}

function phaseTimes({ nodes, samples, timeDeltas, startTime }, { fromUs, toUs }) {
  const phaseOf = classify(nodes);
  const times = {};
  let atUs = startTime;
  for (const [i, id] of samples.entries()) {
    atUs += timeDeltas[i];
    const nextUs = atUs + (timeDeltas[i + 1] ?? 0);
    const ms = (Math.min(nextUs, toUs) - Math.max(atUs, fromUs)) / 1000;
    if (ms > 0) times[phaseOf.get(id)] = (times[phaseOf.get(id)] ?? 0) + ms;
  }
  return times;
}

function classify(nodes) {
  const phaseOf = new Map();
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  // Parents come before their children.
  for (const { id, callFrame } of nodes) {
    phaseOf.set(id, phaseOfFrame(callFrame) ?? phaseOf.get(parents.get(id)) ?? 'other');
  }
  return phaseOf;
}

function phaseOfFrame({ functionName, url }) {
  return own.get(functionName) ?? phases.find(({ file }) => file.test(url))?.phase;
}
