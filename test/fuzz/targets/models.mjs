import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { readModel, writeModel } from '@gradwire/checkpoint';
import { initialWeights, layersModelArtifacts, parameterLayout } from '@gradwire/models';
import { findRecipe, validateRecipe } from '@gradwire/recipes';
import * as fc from 'fast-check';
import { bytesFrom, jsonOf, valuesFrom } from '../mutate.mjs';

const topologyFile = 'model.json';
const manifestFile = 'gradwire.json';
const toBytes = (value) => Buffer.from(jsonOf(value));

/** The files of a stored model, as `evaluate` and `predict` read them; the sums in the manifest fit what was changed. */
export async function createTarget() {
  const recipe = findRecipe('mnist-logistic');
  const weights = initialWeights(recipe.model, recipe.seed);
  await writeModel('model', {
    artifacts: layersModelArtifacts({ spec: recipe.model, task: recipe.task }, weights),
    weights,
    layout: parameterLayout(recipe.model),
    extras: { recipe, classNames: [...'0123456789'], statistics: { mean: [0.1], deviation: [0.3] } },
  });
  const [topology, manifest] = [topologyFile, manifestFile].map((name) => readFileSync(`model/${name}`));
  const [topologyJson, manifestJson] = [topology, manifest].map((bytes) => JSON.parse(bytes.toString()));
  return {
    inputs: fc.oneof(
      { weight: 3, arbitrary: fc.record({ manifest: valuesFrom([manifestJson]).map(toBytes) }) },
      { weight: 1, arbitrary: fc.record({ manifest: bytesFrom([manifest]) }) },
      { weight: 3, arbitrary: fc.record({ topology: valuesFrom([topologyJson]).map(toBytes) }) },
      { weight: 1, arbitrary: fc.record({ topology: bytesFrom([topology]) }) },
    ),
    codes: ['FILE_CORRUPT', 'DATA_NOT_FOUND', 'RECIPE_INVALID'],
    async run({ manifest: changed, topology: other = topology }) {
      const sums = { bytes: other.length, sha256: createHash('sha256').update(other).digest('hex') };
      const fitting = toBytes({ ...manifestJson, files: { ...manifestJson.files, [topologyFile]: sums } });
      writeFileSync(`model/${topologyFile}`, other);
      writeFileSync(`model/${manifestFile}`, changed ?? fitting);
      const { recipe: found } = await readModel('model');
      validateRecipe(found);
    },
  };
}
