/** One thing that `gradwire doctor` looked at. */
export interface Check {
  /** For example `node` or `backend native`. */
  readonly name: string;
  /** `note`: worth knowing, but training works; `problem`: something that should work does not. */
  readonly status: 'ok' | 'note' | 'problem';
  /** What was found. Further lines are indented where they are shown. */
  readonly message: string;
  /** What a person can do about it. */
  readonly hint?: string;
  /** The figures behind the message, for programs. */
  readonly details?: Readonly<Record<string, unknown>>;
}
