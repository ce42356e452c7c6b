/**
 * Version of the message set. Both sides must speak the same one; `hello` and `welcome` carry it.
 * It grows by one with every change that an older peer would misread; the frame and those two fields never change.
 */
export const protocolVersion = 4;
