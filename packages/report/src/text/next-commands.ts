/** A command to type, and what it does. */
export interface NextCommand {
  readonly label: string;
  readonly command: string;
}

/**
 * The commands that resume (a run that did not finish), evaluate, use and repeat a run.
 *
 * @param directory - the run directory, as a person would type it.
 * @param options - how the command is called, default `gradwire`; further arguments of the command that repeats the run;
 * the command that resumes it and its arguments, if it can be resumed.
 */
export function nextCommands(
  directory: string,
  options: {
    readonly program?: string;
    readonly repeat?: readonly string[];
    readonly resume?: readonly string[];
  } = {},
): NextCommand[] {
  const { program = 'gradwire', repeat = [], resume } = options;
  const again = ['train', '--recipe', `${directory}/recipe.json`, ...repeat].map(quote).join(' ');
  const goOn =
    resume && [...resume.slice(0, 1), '--resume', directory, ...resume.slice(1)].map(quote).join(' ');
  return [
    ...(goOn === undefined ? [] : [{ label: 'resume', command: `${program} ${goOn}` }]),
    { label: 'evaluate', command: `${program} evaluate ${quote(directory)}` },
    { label: 'predict', command: `${program} predict ${quote(directory)} image.png` },
    { label: 'repeat', command: `${program} ${again}` },
  ];
}

/** An argument of a command as a person would type it: in quotation marks if a shell would read it otherwise. */
export function quote(path: string): string {
  return /^[\w./:@%+,\\-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
