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

export async function run({ quick, only, rounds = quick ? 1 : 5, say }) {
  const contestants = links.flatMap((link) =>
    codecs().map(({ name, args }) => ({
      name: `${link.link}, ${name}`,
      link: link.link,
      codec: name,
      measure: () => rate({ ...link, args, warmup: 5, steps: quick ? 10 : 60 }),
    })),
  );
  const chosen = contestants.filter(({ name }) => name.includes(only));
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
  const rows = measured.map(({ link, codec, samples, median }) => {
    const base = measured.find((each) => each.link === loopback && each.codec === codec);
    return [link, codec, number(median), base && number(medianRatio(samples, base.samples), 2)];
  });
  return [
    `\`mnist-cnn\`, batch ${batch}, ${workers} workers. Each worker is a host of its own (network namespace) on a link of its own; the rate holds each way (tc), the delay is a round trip.`,
    table([['link', 'codec', 'samples/s', 'of loopback']].concat(rows)),
    leftOut(results),
  ].join('\n\n');
}
