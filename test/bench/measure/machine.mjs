import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { peerVersions } from './peers.mjs';

const root = new URL('../../../', import.meta.url);

/** What a result depends on besides the code: processor, cores, load, versions. */
export function describeMachine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}, ${release()}`,
    loadBefore: loadavg()[0],
    node: process.version,
    gradwire: version('apps/cli'),
    tfjs: version('test/node_modules/@tensorflow/tfjs-core'),
    commit: spawnSync('git', ['rev-parse', '--short=10', 'HEAD'], {
      cwd: root,
      encoding: 'utf8',
    }).stdout?.trim(),
    ...peerVersions(),
  };
}

function version(folder) {
  return JSON.parse(readFileSync(new URL(`${folder}/package.json`, root), 'utf8')).version;
}
