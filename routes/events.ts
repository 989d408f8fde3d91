// The event stream on the app's own port: the same as on the observer's, but it waits while the loop is blocked.
import type { App } from '../src/server/app.ts'
import { events } from '../src/http/routes/events.ts'

export default (app: App): void => events(app, app.observer)
