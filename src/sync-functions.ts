// Which functions block the thread that calls them: the list of loopscope/testing and of the lint rule.

/** The modules of Node whose functions named `…Sync` wait for the system or take long. */
export const SYNC_MODULES = ['fs', 'child_process', 'crypto', 'zlib'] as const

/** It only fills memory, in no time that matters. */
const QUICK = new Set(['randomFillSync'])

/** Whether a function of this name, in one of those modules, blocks. */
export function isSyncFunction(name: string): boolean {
  return name.endsWith('Sync') && !QUICK.has(name)
}
