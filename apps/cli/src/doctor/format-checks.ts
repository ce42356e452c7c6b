import type { Check } from './check.ts';

/** The checks as plain text without colours, made to be pasted into a report. */
export function formatChecks(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const indent = ' '.repeat(statusWidth + 2 + width + 2);
  const lines = checks.flatMap(({ name, status, message, hint }) => {
    const [first = '', ...more] = message.split('\n');
    const todo = hint === undefined || status === 'ok' ? [] : [`to do: ${hint}`];
    return [
      `${status.padEnd(statusWidth)}  ${name.padEnd(width)}  ${first}`,
      ...[...more, ...todo].map((line) => indent + line),
    ];
  });
  return [...lines, '', verdict(checks)].join('\n');
}

const statusWidth = 'problem'.length;

function verdict(checks: readonly Check[]): string {
  const problems = checks.filter(({ status }) => status === 'problem').map(({ name }) => name);
  if (problems.length === 0) return 'Everything that Gradwire needs works here.';
  return `${problems.length === 1 ? '1 problem' : `${problems.length} problems`}: ${problems.join(', ')}.`;
}
