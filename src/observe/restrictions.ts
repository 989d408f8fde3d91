// What an observer is kept from: by the program's own flags (Node's permission model, frozen intrinsics), or because it watches
// a worker thread. It is said once, when the observer starts, with the flag that would allow it.
import { isMainThread } from 'node:worker_threads'

interface Permission {
  has(scope: string): boolean
}

/** Node's permission model, where the program runs under it. */
const permission = (): Permission | undefined => (process as { permission?: Permission }).permission

/** A scope came with its flag: a Node without the flag answers false, whether or not it restricts that. */
const knows = (flag: string): boolean => process.allowedNodeEnvironmentFlags.has(flag)

/** Why no observer can start here, as its error's code and text; `null`: it can. */
export function refusal(listens: boolean): { code: string; message: string } | null {
  const model = permission()
  if (model === undefined) return null
  const denied = (what: string, flag: string): { code: string; message: string } =>
    ({ code: 'ERR_ACCESS_DENIED', message: `the permission model keeps it from ${what}: start Node with ${flag}` })
  if (!model.has('worker')) return denied('a thread of its own', '--allow-worker')
  return listens && knows('--allow-net') && !model.has('net') ? denied('listening', '--allow-net') : null
}

/** Why a blocked thread's stack cannot be had here; `null`: it can. */
export function stacksMissing(): string | null {
  if (!isMainThread) return 'the inspector knows the stack of the main thread only, and this is a worker thread'
  const inspector = '--allow-inspector'
  if (permission()?.has('inspector') === false) {
    return `the permission model keeps the observer from the inspector: ${knows(inspector) ? `start Node with ${inspector}` : `this Node cannot allow it, newer ones have ${inspector}`}`
  }
  return Object.isFrozen(Error) ? 'with --frozen-intrinsics a thread cannot read its own stack' : null
}
