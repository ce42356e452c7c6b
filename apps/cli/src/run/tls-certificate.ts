import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileWhole } from '@gradwire/checkpoint';
import type { TlsCertificate } from '@gradwire/coordinator';
import { defaultCacheDirectory } from '@gradwire/data/node';
import { GradwireError, toError } from '@gradwire/errors';

/** How TLS is asked for. */
export interface TlsSettings {
  readonly tls?: 'self-signed';
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly cacheDir?: string;
}

/** The certificate to serve with; undefined without TLS. Throws OPTION_INVALID, FILE_WRITE_FAILED. */
export async function loadCertificate(settings: TlsSettings): Promise<TlsCertificate | undefined> {
  const { tls, tlsCert, tlsKey, cacheDir = defaultCacheDirectory() } = settings;
  if (tls !== undefined && (tlsCert ?? tlsKey) !== undefined) {
    throw invalid(
      '--tls self-signed makes a certificate of its own, --tls-cert and --tls-key give one: choose',
    );
  }
  if (tls !== undefined) return ownCertificate(join(cacheDir, 'self-signed.pem'));
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) throw invalid('--tls-cert and --tls-key go together');
  return { cert: await readPem(tlsCert), key: await readPem(tlsKey) };
}

/** Kept, so that a coordinator that is started again still has the fingerprint that its workers know. */
async function ownCertificate(file: string): Promise<TlsCertificate> {
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  if (kept !== undefined && isGoodFor(kept, 30)) return { cert: kept, key: kept };
  const { generate } = await import('selfsigned');
  const notAfterDate = new Date(Date.now() + 3_650 * dayMs);
  const pems = await generate([{ name: 'commonName', value: 'gradwire' }], { keyType: 'ec', notAfterDate });
  const pem = `${pems.cert.trim()}\n${pems.private.trim()}\n`;
  await mkdir(join(file, '..'), { recursive: true });
  await writeFileWhole(file, pem, { mode: 0o600 });
  return { cert: pem, key: pem };
}

const dayMs = 86_400_000;

function isGoodFor(pem: string, days: number): boolean {
  try {
    const certificate = new X509Certificate(pem);
    const isValid = Date.parse(certificate.validTo) > Date.now() + days * dayMs;
    return isValid && certificate.checkPrivateKey(createPrivateKey(pem));
  } catch {
    return false;
  }
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new GradwireError('OPTION_INVALID', `${file}: cannot be read (${toError(cause).message})`, {
      cause,
    });
  }
}

function invalid(message: string): GradwireError {
  return new GradwireError('OPTION_INVALID', message, { hint: 'See gradwire coordinator --help.' });
}
