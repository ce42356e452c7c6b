// `npm run chaos`: set-up, then the driver; arguments go to it (`npm run chaos -- kill stop --minutes 60`).
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setUp } from './setup.mjs';

setUp();
const script = fileURLToPath(new URL('../test/chaos/run.mjs', import.meta.url));
const { status } = spawnSync(process.execPath, [script, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(status ?? 1);
