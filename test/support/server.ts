// The server for tests: built with small limits, and closed afterwards.
import type { AddressInfo } from 'node:net'
import { buildApp, type App, type AppOptions } from '../../src/server/app.ts'
import { readConfig } from '../../src/server/config.ts'

export { eventually } from './eventually.ts'

interface Test {
  teardown(fn: () => unknown): void
}

/** Builds the app with this environment, ready for `inject()`. */
export async function build(t: Test, env: Record<string, string> = {}, options: AppOptions = {}): Promise<App> {
  const app = await buildApp(readConfig({ LOG_LEVEL: 'silent', OBSERVER_PORT: '0', ...env }), options)
  await app.ready()
  t.teardown(() => app.close())
  return app
}

/** Builds the app and listens on a free port; also returns its address. */
export async function listen(t: Test, env: Record<string, string> = {}, options: AppOptions = {}): Promise<{ app: App; port: number; url: string }> {
  const app = await buildApp(readConfig({ LOG_LEVEL: 'silent', OBSERVER_PORT: '0', ...env }), options)
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  return { app, port, url: `http://127.0.0.1:${port}` }
}
