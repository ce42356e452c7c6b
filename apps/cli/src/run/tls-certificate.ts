import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import { link, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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
  const pem = (await readKept(file)) ?? (await keep(file, await makeCertificate()));
  return { cert: pem, key: pem };
}

/** Undefined if there is none that is good. */
async function readKept(file: string): Promise<string | undefined> {
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  return kept !== undefined && isGoodFor(kept, 30) ? kept : undefined;
}

async function makeCertificate(): Promise<string> {
  const { generate } = await import('selfsigned');
  const notAfterDate = new Date(Date.now() + 3_650 * dayMs);
  const pems = await generate([{ name: 'commonName', value: 'gradwire' }], { keyType: 'ec', notAfterDate });
  return `${pems.cert.trim()}\n${pems.private.trim()}\n`;
}

/** Keeps a certificate, unless another start was faster: returns the one that is kept. */
async function keep(file: string, pem: string): Promise<string> {
  await makeFolder(dirname(file));
  const draft = `${file}.${randomUUID()}`;
  await writeFileWhole(draft, pem, { mode: 0o600 });
  try {
    // Of several starts at once one succeeds; a rename would take the others' certificate from under them.
    await link(draft, file);
  } catch {
    const other = await readKept(file);
    if (other !== undefined) return other;
  } finally {
    await rm(draft, { force: true });
  }
  // What is there is damaged, or ours without a sync of its name; or this disk has no links.
  await writeFileWhole(file, pem, { mode: 0o600 });
  return pem;
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new GradwireError('FILE_WRITE_FAILED', `${folder} cannot be made (${toError(cause).message})`, {
      cause,
      hint: 'Give a folder that you can write to with --cache-dir.',
    });
  }
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
