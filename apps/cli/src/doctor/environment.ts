import type { Check } from './check.ts';
import { isSecretName } from './mask.ts';

const relevant =
  /^(GRADWIRE_|TFJS_NODE_|TF_(CPP|NUM|ENABLE|DISABLE|FORCE|XLA)_|OMP_NUM_THREADS$|NODE_OPTIONS$|NODE_EXTRA_CA_CERTS$|XDG_CACHE_HOME$|(HTTPS?|ALL|NO)_PROXY$)/i;

/** The environment variables that change what Gradwire does, secrets masked. */
export function checkEnvironment(env: Readonly<Record<string, string | undefined>> = process.env): Check {
  const names = Object.keys(env).filter((name) => relevant.test(name));
  const settings = names
    .sort()
    .map((name) => [name, isSecretName(name) ? '(secret)' : (env[name] ?? '')] as const);
  const message =
    settings.map(([name, value]) => `${name}=${value}`).join('\n') || 'nothing that matters is set';
  return { name: 'environment', status: 'ok', message, details: Object.fromEntries(settings) };
}
