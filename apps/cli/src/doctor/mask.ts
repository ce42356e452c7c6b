import { homedir } from 'node:os';

/** What must not be in a text that people paste into a public place. */
export interface MaskOptions {
  readonly home?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const masked = '(secret)';
const secretName = /token|secret|password|passwd|credential|auth|key$/i;

/** Whether the value of an environment variable of that name is a secret. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/**
 * Takes secrets out of every text within a JSON-like value: join tokens in addresses, user names and passwords in URLs,
 * the values of environment variables with names such as `GRADWIRE_TOKEN`; the home directory becomes `~`.
 */
export function mask<T>(value: T, { home = homedir(), env = process.env }: MaskOptions = {}): T {
  const secrets = Object.entries(env).flatMap(([name, text = '']) =>
    isSecretName(name) && text.length >= 6 ? [text] : [],
  );
  return maskAny(value, (text) => maskText(text, home, secrets)) as T;
}

function maskAny(value: unknown, maskOne: (text: string) => string): unknown {
  if (typeof value === 'string') return maskOne(value);
  if (Array.isArray(value)) return value.map((item) => maskAny(item, maskOne));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskAny(item, maskOne)]));
}

function maskText(text: string, home: string, secrets: readonly string[]): string {
  let out = text
    .replaceAll(/(\bwss?:\/\/[^\s#]+#)[^\s'"]+/g, `$1${masked}`)
    .replaceAll(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, `$1${masked}@`)
    .replaceAll(/\b(Bearer) +[^\s'"]+/gi, `$1 ${masked}`);
  for (const secret of secrets) out = out.replaceAll(secret, masked);
  // Only whole path segments: /home/ada must not turn /home/adam into ~m.
  return home.length > 1 ? out.replaceAll(new RegExp(`${escape(home)}(?![\\w.-])`, 'g'), '~') : out;
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
