// A program that runs through tsx has its loader in worker threads too, but not on Node 20: there, hooks are for one thread,
// and tsx registers its own only on the main thread.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const LOADER = /(?:^|[\s=])(\S*\/tsx\/dist\/loader\.mjs|tsx(?:\/esm)?)(?=\s|$)/

/** Registers tsx on this thread if the program was started with it and that is not done yet. */
export async function registerTsx(): Promise<void> {
  const loader = LOADER.exec([...process.execArgv, process.env['NODE_OPTIONS']].join(' '))?.[1]
  if (loader === undefined || Number.parseInt(process.versions.node) >= 22) return
  const require = createRequire(loader.startsWith('file:') ? loader : pathToFileURL(`${process.cwd()}/`))
  for (const api of ['tsx/cjs/api', 'tsx/esm/api']) {
    // This finds the file for require(), which registers hooks only for that; the one for imports is next to it.
    const file = pathToFileURL(require.resolve(api).replace(/\.cjs$/, '.mjs'))
    const { register } = (await import(file.href)) as { register: () => unknown }
    register()
  }
}

/** What to do about a module that this thread cannot load because of its extension, with Node's error as the cause. */
export function explained(error: unknown): unknown {
  if ((error as { code?: unknown } | null)?.code !== 'ERR_UNKNOWN_FILE_EXTENSION') return error
  return new TypeError(
    `${(error as Error).message}: the worker thread has not the loader that the program has. Start Node with --import and a file of ` +
      'yours that registers the loader: each thread loads that file as well',
    { cause: error },
  )
}
