import { findRecipe } from '@gradwire/recipes';
import { parameterLayout } from '@gradwire/models';
import { startByteCounter } from '../measure/byte-counter.mjs';
import { startCluster } from '../measure/cluster.mjs';
import { codecs, stepDone, withFolder } from '../measure/gradwire.mjs';
import { number, table } from '../measure/table.mjs';

export const title = 'Bytes a step';

const recipe = findRecipe('mnist-cnn');

export async function run({ quick, only, say }) {
  const results = [];
  for (const { name, args } of codecs().filter((each) => only.test(each.name))) {
    for (const workers of [1, 2]) {
      const { up, down } = await count({ args, workers, steps: quick ? 10 : 100 });
      results.push({ name, workers, parameters: parameterLayout(recipe.model).size, up, down });
      say(`${name}, ${workers} workers: ${number(up)} up, ${number(down)} down`);
    }
  }
  return { unit: 'bytes', results };
}

/** Bytes a step and worker, TCP payload with all framing. */
function count({ args, workers, steps }) {
  const warmup = 5;
  return withFolder(async (folder) => {
    const counters = [];
    const cluster = await startCluster({
      // One step more: the last one's bytes are those of a step that another follows.
      args: ['--recipe', recipe.name, '--steps', `${warmup + steps + 1}`, ...args],
      workers,
      folder,
      reach: async (port) => {
        counters.push(await startByteCounter(port));
        return { port: counters.at(-1).port };
      },
    });
    const sums = () => ['up', 'down'].map((way) => counters.reduce((sum, { bytes }) => sum + bytes[way], 0));
    try {
      await stepDone(cluster.coordinator, warmup);
      const before = sums();
      await stepDone(cluster.coordinator, warmup + steps);
      const [up, down] = sums().map((sum, i) => Math.round((sum - before[i]) / steps / workers));
      return { up, down };
    } finally {
      await cluster.stop();
      for (const { close } of counters) close();
    }
  });
}

export function report({ results }) {
  const { parameters } = results[0];
  const rows = results.map(({ name, workers, up, down }) => [
    name,
    workers,
    number(up),
    number(down),
    number(up / parameters, 2),
    number(down / parameters, 2),
  ]);
  return [
    `\`mnist-cnn\`, ${number(parameters)} parameters, 8 shards, by worker; TCP payload with all framing.`,
    table([
      ['codec', 'workers', 'to the coordinator', 'to the worker', 'a parameter, up', 'a parameter, down'],
      ...rows,
    ]),
  ].join('\n\n');
}
