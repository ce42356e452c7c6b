import { configDefaults, defineConfig } from 'vitest/config';

// Tests read the packages' sources (the `source` condition), so no build is needed for unit tests;
// tests that start real processes use the built command.
const conditions = ['source', 'node', 'import', 'module', 'default'];

/** Compare times. */
const speed = 'test/speed/*.test.ts';
/** Takes all cores for some minutes. */
const manySeeds = 'test/simulation/many-seeds.test.ts';

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'tests',
          include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, speed, manySeeds],
        },
      },
      // After the others and by themselves: their times should say something, and the others should not suffer.
      {
        extends: true,
        test: { name: 'speed', include: [speed], maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
      { extends: true, test: { name: 'seeds', include: [manySeeds], sequence: { groupOrder: 2 } } },
    ],
  },
});
