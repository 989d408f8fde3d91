// What a test is aimed at: whether anything listens there, and where its observer is.
import { connect } from 'node:net'
import { kindOf } from './failures.ts'
import { TargetError } from './plan.ts'

const REACH_MS = 5000

/** See that something listens there. Throws a TargetError that says what happened instead. */
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

/** Where the observer of the server at `address` should be: beside it, on OBSERVER_PORT. `null` where that cannot be known. */
export function observerOf(address: string, env: NodeJS.ProcessEnv = process.env): string | null {
  const { protocol, hostname, port } = new URL(address)
  if (protocol !== 'http:' || port !== (env['PORT'] || '8000')) return null
  return `http://${hostname}:${env['OBSERVER_PORT'] || '8001'}`
}
