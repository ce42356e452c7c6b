/** A backend that is ready to compute. */
export interface PreparedBackend {
  readonly name: 'wasm' | 'native';
  /** For a person: what it is, in one line. */
  readonly description: string;
  /** SHA-256 (hex) that names the code which computes: equal hashes are needed, not sufficient, for equal bits. */
  readonly kernelHash: string;
  /** Version of the backend's package. */
  readonly version: string;
}

/** SHA-256 (hex) over the parts, each preceded by its length. */
export async function hashKernels(...parts: (string | Uint8Array)[]): Promise<string> {
  const encoder = new TextEncoder();
  const pieces = parts.flatMap((part) => {
    const bytes = typeof part === 'string' ? encoder.encode(part) : part;
    return [encoder.encode(`${bytes.length}:`), bytes];
  });
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', whole));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
