import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import { rolldown } from 'rolldown';

/** The browser of the system (Debian's package `chromium`), if it is there. */
export function findChromium(): string | undefined {
  return ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));
}

/** What a page consists of. */
export interface PageParts {
  /** Its TypeScript module; imports are bundled. */
  readonly script: string;
  /** Served besides: address to file. */
  readonly files: Readonly<Record<string, string>>;
}

/** A page in a browser of its own. */
export interface OpenedPage extends AsyncDisposable {
  /** Calls an exported function of the script; the result comes back as JSON does. */
  call<Result>(name: string): Promise<Result>;
}

/** Opens a page that is served from the loopback address, isolated so that it may share memory. */
export async function openPage(executablePath: string, parts: PageParts): Promise<OpenedPage> {
  const bundle = await bundleForBrowsers(parts.script);
  const server = await serve(async (path) => {
    if (path === '/') return { type: 'text/html', body: '<!doctype html>' };
    if (path === '/page.js') return { type: 'text/javascript', body: bundle };
    const file = parts.files[path];
    return file === undefined ? undefined : { type: 'application/wasm', body: await readFile(file) };
  });
  // Without a user namespace there is no sandbox for root; the page is ours.
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return {
    call: (name) => page.evaluate(`import('/page.js').then((script) => script.${name}())`),
    async [Symbol.asyncDispose]() {
      await browser.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

async function bundleForBrowsers(input: string): Promise<string> {
  await using build = await rolldown({
    input,
    platform: 'browser',
    resolve: { conditionNames: ['source', 'browser', 'import', 'module', 'default'] },
  });
  const { output } = await build.generate({ format: 'esm', codeSplitting: false });
  return output[0].code;
}

type Answer = { readonly type: string; readonly body: string | Buffer };

async function serve(answer: (path: string) => Promise<Answer | undefined>): Promise<Server> {
  const server = createServer((request, response) => {
    void answer(request.url ?? '').then((found) => {
      response.writeHead(found ? 200 : 404, {
        'content-type': found?.type ?? 'text/plain',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
      });
      response.end(found?.body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
