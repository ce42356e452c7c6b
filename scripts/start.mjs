// `npm start`: set-up, then `gradwire train` with whatever options were given. A first run shows one epoch of the
// recipe: a quarter of a minute instead of minutes.
import { existsSync } from 'node:fs';
import { setUp } from './setup.mjs';

setUp();
const { main } = await import('../apps/cli/dist/main.js');
const given = process.argv.slice(2);
const hasLength =
  given.some((arg) => /^(-h|--(epochs|steps|help|print-config|config)\b)/.test(arg)) ||
  ['GRADWIRE_EPOCHS', 'GRADWIRE_STEPS'].some((name) => name in process.env) ||
  existsSync('gradwire.config.json');
if (!hasLength)
  console.error('One epoch, for a first look; all ten of the article: npm start -- --epochs 10');
await main(['train', ...(hasLength ? [] : ['--epochs', '1']), ...given]);
