// `npm run fuzz`: set-up, then the fuzzer; arguments go to it (`npm run fuzz -- frames --cases 1000`).
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setUp } from './setup.mjs';

setUp();
const script = fileURLToPath(new URL('../test/fuzz/run.mjs', import.meta.url));
const { status } = spawnSync(process.execPath, [script, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(status ?? 1);
