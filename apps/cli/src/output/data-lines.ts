import type { DataEvent } from '@gradwire/data/node';
import { formatBytes } from '@gradwire/report';
import type { Console } from './console.ts';

/** Shows where data comes from: a line an event, one live line while something is downloaded. */
export function createDataLines(console: Console): (event: DataEvent) => void {
  return (event) => {
    switch (event.type) {
      case 'found':
        return console.say(`data: ${event.source}, verified`);
      case 'skipped':
        return console.say(console.colors.dim(`data: not from ${event.source}: ${event.reason}`));
      case 'downloading': {
        const total = event.total === undefined ? '' : ` of ${formatBytes(event.total)}`;
        return console.live(`data: downloading ${event.url}: ${formatBytes(event.bytes)}${total}`);
      }
      case 'retry':
        return console.say(`data: ${event.url}: ${event.reason}; next try from ${event.nextUrl}`);
      case 'verified':
        console.settle();
        return console.say(`data: ${event.path} downloaded and verified`);
      default:
        event satisfies never;
    }
  };
}
