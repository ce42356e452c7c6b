/** How this command was called, so that the commands we print can be typed as they are. */
export function programName(env: NodeJS.ProcessEnv = process.env): string {
  if (env['npm_package_name'] !== 'gradwire-repository') return 'gradwire';
  return (env['npm_execpath'] ?? '').includes('pnpm') ? 'pnpm gradwire' : 'npm run gradwire --';
}
