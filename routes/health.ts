// Whether the server lives, and whether it is ready for requests: not while it shuts down. Without its observer it is ready:
// it serves as before, and the observer restarts by itself, so this is only reported. Otherwise an app would go down, server
// after server, only because it is not watched.
import type { App } from '../src/server/app.ts'
import { health as healthRoutes } from '../src/http/routes/health.ts'
import { TURNS } from '../src/http/turning.ts'

export default function health(app: App): void {
  healthRoutes(app, app.config.wedgedMs, () => {
    const { up, down } = app.observer
    return { turning: TURNS, closing: app.draining.since !== null, observerDown: up ? null : down?.message ?? 'the observer is starting' }
  })
}
