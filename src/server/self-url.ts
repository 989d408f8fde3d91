// The address of this server from the machine it runs on, for processes that call it back.
import type { FastifyInstance } from 'fastify'
import type { AddressInfo } from 'node:net'
import { Refusal } from '../http/refusals.ts'

/** `http://host:port`. Throws a 503 while it does not listen. */
export function ownAddress(app: Pick<FastifyInstance, 'server'>): string {
  const address = app.server.address() as AddressInfo | null
  if (address === null) throw new Refusal('app-not-listening', 'this server listens nowhere, so it cannot call itself')
  const host = address.address === '::' || address.address === '0.0.0.0' ? '127.0.0.1' : address.address
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}
