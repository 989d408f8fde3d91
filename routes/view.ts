// The live view from the app itself, for where only one port can be reached: it stalls along with the loop that it shows.
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { App } from '../src/server/app.ts'
import { Refusal } from '../src/http/refusals.ts'
import { NOT_BUILT, readPage } from '../src/http/page.ts'

export default function view(app: App): void {
  const files = readPage()
  if (files === null) app.log.warn(NOT_BUILT.trim())

  function send(reply: FastifyReply, path: string): Buffer {
    if (files === null) throw new Refusal('page-not-built', NOT_BUILT.trim())
    const file = files.get(path)
    if (file === undefined) throw new Refusal('no-such-file', `the live view has no ${path}`)
    reply.type(file.type).header('cache-control', file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache')
    if (file.policy !== null) reply.header('content-security-policy', file.policy)
    return file.body
  }

  // Addresses in the page are relative, so the page's own has to end in a slash.
  app.get('/view', { config: { page: true }, schema: { hide: true } }, function* (request, reply) {
    const [path, query] = request.url.split('?', 2) as [string, string?]
    if (!path.endsWith('/')) {
      reply.code(302).header('location', `view/${query === undefined ? '' : `?${query}`}`)
      return ''
    }
    return send(reply, 'index.html')
  })

  app.get('/view/*', { config: { page: true }, schema: { hide: true, params: z.strictObject({ '*': z.string() }) } }, function* (request, reply) {
    return send(reply, request.params['*'])
  })
}
