// Which code is loopscope's own and not the program's: on a stack, the first line to look at is the first that is not ours.

/** The parts of loopscope that appear on stacks. In the package they are files of one folder, with the bundled packages. */
const PARTS = new Set(['runtime', 'testing', 'hosts', 'threads', 'events', 'probe', 'observe', 'http', 'fastify', 'redis', 'server', 'start'])

/** Calculated late, because a bundle may not know its own path. Source maps lead a build back to its sources. */
let folders: readonly string[] | null = null

function ownFolders(): readonly string[] {
  const here = import.meta.url as string | undefined
  if (here === undefined) return []
  const folder = new URL('.', here).href
  return [folder, folder.replace(/\/dist\/(src\/)$/, '/$1')]
}

/** Whether the code at this address is ours. */
export function isOwnCode(url: string): boolean {
  return (folders ??= ownFolders()).some((folder) => {
    if (!url.startsWith(folder)) return false
    const [part, ...below] = url.slice(folder.length).split('/')
    return below.length === 0 || PARTS.has(part as string)
  })
}

/** The innermost frame that belongs neither to Node nor to loopscope: the line to look at. `null` if no frame does. */
export function culpritOf<F extends { file: string }>(frames: readonly F[], isOurs: (file: string) => boolean): F | null {
  return frames.find(({ file }) => !file.startsWith('node:') && !isOurs(file)) ?? null
}
