// How to start another program of the project: from its source Node needs the loader for TypeScript, once built nothing.
import { fileURLToPath } from 'node:url'

const SOURCE = import.meta.url.endsWith('.ts')

/** Arguments for Node, before the program's. */
export const NODE_ARGUMENTS: readonly string[] = SOURCE ? ['--import', new URL('../../tools/ts.mjs', import.meta.url).href] : []

/** The program at this place, relative to the caller's `import.meta.url`, named without its ending. */
export function programAt(path: string, base: string): string {
  return fileURLToPath(new URL(`${path}${SOURCE ? '.ts' : '.js'}`, base))
}
