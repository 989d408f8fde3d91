// Builds page/, serves it with CPython's files, and opens it in a browser.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { build } from 'vite'
import { pythonFiles } from '../../../src/http/python-files.ts'
import { playgroundDocument, playgroundModules } from '../../../ui/playground/build/plugin.ts'

const HERE = new URL('page/', import.meta.url).pathname
const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

export interface Served {
  address: string
  close(): Promise<void>
}

/** Serves the page until `close` is called. */
export async function servePage(): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), 'loopscope-python-'))
  await build({
    configFile: false, root: HERE, base: './', logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false }, target: 'es2022', minify: false, rollupOptions: { input: join(HERE, 'index.html') } },
    plugins: [playgroundModules(), playgroundDocument()],
    worker: { format: 'es', plugins: () => [playgroundModules()] },
  })
  const python = new Map(pythonFiles())
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').slice(1)
    const file = python.get(path)
    const content = file === undefined ? readFile(join(folder, path)) : file.read()
    content.then((bytes) => {
      response.setHeader('content-type', file?.type ?? TYPES[extname(path)] ?? 'application/octet-stream')
      response.end(bytes)
    }, () => response.writeHead(404).end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/index.html`,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await rm(folder, { recursive: true })
    },
  }
}
