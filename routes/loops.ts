// The event loops that this server's observer shows.
import type { App } from '../src/server/app.ts'
import { loops } from '../src/http/routes/loops.ts'

export default (app: App): void => loops(app, app.observer)
