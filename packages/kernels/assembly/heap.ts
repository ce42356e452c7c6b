// The heap belongs to tfjs: scratch space comes from its allocator, so both modules can share one memory.

declare function malloc(bytes: usize): usize;

/** Gives scratch space back. */
export declare function free(address: usize): void;

/** Scratch space, aligned to 8 bytes by the allocator; traps if there is none. Its contents are arbitrary. */
export function allocate(bytes: usize): usize {
  // SIMD loads may read up to 12 bytes past the last element; what they read there is never used.
  const address = malloc(bytes + 16);
  if (address == 0) unreachable();
  return address;
}

/** As {@link allocate}, filled with zeros. */
export function allocateZeros(bytes: usize): usize {
  const address = allocate(bytes);
  memory.fill(address, 0, bytes + 16);
  return address;
}
