// What restricts an observer: flags of the program (Node's permission model, frozen intrinsics), or that it watches a worker
// thread. It is reported once, when the observer starts, with the flag that would allow it.
import { isMainThread } from 'node:worker_threads'

interface Permission {
  has(scope: string): boolean
}

/** Node's permission model, if the program runs under it. */
const permission = (): Permission | undefined => (process as { permission?: Permission }).permission

/** Each scope was added to Node with its flag. A Node without the flag answers false, even if it does not restrict that scope. */
const knows = (flag: string): boolean => process.allowedNodeEnvironmentFlags.has(flag)

/** Why no observer can start here, as an error code and text; `null` if it can. */
export function refusal(listens: boolean): { code: string; message: string } | null {
  const model = permission()
  if (model === undefined) return null
  const denied = (what: string, flag: string): { code: string; message: string } =>
    ({ code: 'ERR_ACCESS_DENIED', message: `the permission model keeps it from ${what}: start Node with ${flag}` })
  if (!model.has('worker')) return denied('a thread of its own', '--allow-worker')
  return listens && knows('--allow-net') && !model.has('net') ? denied('listening', '--allow-net') : null
}

/** Why the stack of a blocked thread is not available here; `null` if it is. */
export function stacksMissing(): string | null {
  if (!isMainThread) return 'the inspector knows the stack of the main thread only, and this is a worker thread'
  const inspector = '--allow-inspector'
  if (permission()?.has('inspector') === false) {
    return `the permission model keeps the observer from the inspector: ${knows(inspector) ? `start Node with ${inspector}` : `this Node cannot allow it, newer ones have ${inspector}`}`
  }
  return Object.isFrozen(Error) ? 'with --frozen-intrinsics a thread cannot read its own stack' : null
}
