// Every live task of the server's loop and what it waits for, and a way to cancel one, as on the observer's port.
import type { App } from '../src/server/app.ts'
import { tasks } from '../src/http/routes/tasks.ts'

export default (app: App): void => tasks(app, app.observer)
