/** What happens while data is looked for and fetched; each is worth a line to a person. */
export type DataEvent =
  | {
      /** A place holds the data set, whole and verified. */
      readonly type: 'found';
      /** For people: `cache /home/ada/.cache/gradwire/mnist`. */
      readonly source: string;
    }
  | {
      /** A place was passed over. */
      readonly type: 'skipped';
      readonly source: string;
      readonly reason: string;
    }
  | {
      /** Another piece of a file arrived. There are many of these: show the latest from time to time. */
      readonly type: 'downloading';
      readonly url: string;
      /** Bytes on disk so far, those of an earlier attempt included. */
      readonly bytes: number;
      /** Bytes in all, if the server said so. */
      readonly total: number | undefined;
    }
  | {
      /** An attempt failed and another begins. */
      readonly type: 'retry';
      /** The address that failed. */
      readonly url: string;
      readonly reason: string;
      /** The address that is tried next. */
      readonly nextUrl: string;
      /** The wait before it. */
      readonly delayMs: number;
    }
  | {
      /** A downloaded file is complete, has the expected sum and is in its place. */
      readonly type: 'verified';
      readonly path: string;
      readonly sha256: string;
    };

/** Receives {@link DataEvent}s; must not throw. */
export type DataEventListener = (event: DataEvent) => void;
