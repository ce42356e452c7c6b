/** A command to type, and what it does. */
export interface NextCommand {
  readonly label: string;
  readonly command: string;
}

/**
 * The commands that evaluate, use and repeat a run.
 *
 * @param directory - the run directory, as a person would type it.
 * @param options - how the command is called, default `gradwire`; further arguments of the command that repeats the run.
 */
export function nextCommands(
  directory: string,
  options: { readonly program?: string; readonly repeat?: readonly string[] } = {},
): NextCommand[] {
  const { program = 'gradwire', repeat = [] } = options;
  const again = ['train', '--recipe', `${directory}/recipe.json`, ...repeat].map(quote).join(' ');
  return [
    { label: 'evaluate', command: `${program} evaluate ${quote(directory)}` },
    { label: 'predict', command: `${program} predict ${quote(directory)} image.png` },
    { label: 'repeat', command: `${program} ${again}` },
  ];
}

/** In quotation marks if a shell would read the path otherwise. */
function quote(path: string): string {
  return /^[\w./:@%+,\\-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
