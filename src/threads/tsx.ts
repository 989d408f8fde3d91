// A program that runs through tsx has its loader in worker threads too, but on Node 20: there hooks are of one thread, and
// tsx registers its own on the main thread only.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const LOADER = /(?:^|[\s=])(\S*\/tsx\/dist\/loader\.mjs|tsx(?:\/esm)?)(?=\s|$)/

/** Register tsx on this thread where the program was started with it and that is not done yet. */
export async function registerTsx(): Promise<void> {
  const loader = LOADER.exec([...process.execArgv, process.env['NODE_OPTIONS']].join(' '))?.[1]
  if (loader === undefined || Number.parseInt(process.versions.node) >= 22) return
  const require = createRequire(loader.startsWith('file:') ? loader : pathToFileURL(`${process.cwd()}/`))
  for (const api of ['tsx/cjs/api', 'tsx/esm/api']) {
    // What is found is the file for require(), which registers hooks for that alone; its twin is beside it.
    const file = pathToFileURL(require.resolve(api).replace(/\.cjs$/, '.mjs'))
    const { register } = (await import(file.href)) as { register: () => unknown }
    register()
  }
}

/** What is to be done about a module that this thread cannot load for its ending, with what Node says as the cause. */
export function explained(error: unknown): unknown {
  if ((error as { code?: unknown } | null)?.code !== 'ERR_UNKNOWN_FILE_EXTENSION') return error
  return new TypeError(
    `${(error as Error).message}: the worker thread has not the loader that the program has. Start Node with --import and a file of ` +
      'yours that registers the loader: each thread loads that file as well',
    { cause: error },
  )
}
