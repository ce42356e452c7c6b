import * as v from 'valibot';
import { isCleanText } from './clean-text.ts';
import { bounds, maxParameters } from './limits.ts';
import type { Message } from './messages.ts';
import { type TensorHeader, tensorFields } from './tensor-fields.ts';

type TensorFieldName = 'values' | 'gradient' | 'metrics' | 'codec';

/** What the header of a message type holds: its fields without the tensors, which are only announced. */
export type HeaderOf<M extends Message> = M extends Message
  ? Omit<M, TensorFieldName> & { readonly tensors?: readonly TensorHeader[] }
  : never;

const maxUint32 = 2 ** 32 - 1;
const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(maxUint32));
const finite = v.pipe(v.number(), v.finite());
const sha256 = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 sum in lower-case hexadecimal'),
);

function text(maxLength: number) {
  return v.pipe(
    v.string(),
    v.maxLength(maxLength),
    v.check(isCleanText, 'expected no control characters but newline and tab'),
  );
}

/** A name is one line and not empty. */
const name = v.pipe(
  text(bounds.name),
  v.minLength(1),
  v.check((value) => !/[\n\t]/.test(value), 'expected one line'),
);

/** Shards or leaves. */
const indices = v.pipe(
  v.array(count),
  v.maxLength(bounds.leaves),
  v.check(
    (list) => list.every((value, index) => index === 0 || value > (list[index - 1] ?? 0)),
    'expected ascending numbers, each once',
  ),
);

/** Exactly the tensors of the message type, in order. */
function tensors(type: Message['type']) {
  const entries = (tensorFields[type] ?? []).map((field) =>
    v.strictObject({
      name: v.literal(field.name),
      dtype: v.picklist(field.dtypes),
      count: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(maxParameters)),
    }),
  );
  return v.strictTuple(entries);
}

const statistics = v.pipe(
  v.strictObject({
    mean: v.pipe(v.array(finite), v.maxLength(bounds.channels)),
    deviation: v.pipe(v.array(v.pipe(finite, v.gtValue(0))), v.maxLength(bounds.channels)),
  }),
  v.check(({ mean, deviation }) => mean.length === deviation.length, 'expected as many means as deviations'),
);

const coding = v.pipe(
  v.strictObject({
    codec: v.picklist(['bfloat16', 'float16', 'int8', 'top-k']),
    shards: v.pipe(count, v.minValue(1), v.maxValue(bounds.leaves)),
    share: v.exactOptional(v.pipe(finite, v.gtValue(0), v.maxValue(0.5))),
  }),
  v.check(({ shards }) => (shards & (shards - 1)) === 0, 'expected a power of two as shards'),
  v.check(
    ({ codec, share }) => (codec === 'top-k') === (share !== undefined),
    'expected a share if, and only if, the codec is "top-k"',
  ),
);

const feedback = v.strictObject({
  since: count,
  isLast: v.boolean(),
  isReplay: v.exactOptional(v.literal(true)),
});

const lease = v.pipe(
  v.strictObject({
    type: v.literal('lease'),
    term: count,
    round: count,
    task: v.picklist(['step', 'evaluate']),
    version: count,
    step: count,
    epoch: count,
    split: v.exactOptional(v.picklist(['validation', 'test'])),
    leaves: v.pipe(indices, v.minLength(1)),
    leafCount: count,
    coding: v.exactOptional(coding),
    feedback: v.exactOptional(feedback),
  }),
  v.check(
    ({ coding: given, feedback: more }) => more === undefined || given !== undefined,
    'expected no feedback without a coding',
  ),
  v.check(
    ({ version, feedback: given }) => given === undefined || given.since <= version,
    'expected feedback since this version or an earlier one',
  ),
  v.check(
    ({ task, coding: given }) => task === 'step' || given === undefined,
    'expected no coding of an evaluation',
  ),
  v.check(
    ({ task, split }) => (task === 'evaluate') === (split !== undefined),
    'expected a split if, and only if, the task is "evaluate"',
  ),
  v.check(({ leaves, leafCount }) => (leaves.at(-1) ?? 0) < leafCount, 'expected leaves below leafCount'),
);

const partial = v.pipe(
  v.strictObject({
    type: v.literal('partial'),
    term: count,
    round: count,
    lo: count,
    hi: count,
    samples: count,
    computeMs: v.pipe(finite, v.minValue(0)),
    tensors: tensors('partial'),
  }),
  v.check(({ lo, hi }) => lo < hi, 'expected lo below hi'),
);

/** The schema of each message type's header. Objects are strict: an unknown key is an error. */
export const headerSchemas: {
  readonly [Type in Message['type']]: v.GenericSchema<unknown, HeaderOf<Extract<Message, { type: Type }>>>;
} = {
  hello: v.strictObject({
    type: v.literal('hello'),
    protocol: count,
    software: name,
    name,
    backend: v.picklist(['wasm', 'native', 'browser']),
    threads: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(bounds.threads)),
    recipeHash: v.exactOptional(sha256),
  }),
  welcome: v.strictObject({
    type: v.literal('welcome'),
    protocol: count,
    run: name,
    runId: name,
    term: count,
    worker: name,
    recipe: v.pipe(v.string(), v.maxLength(bounds.recipe)),
    recipeHash: sha256,
    manifests: v.strictObject({ train: sha256, test: sha256 }),
    statistics,
  }),
  ready: v.strictObject({ type: v.literal('ready'), numericsClass: name }),
  prepare: v.strictObject({ type: v.literal('prepare'), shards: indices }),
  prepared: v.strictObject({ type: v.literal('prepared'), shards: indices, fetchedBytes: count }),
  weights: v.strictObject({ type: v.literal('weights'), version: count, tensors: tensors('weights') }),
  lease,
  partial,
  failed: v.strictObject({
    type: v.literal('failed'),
    code: name,
    message: text(bounds.text),
    stack: text(bounds.stack),
    log: v.pipe(v.array(text(bounds.text)), v.maxLength(bounds.logLines)),
    round: v.exactOptional(count),
    leaf: v.exactOptional(count),
  }),
  leave: v.strictObject({ type: v.literal('leave'), reason: text(bounds.text) }),
  end: v.strictObject({
    type: v.literal('end'),
    outcome: v.picklist(['finished', 'stopped', 'failed', 'released']),
    message: text(bounds.text),
  }),
};

/** What is wrong with a header, for example `leaves: expected ascending numbers, each once`; undefined if nothing is. */
export function findHeaderProblem(
  header: Readonly<Record<string, unknown>>,
  type: Message['type'],
): string | undefined {
  const result = v.safeParse(headerSchemas[type], header, { abortEarly: true });
  if (result.success) return undefined;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  return path === null ? issue.message : `${path}: ${issue.message}`;
}
