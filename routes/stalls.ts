// Stalls that are over, and traces, as on the observer's port.
import type { App } from '../src/server/app.ts'
import { stalls } from '../src/http/routes/stalls.ts'

export default (app: App): void => stalls(app, app.observer)
