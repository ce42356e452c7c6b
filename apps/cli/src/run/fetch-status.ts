import type { RunStatus } from '@gradwire/coordinator';
import { GradwireError } from '@gradwire/errors';
import { createCoordinatorClient } from '@gradwire/transport';
import type { CoordinatorAddress } from '../settings/parse-address.ts';

/** Asks a coordinator where its run stands; an observer's token will do. Throws as the client, and MESSAGE_INVALID. */
export async function fetchStatus(
  { url, token }: CoordinatorAddress,
  signal: AbortSignal,
): Promise<RunStatus> {
  const client = createCoordinatorClient({ url, token, role: 'observer' });
  const body = await client.request({ path: '/status', signal });
  try {
    return JSON.parse(new TextDecoder().decode(body)) as RunStatus;
  } catch (cause) {
    throw new GradwireError('MESSAGE_INVALID', `${url} answered with a status that is not JSON`, { cause });
  }
}
