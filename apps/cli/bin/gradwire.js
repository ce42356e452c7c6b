#!/usr/bin/env node
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `gradwire needs Node 20.19 or later, this is ${process.versions.node}. Install a newer Node from nodejs.org.`,
  );
  process.exit(2);
}

const { main } = await import('../dist/main.js').catch((error) => {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  console.error(
    `gradwire is not built yet: run "npm start" or "pnpm build" in the repository first.\n(${error.message})`,
  );
  process.exit(2);
});
await main(process.argv.slice(2));
