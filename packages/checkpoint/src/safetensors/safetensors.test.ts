import { GradwireError } from '@gradwire/errors';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeSafetensors } from './decode.ts';
import { encodeSafetensors } from './encode.ts';
import { type ElementType, elementArrays, type NamedTensor } from './tensor.ts';

const bytesOf = ({ data }: NamedTensor) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

const tensor = fc
  .record({
    name: fc.string({ maxLength: 12, unit: 'binary' }).filter((name) => !/^__(proto|metadata)__$/.test(name)),
    type: fc.constantFrom(...(Object.keys(elementArrays) as ElementType[])),
    shape: fc.array(fc.nat({ max: 4 }), { maxLength: 3 }),
    seed: fc.uint8Array({ minLength: 512, maxLength: 512 }),
  })
  .map(({ name, type, shape, seed }): NamedTensor => {
    const length = shape.reduce((product, size) => product * size, 1);
    return { name, shape, data: new elementArrays[type](seed.buffer.slice(0), 0, length) };
  });
const tensors = fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 6 });

test('what is encoded is decoded, bit for bit, at any alignment', () => {
  const metadata = fc.dictionary(
    fc.string({ maxLength: 5 }).filter((key) => key !== '__proto__'),
    fc.string(),
  );
  fc.assert(
    fc.property(tensors, metadata, fc.nat({ max: 7 }), (list, texts, shift) => {
      const bytes = encodeSafetensors({ tensors: list, metadata: texts });
      const moved = new Uint8Array(bytes.length + shift);
      moved.set(bytes, shift);
      const decoded = decodeSafetensors(moved.subarray(shift));
      expect({ ...decoded.metadata }).toEqual({ ...texts });
      expect(decoded.tensors.map(describe).sort()).toEqual(list.map(describe).sort());
    }),
    { seed: 1, numRuns: 300 },
  );
});

const describe = (one: NamedTensor) =>
  `${JSON.stringify(one.name)} ${one.data.constructor.name} ${one.shape} ${bytesOf(one)}`;

test('scenario 11, files: NaN payloads, -0 and denormals keep their bits', () => {
  const bits = Uint32Array.of(0x7fc12345, 0xffc00001, 0x80000000, 0x00000001, 0x7f800000);
  const data = new Float32Array(bits.buffer);
  const [decoded] = decodeSafetensors(
    encodeSafetensors({ tensors: [{ name: 'w', shape: [5], data }] }),
  ).tensors;
  expect(new Uint32Array((decoded as NamedTensor).data.buffer)).toEqual(bits);
});

test('a Buffer out of Node’s shared pool decodes into arrays of its own', () => {
  const bytes = Buffer.from(
    encodeSafetensors({ tensors: [{ name: 'w', shape: [2], data: Float32Array.of(1, 2) }] }),
  );
  const [decoded] = decodeSafetensors(bytes).tensors;
  bytes.fill(0);
  expect(decoded?.data).toEqual(Float32Array.of(1, 2));
});

test('a file with the known bytes of the format', () => {
  const bytes = encodeSafetensors({ tensors: [{ name: 'w', shape: [1], data: Float32Array.of(1) }] });
  const header = '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'.padEnd(56);
  expect(Buffer.from(bytes).toString('latin1')).toBe(`\x38\0\0\0\0\0\0\0${header}\0\0\x80?`);
});

/** A file with that header, and `size` bytes of tensors. */
function file(header: string, size = 0): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (start: number, end: number, { shape = `[${(end - start) / 4}]`, type = 'F32' } = {}) =>
  `{"dtype":"${type}","shape":${shape},"data_offsets":[${start},${end}]}`;
const huge = new Uint8Array(16).fill(255);

test.each<[string, Uint8Array, RegExp]>([
  ['no bytes', new Uint8Array(), /expected at least 8 bytes, found 0/],
  ['a header longer than the file', huge, /a header of at most 8 bytes, found 18446744073709551615/],
  ['no object', file('[1]'), /starts with \{/],
  ['a byte order mark', file('\ufeff{}'), /starts with \{/],
  ['broken UTF-8', Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0x7d), /UTF-8/],
  ['broken JSON', file('{"a":'), /header in JSON/],
  ['two objects', file('{}{}'), /header in JSON/],
  ['bytes after the tensors', file(`{"a":${entry(0, 4)}}`, 5), /expected 4 bytes of tensors, found 5/],
  ['bytes missing', file(`{"a":${entry(0, 8)}}`, 4), /expected 8 bytes of tensors, found 4/],
  ['a hole', file(`{"a":${entry(0, 4)},"b":${entry(8, 12)}}`, 12), /tensor "b" at byte 4, found 8/],
  ['a hole at the start', file(`{"a":${entry(4, 8)}}`, 8), /tensor "a" at byte 0, found 4/],
  ['an overlap', file(`{"a":${entry(0, 8)},"b":${entry(4, 8)}}`, 8), /tensor "b" at byte 8, found 4/],
  ['the same bytes twice', file(`{"a":${entry(0, 4)},"b":${entry(0, 4)}}`, 4), /at byte 4, found 0/],
  [
    'a shape of another size',
    file(`{"a":${entry(0, 4, { shape: '[2]' })}}`, 4),
    /expected tensor "a" with 8 bytes, found 4/,
  ],
  [
    'a shape that overflows',
    file(`{"a":${entry(0, 0, { shape: '[9007199254740991,1024,0]' })}}`),
    /whole numbers/,
  ],
  ['a negative size', file(`{"a":${entry(0, 4, { shape: '[-1,-1]' })}}`, 4), /whole numbers/],
  ['a fraction', file(`{"a":${entry(0, 4, { shape: '[0.5,2]' })}}`, 4), /whole numbers/],
  ['no shape', file('{"a":{"dtype":"F32","data_offsets":[0,4]}}', 4), /whole numbers/],
  ['offsets that run backwards', file(`{"a":${entry(4, 0, { shape: '[0]' })}}`, 4), /data_offsets/],
  ['three offsets', file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}', 4), /data_offsets/],
  ['unknown type', file(`{"a":${entry(0, 4, { type: 'Q4' })}}`, 4), /of type F64, F32, .* found Q4/],
  ['a type from the prototype', file(`{"a":${entry(0, 4, { type: 'toString' })}}`, 4), /found toString/],
  ['another setting', file('{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0],"x":1}}'), /only, found x/],
  ['a key twice', file(`{"a":${entry(0, 4)},"a":${entry(4, 8)}}`, 8), /the key "a" once, found it twice/],
  ['a key twice in two spellings', file(`{"a":${entry(0, 4)},"\\u0061" :${entry(4, 8)}}`, 8), /"a" once/],
  [
    'an inner key twice',
    file('{"a":{"dtype":"F32","dtype":"F32","shape":[0],"data_offsets":[0,0]}}'),
    /"dtype" once/,
  ],
  ['__proto__', file(`{"__proto__":${entry(0, 4)}}`, 4), /no key __proto__/],
  ['__proto__ in an entry', file('{"a":{"\\u005f_proto__":{}}}'), /no key __proto__/],
  ['__proto__ in the metadata', file('{"__metadata__":{"__proto__":"x"}}'), /no key __proto__/],
  ['a tensor that is no object', file('{"a":null}'), /an object for tensor "a"/],
  ['metadata of numbers', file('{"__metadata__":{"a":1}}'), /__metadata__ of texts/],
  ['deep nesting', file(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`), /nested three deep/],
  ['a type that is an object', file('{"a":{"dtype":{"toString":1}}}'), /found {"toString":1}/],
  // Found by fuzzing: looking for the end of each of these texts took minutes.
  ['a text without end', file(`{"${'\\"'.repeat(400_000)}`), /JSON/],
])('%s: refused', (_, bytes, message) => {
  expect(() => decodeSafetensors(bytes, { name: 'x.safetensors' })).toThrow(message);
  expect(() => decodeSafetensors(bytes)).toThrow(GradwireError);
});

test('a header above the limit is refused', () => {
  const bytes = file(`{${' '.repeat(100)}}`);
  expect(() => decodeSafetensors(bytes, { maxHeaderBytes: 50 })).toThrow(/at most 50 bytes, found 102/);
  expect(decodeSafetensors(bytes).tensors).toEqual([]);
});

test('any damaged file is refused with our error or decodes to whole tensors; nothing else is thrown', () => {
  const good = encodeSafetensors({
    tensors: [
      { name: 'a', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
      { name: 'b', shape: [3], data: Uint8Array.of(1, 2, 3) },
    ],
    metadata: { step: '7' },
  });
  let refused = 0;
  fc.assert(
    fc.property(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }), fc.boolean(), (at, value, cut) => {
      const bad = cut ? good.slice(0, at) : good.slice();
      if (!cut) bad[at] = value;
      try {
        const { tensors: list } = decodeSafetensors(bad);
        for (const one of list) expect(one.data.length).toBe(one.shape.reduce((a, b) => a * b, 1));
      } catch (error) {
        expect(error).toBeInstanceOf(GradwireError);
        refused++;
      }
      if (cut) expect(() => decodeSafetensors(bad)).toThrow(GradwireError);
    }),
    { seed: 1, numRuns: 2000 },
  );
  expect(refused).toBeGreaterThan(1000);
});

const encode =
  (...list: NamedTensor[]) =>
  () =>
    encodeSafetensors({ tensors: list });

test("a caller's mistake is told", () => {
  const data = Float32Array.of(1);
  expect(encode({ name: 'a', shape: [2], data })).toThrow(/needs 2 elements, data has 1/);
  expect(encode({ name: 'a', shape: [1], data }, { name: 'a', shape: [1], data })).toThrow(/used twice/);
  expect(encode({ name: '__metadata__', shape: [1], data })).toThrow(/reserved/);
});
