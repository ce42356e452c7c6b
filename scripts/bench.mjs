// `npm run bench`: set-up, then the benchmarks; arguments go to them (`npm run bench -- loop --quick`).
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setUp } from './setup.mjs';

setUp();
const script = fileURLToPath(new URL('../test/bench/run.mjs', import.meta.url));
const { status } = spawnSync(process.execPath, [script, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(status ?? 1);
