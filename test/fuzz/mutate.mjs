import * as fc from 'fast-check';

// Structure-aware mutation: valid inputs, changed in a few places, reach further into a decoder than random bytes do.

const edgeIntegers = [
  0,
  1,
  2,
  3,
  7,
  8,
  15,
  16,
  100,
  127,
  128,
  255,
  256,
  1024,
  32_767,
  65_535,
  65_536,
  2 ** 20,
  2 ** 24,
];
const edges32 = [...edgeIntegers, 2 ** 28, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

const byteChange = fc.record({
  kind: fc.constantFrom('set', 'flip', 'cut', 'insert', 'remove', 'repeat', 'u16', 'u32', 'u64', 'copy'),
  near: fc.boolean(),
  at: fc.nat({ max: 2 ** 31 - 1 }),
  value: fc.nat({ max: 255 }),
  number: fc.constantFrom(...edges32),
  little: fc.boolean(),
  length: fc.nat({ max: 64 }),
});

/** Valid byte strings with up to six changes, and, one time in ten, random bytes. */
export function bytesFrom(samples) {
  const changed = fc
    .tuple(fc.constantFrom(...samples), fc.array(byteChange, { minLength: 1, maxLength: 6 }))
    .map(([sample, changes]) => changes.reduce(changeBytes, sample));
  return fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
    { weight: 9, arbitrary: changed },
  );
}

/** As {@link bytesFrom}, of one sample that is known later only. */
export const byteChanges = fc.array(byteChange, { maxLength: 4 });

/** Applies one change; the input is left as it is. */
export function changeBytes(bytes, { kind, near, at, value, number, little, length }) {
  const place = bytes.length === 0 ? 0 : at % (near ? Math.min(64, bytes.length) : bytes.length);
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  const range = after.subarray(0, length);
  const overwrite = (size, write) => {
    const copy = new Uint8Array(Math.max(bytes.length, place + size));
    copy.set(bytes);
    write(new DataView(copy.buffer));
    return copy;
  };
  switch (kind) {
    case 'set':
      return overwrite(1, (view) => view.setUint8(place, value));
    case 'flip':
      return overwrite(1, (view) => view.setUint8(place, (bytes[place] ?? 0) ^ (1 << (value & 7))));
    case 'u16':
      return overwrite(2, (view) => view.setUint16(place, number, little));
    case 'u32':
      return overwrite(4, (view) => view.setUint32(place, number, little));
    case 'u64':
      return overwrite(8, (view) => view.setBigUint64(place, BigInt(number) << BigInt(value & 31), little));
    case 'cut':
      return before;
    case 'insert':
      return joinBytes(before, new Uint8Array(length).fill(value), after);
    case 'remove':
      return joinBytes(before, after.subarray(length));
    case 'repeat':
      return joinBytes(before, range, range, after);
    case 'copy':
      return joinBytes(before, range, bytes.subarray(0, length), after.subarray(length));
  }
}

export function joinBytes(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.length;
  }
  return whole;
}

const nested = (depth, inner = 1) => {
  let value = inner;
  for (let i = 0; i < depth; i++) value = i % 2 ? { a: value } : [value];
  return value;
};

/** Stands for lists inside each other, deeper than anything recursive can go: {@link jsonOf} puts them there. */
const deepMark = '(deep)';
const deepText = '['.repeat(20_000) + ']'.repeat(20_000);

/** The value as JSON; empty if it has none. */
export function jsonOf(value) {
  return (JSON.stringify(value) ?? '').replace(`"${deepMark}"`, deepText);
}

const oddValues = [
  deepMark,
  null,
  true,
  false,
  -0,
  -1,
  0.5,
  1e308,
  -1e308,
  5e-324,
  2 ** 53,
  2 ** 53 + 2,
  -(2 ** 31),
  NaN,
  Infinity,
  ...edges32,
  '',
  '0',
  'x'.repeat(300),
  'x'.repeat(5_000),
  '__proto__',
  'constructor',
  '../../../etc/passwd',
  '\u0000',
  '\u001b[2J',
  '\ud800',
  '漢字🙂',
  'a'.repeat(64),
  [],
  {},
  [[]],
  [null],
  Array(300).fill(0),
  Array.from({ length: 300 }, () => ({ type: 'dense', units: 65_536 })),
  nested(6),
  nested(200),
  { length: 3 },
  { type: 'dense' },
  { valueOf: 1, toString: 2 },
];

const valueChange = fc.record({
  kind: fc.constantFrom('odd', 'odd', 'odd', 'drop', 'rename', 'add', 'repeat', 'swap', 'tweak', 'tweak'),
  at: fc.nat({ max: 2 ** 31 - 1 }),
  to: fc.nat({ max: 2 ** 31 - 1 }),
  odd: fc.constantFrom(...oddValues),
  key: fc.oneof(
    fc.constantFrom('__proto__', 'type', 'name', 'constructor', 'length', ''),
    fc.string({ maxLength: 6 }),
  ),
  tweak: fc.constantFrom(
    (x) => x + 1,
    (x) => x - 1,
    (x) => -x,
    (x) => x * 2,
    (x) => x / 3,
    (x) => x * 1e6,
  ),
});

/** Valid values made of plain objects, lists, texts and numbers, with up to four changes. */
export function valuesFrom(samples) {
  return fc
    .tuple(fc.constantFrom(...samples), fc.array(valueChange, { minLength: 1, maxLength: 4 }))
    .map(([sample, changes]) => changes.reduce(changeValue, sample));
}

function changeValue(value, { kind, at, to, odd, key, tweak }) {
  const root = { value: structuredClone(value) };
  const slots = slotsOf(root);
  const [parent, name] = slots[at % slots.length];
  const old = parent[name];
  if (kind === 'odd') put(parent, name, odd);
  if (kind === 'tweak') put(parent, name, typeof old === 'number' ? tweak(old) : odd);
  if (kind === 'swap') {
    const [otherParent, otherName] = slots[to % slots.length];
    put(parent, name, structuredClone(otherParent[otherName]));
  }
  if (kind === 'repeat' && Array.isArray(parent)) parent.splice(Number(name), 0, structuredClone(old));
  if (kind === 'drop') {
    if (Array.isArray(parent)) parent.splice(Number(name), 1);
    else if (parent !== root) delete parent[name];
  }
  if (kind === 'rename' && !Array.isArray(parent) && parent !== root) {
    delete parent[name];
    put(parent, key, old);
  }
  if (kind === 'add' && typeof old === 'object' && old !== null) put(old, key, odd);
  return root.value;
}

/** Also a key `__proto__` becomes an own property, as `JSON.parse` makes it. */
function put(parent, name, value) {
  if (Array.isArray(parent) && !/^\d+$/.test(String(name))) return;
  Object.defineProperty(parent, name, { value, writable: true, enumerable: true, configurable: true });
}

function slotsOf(root) {
  const slots = [];
  const open = [root];
  for (let next = open.pop(); next !== undefined && slots.length < 400; next = open.pop()) {
    for (const [name, inner] of Object.entries(next)) {
      slots.push([next, name]);
      if (typeof inner === 'object' && inner !== null) open.push(inner);
    }
  }
  return slots;
}
