import { GradwireError, toError } from '@gradwire/errors';
import { loadDataset } from '../datasets.ts';
import type { Check } from './check.ts';

/** Where the data set of the built-in recipes is found on this machine; its sums are compared on the way. */
export async function checkData(places: {
  dataDir?: string | undefined;
  cacheDir?: string | undefined;
}): Promise<Check> {
  const name = 'data mnist';
  const passedOver: string[] = [];
  try {
    const { source, train, test } = await loadDataset('mnist', {
      ...places,
      download: false,
      onEvent: (event) => {
        if (event.type === 'skipped') passedOver.push(`passed over ${event.source}: ${event.reason}`);
      },
    });
    const counts = [train.count, test.count].map((count) => count.toLocaleString('en-US')).join(' + ');
    const message = [`${source}, ${counts} images, SHA-256 verified`, ...passedOver].join('\n');
    return { name, status: 'ok', message, details: { source, train: train.count, test: test.count } };
  } catch (error) {
    const { message } = toError(error);
    const isAbsent =
      error instanceof GradwireError && error.code === 'DATA_NOT_FOUND' && places.dataDir === undefined;
    if (isAbsent) {
      return {
        name,
        status: 'note',
        message: 'not on this machine',
        hint: 'It will be downloaded when it is needed.',
      };
    }
    const hint = error instanceof GradwireError ? error.hint : undefined;
    return { name, status: 'problem', message, ...(hint === undefined ? {} : { hint }) };
  }
}
