import { defineConfig } from 'vitest/config';

// Tests read the packages' sources (the `source` condition), so no build is needed for unit tests;
// tests that start real processes use the built command.
const conditions = ['source', 'node', 'import', 'module', 'default'];

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
