// The build of the playground's parts from the rest of the project: the declarations of the library and of TypeScript, the
// thread with the runtime in it, and the sealed document that starts it. Nothing is copied by hand.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { build, type Plugin, type Rolldown } from 'vite'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const FRAME = fileURLToPath(new URL('frame.js', import.meta.url))
const THREAD = fileURLToPath(new URL('../thread/main.ts', import.meta.url))
const PYTHON = fileURLToPath(new URL('../python/main.ts', import.meta.url))
/** The declarations for programs besides loopscope: the language, and the globals of a worker. */
const LIBRARIES = ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.webworker.d.ts']
/** The file name in stacks of code that is not the program's; `origins.ts` omits such frames. */
const THREAD_NAME = 'loopscope:/thread.js'

const FILES = 'virtual:playground/files'
/** The scripts of the threads, and what each is made of. */
const SCRIPTS: Record<string, string> = { 'virtual:playground/thread': THREAD, 'virtual:playground/python': PYTHON }
const DOCUMENT = 'sandbox.html'

/** For the page and for its workers. */
export function playgroundModules(): Plugin {
  return {
    name: 'playground:modules',
    resolveId: (id) => (id === FILES || Object.hasOwn(SCRIPTS, id) ? `\0${id}` : undefined),
    async load(id) {
      if (id === `\0${FILES}`) return `export default ${JSON.stringify(compilerFiles())}`
      const script = SCRIPTS[id.slice(1)]
      return script === undefined ? undefined : `export default ${JSON.stringify(await thread(script))}`
    },
  }
}

/** For the page alone: emits the sealed document beside it. */
export function playgroundDocument(): Plugin {
  return {
    name: 'playground:document',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: DOCUMENT, source: sealed().document })
    },
    configureServer(server) {
      server.middlewares.use(`/${DOCUMENT}`, (_request, response) => {
        const { document, policy } = sealed()
        response.setHeader('content-type', 'text/html; charset=utf-8')
        response.setHeader('content-security-policy', `${policy}; sandbox allow-scripts`)
        response.end(document)
      })
    },
  }
}

/** The document and its policy, which it also contains: one script, allowed by its hash, and threads from blobs, which may run WebAssembly. */
function sealed(): { document: string; policy: string } {
  const script = readFileSync(FRAME, 'utf8').replace(/^\/\/.*\n/gm, '').trim()
  const hash = createHash('sha256').update(script).digest('base64')
  const policy = `default-src 'none'; script-src 'sha256-${hash}' 'wasm-unsafe-eval' blob:; worker-src blob:; base-uri 'none'; form-action 'none'`
  const document = `<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><title>The playground's sealed thread</title><script>${script}</script></html>\n`
  return { document, policy }
}

/** What the compiler reads besides the program and the modules beside it. */
export function compilerFiles(): Record<string, string> {
  return { ...libraries(), ...declarations() }
}

/** TypeScript's declarations, with those that they refer to. */
function libraries(): Record<string, string> {
  const folder = dirname(fileURLToPath(import.meta.resolve('typescript')))
  const files: Record<string, string> = {}
  const add = (name: string): void => {
    if (files[`/lib/${name}`] !== undefined) return
    const text = readFileSync(join(folder, name), 'utf8')
    files[`/lib/${name}`] = text
    for (const [, other] of text.matchAll(/^\/\/\/ <reference lib="([^"]+)"/gm)) add(`lib.${other}.d.ts`)
  }
  LIBRARIES.forEach(add)
  return files
}

/** The declarations of the package's entry for browsers, without internal ones. */
function declarations(): Record<string, string> {
  const config = ts.getParsedCommandLineOfConfigFile(join(ROOT, 'tsconfig.json'), {
    noEmit: false, declaration: true, emitDeclarationOnly: true, stripInternal: true, sourceMap: false, rootDir: join(ROOT, 'src'), outDir: '/loopscope',
  }, { ...ts.sys, onUnRecoverableConfigFileDiagnostic: ({ messageText }) => { throw new Error(String(messageText)) } })
  const program = ts.createProgram([join(ROOT, 'src/browser.ts')], config?.options ?? {})
  const files: Record<string, string> = {}
  program.emit(undefined, (path, text) => {
    files[`/loopscope/${relative('/loopscope', path)}`] = text
  })
  if (files['/loopscope/browser.d.ts'] === undefined) throw new Error('the declarations of src/browser.ts were not made')
  return files
}

/** A thread as one script. It is not minified, because the runtime's objects show their class names. */
async function thread(input: string): Promise<string> {
  const result = await build({
    configFile: false, root: ROOT, logLevel: 'warn', publicDir: false,
    define: { 'import.meta.url': JSON.stringify(THREAD_NAME) },
    build: { write: false, minify: false, target: 'es2022', copyPublicDir: false, rollupOptions: { input, output: { format: 'iife' } } },
  }) as Rolldown.RolldownOutput | Rolldown.RolldownOutput[]
  const [output] = Array.isArray(result) ? result : [result]
  const chunks = output?.output.filter(({ type }) => type === 'chunk') ?? []
  if (chunks.length !== 1) throw new Error(`the playground's thread is to be one script, not ${chunks.length}`)
  return `${(chunks[0] as Rolldown.OutputChunk).code}\n//# sourceURL=${THREAD_NAME}\n`
}
