// The target of a test: whether anything listens there, and the address of its observer.
import { connect } from 'node:net'
import { request } from 'undici'
import { kindOf } from './failures.ts'
import { TargetError } from './plan.ts'

const REACH_MS = 5000

/** Checks that something listens there. Throws a TargetError that says what happened instead. */
export function reach(address: string): Promise<void> {
  const { origin, hostname, port, protocol } = new URL(address)
  const fail = (why: string): TargetError => new TargetError(`cannot reach ${origin}: ${why}`)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (protocol === 'https:' ? 443 : 80) })
    socket.setTimeout(REACH_MS, () => socket.destroy(fail(`no connection within ${REACH_MS / 1000} s`)))
    socket.on('connect', () => {
      socket.destroy()
      resolve()
    })
    socket.on('error', (error) => {
      const kind = kindOf(error)
      const hint = kind === 'connection refused' ? ', so nothing listens on that port: does the server run?' : ''
      reject(error instanceof TargetError ? error : fail(`${kind}${hint}`))
    })
  })
}

/** The observer of the loopscope server at `origin`, from its redirect for browsers. `null` if it has none. */
export async function observerOf(origin: string): Promise<string | null> {
  try {
    const { headers, body } = await request(origin, { headers: { accept: 'text/html' }, headersTimeout: REACH_MS })
    await body.dump()
    const { location } = headers
    return typeof location === 'string' && /^https?:/.test(location) ? new URL(location).origin : null
  } catch {
    return null
  }
}
