// OpenAPI 3.1 from the same schemas that check requests, and a page that shows it at /docs.
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'
import fp from 'fastify-plugin'

// Everything that the page needs is served from here, over http or https as the page was.
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export const documentation = fp(async (app) => {
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
  app.addHook('onRoute', (route) => {
    if (/^\/docs\/?$/.test(route.url)) route.config = { ...route.config, page: true }
  })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: POLICY })
}, { name: 'documentation' })
