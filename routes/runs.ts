// Past and live runs, as on the observer's port.
import type { App } from '../src/server/app.ts'
import { runs } from '../src/http/routes/runs.ts'

export default (app: App): void => runs(app, app.observer)
