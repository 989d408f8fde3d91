// The live view: at the root of the observer's port, and under a prefix on the app's own port, where it stalls with the loop.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { NOT_BUILT, readPage } from '../page.ts'
import { Refusal } from '../refusals.ts'
import type { HttpServer } from '../server.ts'

export function page(app: HttpServer, prefix: '' | '/view'): void {
  const files = readPage()
  if (files === null) app.log.warn(NOT_BUILT)

  function send(request: FastifyRequest, reply: FastifyReply, path: string): Promise<Buffer> | '' {
    if (files === null) throw new Refusal('page-not-built', NOT_BUILT)
    const file = files.get(path)
    if (file === undefined) throw new Refusal('no-such-file', `the live view has no ${path}`)
    reply.type(file.type).header('cache-control', file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache')
    if (file.policy !== null) reply.header('content-security-policy', file.policy)
    if (file.version !== null) {
      const tag = `"${file.version}"`
      reply.header('etag', tag)
      if (request.headers['if-none-match'] === tag) {
        reply.code(304)
        return ''
      }
    }
    if (file.packed === null) return file.read()
    reply.header('vary', 'accept-encoding')
    if (!/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) return file.read()
    reply.header('content-encoding', 'gzip')
    return file.packed()
  }

  function add(path: string, isPage: boolean, answer: (request: FastifyRequest, reply: FastifyReply) => unknown): void {
    app.route({ method: 'GET', url: `${prefix}/${path}`, config: { page: isPage, ofPage: true }, schema: { hide: true } as object, handler: app.served(answer) as never })
  }

  // Addresses in the page are relative, so the page's own address must end in a slash.
  add('', true, (request, reply) => {
    const [path, query] = request.url.split('?', 2) as [string, string?]
    if (path.endsWith('/')) return send(request, reply, 'index.html')
    reply.code(302).header('location', `view/${query === undefined ? '' : `?${query}`}`)
    return ''
  })
  // At the root, a path that is not a file gets the common 404.
  if (prefix !== '') add('*', true, (request, reply) => send(request, reply, (request.params as { '*': string })['*']))
  else for (const path of files?.keys() ?? []) add(path, path === 'index.html', (request, reply) => send(request, reply, path))
}
