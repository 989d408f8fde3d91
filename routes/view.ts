// The live view from the app itself, if only one port can be reached: it stalls with the loop that it shows.
import type { App } from '../src/server/app.ts'
import { page } from '../src/http/routes/page.ts'

export default (app: App): void => page(app, '/view')
