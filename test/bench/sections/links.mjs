import { alternate } from '../measure/alternate.mjs';
import { startCluster } from '../measure/cluster.mjs';
import { codecs, rateOf, withFolder } from '../measure/gradwire.mjs';
import { createLinks } from '../measure/links.mjs';
import { medianRatio } from '../measure/statistics.mjs';
import { leftOut, number, table } from '../measure/table.mjs';

export const title = 'Slower links';

const workers = 2;
const batch = 128;
const loopback = 'loopback';
const links = [
  { link: loopback },
  { link: '1 Gbit/s', megabits: 1000 },
  { link: '100 Mbit/s', megabits: 100 },
  { link: '20 Mbit/s, 50 ms', megabits: 20, roundTripMs: 50 },
];

/** Ways to train: synchronous with each codec, and DiLoCo, whose steps have many local ones. */
function ways({ quick }) {
  const diloco = (localSteps, codec) => ({
    way: `diloco ${localSteps}, ${codec.name}`,
    args: ['--strategy', 'diloco', '--local-steps', `${localSteps}`, ...codec.args],
    warmup: 1,
    steps: quick ? 2 : 6,
  });
  const known = codecs();
  const int8 = known.filter(({ name }) => name === 'int8');
  return [
    ...known.map(({ name, args }) => ({
      way: `synchronous, ${name}`,
      args,
      warmup: 5,
      steps: quick ? 10 : 60,
    })),
    ...[32, 64, 128].flatMap((localSteps) => [known[0], ...int8].map((codec) => diloco(localSteps, codec))),
  ];
}

export async function run({ quick, only, rounds = quick ? 1 : 5, say }) {
  const contestants = links.flatMap((link) =>
    ways({ quick }).map(({ way, ...trial }) => ({
      name: `${link.link}, ${way}`,
      link: link.link,
      way,
      measure: () => rate({ ...link, ...trial }),
    })),
  );
  const chosen = contestants.filter(({ name }) => only.test(name));
  return { unit: 'samples/s', results: await alternate(chosen, { rounds, say }) };
}

async function rate({ link, args, warmup, steps, ...speed }) {
  const hosts = link === loopback ? undefined : createLinks(workers, speed);
  try {
    return await withFolder(async (folder) => {
      const cluster = await startCluster({
        args: ['--recipe', 'mnist-cnn', '--batch-size', `${batch}`, ...args],
        workers,
        folder,
        ...(hosts && { host: '0.0.0.0', prefix: hosts.coordinatorPrefix, reach: hosts.reach }),
      });
      try {
        return await rateOf(cluster.coordinator, { warmup, steps });
      } finally {
        await cluster.stop();
      }
    });
  } finally {
    await hosts?.remove();
  }
}

export function report({ results }) {
  const measured = results.filter(({ samples }) => samples.length > 0);
  const rows = measured.map(({ link, way, samples, median }) => {
    const base = measured.find((each) => each.link === loopback && each.way === way);
    const ratio = base && medianRatio(samples, base.samples);
    const waiting = base && link !== loopback ? `${number(100 * (1 - ratio), 1)} %` : '';
    return [link, way, number(median), base && number(ratio, 2), waiting];
  });
  return [
    `\`mnist-cnn\`, batch ${batch}, ${workers} workers. Each worker is a host of its own (network namespace) on a link of its own; the rate holds each way (tc), the delay is a round trip. \`diloco 32\` takes 32 local steps in a step. What waits for the link is what the rate lacks to that of the same way on loopback.`,
    table([['link', 'strategy and codec', 'samples/s', 'of loopback', 'waits for the link']].concat(rows)),
    leftOut(results),
  ].join('\n\n');
}
