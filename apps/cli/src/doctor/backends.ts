import { type BackendProbe, probeBackends } from '@gradwire/backend';
import type { Check } from './check.ts';

/** Which backends load, and why the others do not. Only wasm is essential, or the one that was asked for. */
export async function checkBackends(wanted: 'auto' | 'wasm' | 'native'): Promise<Check[]> {
  const probes = await probeBackends();
  return probes.map((probe) => toCheck(probe, wanted));
}

function toCheck({ name, ok, reason }: BackendProbe, wanted: 'auto' | 'wasm' | 'native'): Check {
  const found = { name: `backend ${name}`, details: { ok, reason } };
  if (ok) return { ...found, status: 'ok', message: 'works' };
  const isEssential = name === wanted || (wanted === 'auto' && name === 'wasm');
  return {
    ...found,
    status: isEssential ? 'problem' : 'note',
    message: `does not work: ${reason}`,
    hint:
      name === 'native'
        ? 'It is optional. To install it: gradwire native install'
        : 'Install Gradwire again.',
  };
}
