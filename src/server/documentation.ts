// The API described: OpenAPI 3.1 from the same schemas that check requests, and a page that shows it at /docs. Both come from an
// app of their own, which has the same routes without their handlers. It is loaded and built by the first request for one of
// them: it takes more packages than all the rest, and few servers are asked.
import type { OpenAPIV3_1 } from 'openapi-types'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { httpServer } from '../http/server.ts'

declare module 'fastify' {
  interface FastifyInstance {
    documentation: Documentation
  }
}

// Everything that the page needs is served from here, over http or https as the page was.
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** Headers of a connection, which the app that describes does not have. */
const OF_CONNECTION = ['connection', 'date', 'transfer-encoding']

export class Documentation {
  readonly #routes: RouteOptions[] = []
  #app: ReturnType<typeof build> | null = null

  add({ method, url, schema = {} }: RouteOptions): void {
    if (schema.hide !== true) this.#routes.push({ method, url, schema, handler: () => {} })
  }

  async openapi(): Promise<OpenAPIV3_1.Document> {
    const app = await this.#open()
    return app.swagger() as OpenAPIV3_1.Document
  }

  /** Answers a request for the page or one of its files. */
  async answer({ url, headers }: FastifyRequest, reply: FastifyReply): Promise<Buffer> {
    const app = await this.#open()
    const { statusCode, headers: told, rawPayload } = await app.inject({ url, headers })
    for (const name of OF_CONNECTION) delete told[name]
    reply.code(statusCode).headers(told)
    return rawPayload
  }

  #open(): ReturnType<typeof build> {
    return (this.#app ??= build(this.#routes))
  }
}

async function build(routes: readonly RouteOptions[]) {
  const { default: swagger } = await import('@fastify/swagger')
  const { default: swaggerUi } = await import('@fastify/swagger-ui')
  const { jsonSchemaTransform } = await import('fastify-type-provider-zod')
  const app = httpServer({ bodyLimit: 1, proxies: [] })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'loopscope', version: '0.1.0',
        description: 'asyncio for TypeScript behind Fastify: every request is a task on one event loop, and a handler that blocks the loop delays all of them.',
      },
    },
    transform: jsonSchemaTransform,
  })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: POLICY })
  for (const route of routes) app.route(route as never)
  await app.ready()
  return app
}

export const documentation = fp((app, _options, done) => {
  const described = new Documentation()
  app.decorate('documentation', described)
  app.addHook('onRoute', (route) => described.add(route))
  done()
}, { name: 'documentation' })
