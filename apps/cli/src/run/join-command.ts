import { networkInterfaces } from 'node:os';

/** Where workers can reach a coordinator. */
export interface JoinAddress {
  readonly host: string;
  readonly port: number;
  readonly token: string;
}

/** The exact commands that join a run: one for each address under which this machine may be reached. */
export function joinCommands({ host, port, token }: JoinAddress): string[] {
  return addresses(host).map((address) => `gradwire worker ws://${bracket(address)}:${port}#${token}`);
}

function addresses(host: string): string[] {
  if (host !== '0.0.0.0' && host !== '::') return [host];
  const outside = Object.values(networkInterfaces())
    .flat()
    .filter((address) => address !== undefined && !address.internal && !address.address.startsWith('fe80'))
    .filter((address) => host === '::' || address?.family === 'IPv4')
    .map((address) => address?.address ?? '');
  return outside.length > 0 ? outside : ['127.0.0.1'];
}

function bracket(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
