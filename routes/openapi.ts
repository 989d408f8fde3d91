// The API described for programs: OpenAPI 3.1, made from the schemas that check requests. The page for people is /docs.
import type { App } from '../src/server/app.ts'

export default function openapi(app: App): void {
  app.get('/openapi.json', { schema: { hide: true } }, function* () {
    return app.swagger()
  })
}
