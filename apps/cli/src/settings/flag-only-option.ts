import { Option } from 'commander';

/** An option that is given as a flag or not at all: a settings file's value of that name means something else. */
export class FlagOnlyOption extends Option {}
