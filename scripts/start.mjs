// `npm start`: set-up, then `gradwire train` with whatever options were given.
import { setUp } from './setup.mjs';

setUp();
const { main } = await import('../apps/cli/dist/main.js');
await main(['train', ...process.argv.slice(2)]);
