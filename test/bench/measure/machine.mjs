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
    load: loadavg()[0],
    commit: git('rev-parse', '--short=10', 'HEAD'),
    versions: {
      gradwire: version('apps/cli'),
      node: process.versions.node,
      tfjs: version('test/node_modules/@tensorflow/tfjs-core'),
      ...peerVersions(),
    },
  };
}

function git(...args) {
  return spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.trim();
}

function version(folder) {
  return JSON.parse(readFileSync(new URL(`${folder}/package.json`, root), 'utf8')).version;
}
