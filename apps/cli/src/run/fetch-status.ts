import type { RunStatus } from '@gradwire/coordinator';
import { GradwireError } from '@gradwire/errors';
import { createCoordinatorClient } from '@gradwire/transport';
import type { CoordinatorAddress } from '../settings/parse-address.ts';

/**
 * Asks a coordinator where its run stands; an observer's token will do. Throws as the client, CONNECTION_FAILED also if
 * there is no answer within `answerMs`, and MESSAGE_INVALID.
 */
export async function fetchStatus(
  { url, token }: CoordinatorAddress,
  signal: AbortSignal,
  answerMs = 10_000,
): Promise<RunStatus> {
  const client = createCoordinatorClient({ url, token, role: 'observer' });
  const late = AbortSignal.timeout(answerMs);
  try {
    const body = await client.request({ path: '/status', signal: AbortSignal.any([signal, late]) });
    return parseStatus(body, url);
  } catch (error) {
    // Being asked here also keeps it: Node may collect a timeout that only `AbortSignal.any` knows, and then it never comes.
    if (!late.aborted || signal.aborted) throw error;
    throw silence(url, answerMs);
  }
}

function parseStatus(body: Uint8Array, url: string): RunStatus {
  try {
    return JSON.parse(new TextDecoder().decode(body)) as RunStatus;
  } catch (cause) {
    throw new GradwireError('MESSAGE_INVALID', `${url} answered with a status that is not JSON`, { cause });
  }
}

function silence(url: string, answerMs: number): GradwireError {
  const message = `the coordinator at ${url} did not answer within ${answerMs / 1000} s`;
  return new GradwireError('CONNECTION_FAILED', message, {
    hint: 'Check that its process is not stopped (Ctrl-Z; fg lets it go on) and that the network reaches its machine; then ask again.',
  });
}
