/** A command to type, and what it does. */
export interface NextCommand {
  readonly label: string;
  readonly command: string;
}

/**
 * The commands that evaluate, use and repeat a run.
 *
 * @param directory - the run directory, as a person would type it.
 * @param program - how the command is called, default `gradwire`.
 */
export function nextCommands(directory: string, program = 'gradwire'): NextCommand[] {
  return [
    { label: 'evaluate', command: `${program} evaluate ${quote(directory)}` },
    { label: 'predict', command: `${program} predict ${quote(directory)} image.png` },
    { label: 'repeat', command: `${program} train --recipe ${quote(`${directory}/recipe.json`)}` },
  ];
}

/** In quotation marks if a shell would read the path otherwise. */
function quote(path: string): string {
  return /^[\w./:@%+,\\-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
