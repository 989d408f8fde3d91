// The API described for programs, as OpenAPI 3.1, and for people, as a page.
import type { App } from '../src/server/app.ts'

export default function openapi(app: App): void {
  const { documentation } = app
  const schema = { hide: true }
  const page = app.served((request, reply) => documentation.answer(request, reply))
  app.get('/openapi.json', { schema }, app.served(() => documentation.openapi()))
  app.get('/docs', { schema, config: { page: true } }, page)
  app.get('/docs/*', { schema }, page)
}
