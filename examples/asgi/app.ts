// All of it as one application: loopscope asgi examples/asgi/app.ts
import { fileURLToPath } from 'node:url'
import { sleep } from '../../src/index.ts'
import { blocking } from './blocking.ts'
import { chat } from './chat.ts'
import { cors } from './cors.ts'
import { echo } from './echo.ts'
import { events } from './events.ts'
import { gzip } from './gzip.ts'
import { messages } from './messages.ts'
import { withRequestId } from './request-id.ts'
import { router } from './router.ts'
import { staticFiles } from './static-files.ts'
import { withTimeout } from './timeout.ts'
import { tutorial } from './tutorial.ts'

const ticks = events(function* (emit, lastId) {
  for (let tick = Number(lastId) || 0; ; yield* sleep(1)) yield* emit({ id: String(++tick), data: `tick ${tick}` })
})

const routes = router({
  '/tutorial/*': tutorial(),
  '/messages': messages,
  'GET /blocking': withTimeout(blocking(), 5),
  'GET /ticks': ticks,
  'WS /echo': echo,
  'WS /chat': chat(),
  '/files/*': staticFiles(fileURLToPath(new URL('..', import.meta.url))),
})

export const app = withRequestId(cors(gzip(routes), { origins: ['*'], expose: ['x-request-id'] }))
export default app
