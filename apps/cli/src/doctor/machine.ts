import { readFile } from 'node:fs/promises';
import { arch, availableParallelism, cpus, freemem, platform, release, totalmem } from 'node:os';
import { version } from '../version.ts';
import type { Check } from './check.ts';

const enoughMemoryBytes = 1e9;

/** Gradwire's and Node's version, the system, its cores and its memory. */
export async function checkMachine(): Promise<Check[]> {
  return [checkNode(), checkSystem(), await checkCores(), checkMemory()];
}

function checkNode(): Check {
  const { node, v8, modules } = process.versions;
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const isRecent = major > 20 || (major === 20 && minor >= 19);
  return {
    name: 'versions',
    message: `gradwire ${version}, Node ${node} (V8 ${v8}, ABI ${modules})`,
    details: { gradwire: version, node },
    ...(isRecent
      ? { status: 'ok' }
      : { status: 'problem', hint: 'Install Node 20.19 or later from nodejs.org.' }),
  };
}

function checkSystem(): Check {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  const glibc = report.header?.glibcVersionRuntime;
  const library = platform() === 'linux' ? (glibc === undefined ? ', no glibc' : `, glibc ${glibc}`) : '';
  return {
    name: 'system',
    status: 'ok',
    message: `${platform()} ${arch()} ${release()}${library}`,
    details: { platform: platform(), arch: arch(), release: release(), glibc },
  };
}

async function checkCores(): Promise<Check> {
  const usable = availableParallelism();
  const quota = await cpuQuota();
  const limit = quota === undefined || quota >= usable ? '' : `, limited to the time of ${quota.toFixed(1)}`;
  const model = cpus()[0]?.model.trim() || 'unknown processor';
  return {
    name: 'cores',
    status: 'ok',
    message: `${usable} of ${cpus().length || usable} usable${limit} (${model})`,
    details: { usable, total: cpus().length, quota, model },
  };
}

/** Processors' worth of time that a Linux container may use; undefined without such a limit. */
async function cpuQuota(): Promise<number | undefined> {
  const text = await readFile('/sys/fs/cgroup/cpu.max', 'utf8').catch(() => '');
  const [quota, period] = text.split(/\s+/).map(Number);
  return quota !== undefined && period !== undefined && quota / period > 0 ? quota / period : undefined;
}

function checkMemory(): Check {
  const total = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  const free = process.availableMemory?.() ?? freemem();
  const isEnough = free >= enoughMemoryBytes;
  return {
    name: 'memory',
    message: `${gigabytes(total)}, ${gigabytes(free)} available`,
    details: { totalBytes: total, availableBytes: free },
    ...(isEnough
      ? { status: 'ok' }
      : { status: 'note', hint: 'A worker needs about 0.4 GB: start few of them.' }),
  };
}

/** Bytes for people. */
export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
