import { decodeMessage, encodeMessage, messageLimits, protocolVersion } from '@gradwire/protocol';
import * as fc from 'fast-check';
import { answerTo, frameOf, parameters, startCoordinator } from '../coordinator.mjs';
import { messages } from '../messages.mjs';
import { byteChanges, bytesFrom, changeBytes } from '../mutate.mjs';

const limits = messageLimits({ role: 'coordinator' });

/** Whole sessions with a real coordinator: a worker that follows the protocol now and then, and breaks it anywhere. */
export async function createTarget() {
  const frames = messages.map(encodeMessage);
  const step = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ kind: fc.constant('follow'), value: fc.constantFrom(0, 0, 0, 0.5, -1, 1e30) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('spoil'), changes: byteChanges }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('say'), frame: fc.constantFrom(...frames) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('say'), frame: bytesFrom(frames) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('say'), frame: partial }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('again') }) },
  );
  let run = await startCoordinator();
  return {
    inputs: fc.record({ steps: fc.array(step, { minLength: 1, maxLength: 14 }), leaves: fc.boolean() }),
    codes: [],
    async run(input) {
      await converse(run.coordinator, input);
      if (run.defects.length > 0) throw new Error(`the coordinator reported a defect: ${run.defects[0]}`);
      if (!run.isOver) return;
      await run.close();
      run = await startCoordinator();
    },
    close: () => run.close(),
  };
}

/** Partials that fit the model, with places and counts that need not fit anything. */
const small = fc.constantFrom(0, 1, 2, 3, 4, 6, 7, 8, 20, 2 ** 32 - 1);
const partial = fc
  .record({
    round: small,
    lo: small,
    length: fc.constantFrom(1, 2, 4),
    samples: small,
    metrics: fc.constantFrom(2, 0, 3, 11),
    value: fc.float(),
  })
  .map(({ round, lo, length, samples, metrics, value }) =>
    encodeMessage({
      type: 'partial',
      term: 1,
      round,
      lo: Math.min(lo, 2 ** 32 - 9),
      hi: Math.min(lo, 2 ** 32 - 9) + length,
      samples,
      computeMs: 1,
      gradient: new Float32Array(parameters).fill(value),
      metrics: new Float64Array(metrics),
    }),
  );

async function converse(coordinator, { steps, leaves }) {
  const channel = coordinator.connect();
  const asked = [];
  const reading = (async () => {
    for await (const frame of channel.frames) asked.push(decodeMessage(frame, limits));
  })();
  let last = frameOf({
    type: 'hello',
    protocol: protocolVersion,
    software: 'x',
    name: 'w',
    backend: 'wasm',
    threads: 1,
  });
  let next = last;
  for (const step of steps) {
    if (step.kind === 'say') channel.send(step.frame);
    else if (step.kind === 'again') channel.send(last);
    else {
      const answer = next ?? answerTo(asked, step.value ?? 0) ?? last;
      next = undefined;
      last = answer;
      channel.send(step.kind === 'follow' ? answer : step.changes.reduce(changeBytes, answer));
    }
    await turn();
  }
  if (leaves) channel.send(frameOf({ type: 'leave', reason: 'done' }));
  channel.close(1000, 'done');
  await channel.closed;
  await reading;
  await turn();
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
