import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ParameterLayout } from '@gradwire/engine';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodeSafetensors } from '../safetensors/decode.ts';
import { sha256, weightsSha256 } from '../sha256.ts';
import { readModel } from './read-model.ts';
import { type ModelContent, writeModel } from './write-model.ts';

const layout: ParameterLayout = {
  size: 6,
  parameters: [
    { name: 'dense/kernel', shape: [2, 2], offset: 0, size: 4, role: 'kernel' },
    { name: 'dense/bias', shape: [2], offset: 4, size: 2, role: 'bias' },
  ],
};
const weights = Float32Array.of(1, -0, 3.5, 1e-42, 5, 6);
const content: ModelContent = {
  layout,
  weights,
  artifacts: {
    modelTopology: { class_name: 'Sequential', config: { name: 'x', layers: [] } },
    weightSpecs: layout.parameters.map(({ name, shape }) => ({ name, shape, dtype: 'float32' })),
    weightData: weights.slice().buffer,
  },
  extras: {
    recipe: { name: 'mine' },
    statistics: { mean: [0.13], deviation: [0.3] },
    classNames: ['no', 'yes'],
  },
};

let root: string;
let run: string;
let model: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gradwire-model-'));
  run = join(root, '0001-mine');
  model = join(run, 'model');
  await writeModel(model, content);
});
afterEach(() => rm(root, { recursive: true }));

test('a model comes back from its directory, its run, latest (link and text) and its JSON files', async () => {
  await symlink('0001-mine', join(root, 'latest'));
  await mkdir(join(root, 'copy'));
  await writeFile(join(root, 'copy', 'latest'), '0001-mine\n');
  await symlink(run, join(root, 'copy', '0001-mine'));
  const paths = [model, run, join(root, 'latest'), join(root, 'copy', 'latest'), join(model, 'model.json')];
  for (const path of paths) {
    const read = await readModel(path);
    expect(new Uint8Array(read.weights.buffer)).toEqual(new Uint8Array(weights.buffer));
    expect(read).toMatchObject({ ...content.extras, layout, weightsSha256: weightsSha256(weights) });
    expect(read.artifacts).toEqual({ ...content.artifacts, generatedBy: 'Gradwire' });
  }
});

test('the files are those of tfjs and safetensors', async () => {
  expect((await readdir(model)).sort()).toEqual([
    'gradwire.json',
    'model.json',
    'weights.bin',
    'weights.safetensors',
  ]);
  const topology = JSON.parse(await readFile(join(model, 'model.json'), 'utf8'));
  expect(topology.format).toBe('layers-model');
  expect(topology.weightsManifest).toEqual([
    { paths: ['weights.bin'], weights: content.artifacts.weightSpecs },
  ]);
  expect(sha256(await readFile(join(model, 'weights.bin')))).toBe(weightsSha256(weights));
  const { tensors, metadata } = decodeSafetensors(await readFile(join(model, 'weights.safetensors')));
  expect(tensors.map(({ name, data }) => [name, ...data])).toEqual([
    ['dense/kernel', 1, -0, 3.5, Math.fround(1e-42)],
    ['dense/bias', 5, 6],
  ]);
  expect(JSON.parse(metadata['classNames'] as string)).toEqual(['no', 'yes']);
});

const names = ['model.json', 'weights.bin', 'weights.safetensors'];

test.each(names)('a changed, cut or missing %s is found', async (name) => {
  const path = join(model, name);
  const bytes = await readFile(path);
  const corrupt = { code: 'FILE_CORRUPT', message: expect.stringContaining(path) };
  bytes[bytes.length - 2] = (bytes.at(-2) ?? 0) ^ 1;
  await writeFile(path, bytes);
  await expect(readModel(run)).rejects.toMatchObject(corrupt);
  await truncate(path, 3);
  await expect(readModel(run)).rejects.toMatchObject(corrupt);
  await unlink(path);
  await expect(readModel(run)).rejects.toMatchObject(corrupt);
});

test.each<[string, (manifest: Record<string, unknown>) => object]>([
  ['another version', (old) => ({ ...old, format: 'gradwire-model/2' })],
  ['another sum', (old) => ({ ...old, weightsSha256: '0'.repeat(64) })],
  [
    'a path outside',
    ({ files, ...old }) => ({ ...old, files: { ...(files as object), '../../x': { bytes: 1 } } }),
  ],
  [
    'a layout with a hole',
    (old) => ({ ...old, layout: { ...layout, parameters: layout.parameters.slice(1) } }),
  ],
  [
    'a layout of another size',
    (old) => ({ ...old, layout: { size: 4, parameters: layout.parameters.slice(0, 1) } }),
  ],
  ['no class names', (old) => ({ ...old, classNames: undefined })],
  ['a deviation of 0', (old) => ({ ...old, statistics: { mean: [0], deviation: [0] } })],
])('a manifest with %s is refused', async (_, change) => {
  const path = join(model, 'gradwire.json');
  await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')))));
  await expect(readModel(model)).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
});

test.each<[string, (topology: Record<string, unknown>) => unknown]>([
  ['no JSON', () => undefined],
  ['a list', () => []],
  ['no list of weights', (old) => ({ ...old, weightsManifest: [] })],
  ['weights that are none', (old) => ({ ...old, weightsManifest: [{ weights: [{ name: 'w' }] }] })],
  ['no topology', (old) => ({ ...old, modelTopology: null })],
])('a topology with %s is refused, though its sum fits', async (_, change) => {
  const path = join(model, 'model.json');
  const bytes = Buffer.from(JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')))) ?? '');
  await writeFile(path, bytes);
  const manifestPath = join(model, 'gradwire.json');
  const manifest = JSON.parse(await readFile(manifestPath, 'utf8'));
  manifest.files['model.json'] = { bytes: bytes.length, sha256: sha256(bytes) };
  await writeFile(manifestPath, JSON.stringify(manifest));
  await expect(readModel(model)).rejects.toMatchObject({
    code: 'FILE_CORRUPT',
    message: expect.stringContaining(path),
  });
});

test.each([
  ['too long a name', 'x'.repeat(300), 'ENAMETOOLONG'],
  ['a link to itself', 'circle', 'ELOOP'],
])('%s is no model, with the path and the cause', async (_, name, cause) => {
  await symlink('circle', join(root, 'circle')).catch(() => undefined);
  const path = join(root, name);
  await expect(readModel(path)).rejects.toMatchObject({
    code: 'DATA_NOT_FOUND',
    message: expect.stringMatching(
      new RegExp(`^No model at ${path}: it cannot be read \\(${cause}`),
    ) as string,
    cause: { code: cause },
  });
});

test('a torn manifest is refused, a missing one is not a model', async () => {
  await truncate(join(model, 'gradwire.json'), 30);
  await expect(readModel(model)).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  await unlink(join(model, 'gradwire.json'));
  await expect(readModel(model)).rejects.toMatchObject({ code: 'DATA_NOT_FOUND' });
  await expect(readModel(join(root, 'absent'))).rejects.toMatchObject({ code: 'DATA_NOT_FOUND' });
  await expect(readModel(join(model, 'weights.bin'))).rejects.toMatchObject({ code: 'DATA_NOT_FOUND' });
});

test('weights that do not fit layout or artifacts are refused before anything is written', async () => {
  const directory = join(root, 'other');
  const other = { ...content, weights: Float32Array.of(1, 2, 3, 4, 5, 6) };
  await expect(writeModel(directory, other)).rejects.toThrow(/same bytes as weights/);
  await expect(writeModel(directory, { ...content, weights: weights.slice(1) })).rejects.toThrow(
    /6 elements/,
  );
  expect(await readdir(root)).toEqual(['0001-mine']);
});
