// The tutorial's programs again, now as an ASGI application within this app, with the limits of this server.
import type { App } from '../src/server/app.ts'
import type { Program, RunListener } from '../src/server/run.ts'
import { blocking } from '../examples/asgi/blocking.ts'
import { messages } from '../examples/asgi/messages.ts'
import { router } from '../examples/asgi/router.ts'
import { Busy, tutorial, type RunProgram } from '../examples/asgi/tutorial.ts'
import { speed } from '../examples/pace.ts'
import { asgi } from '../src/asgi/mount.ts'
import { Refusal } from '../src/http/refusals.ts'

export default function asgiRoutes(app: App): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    app.readers.watch(request.raw.socket)
    done()
  })
  const application = router({ '/messages': messages, 'GET /blocking': blocking(app.config.maxMs), '/*': tutorial(runs(app)) })
  void app.register(asgi(application, { lifespan: 'off', maxRequests: app.config.maxRequests, ...app.costly }), { prefix: '/asgi' })
}

/** Programs are runs of this server: in its list, its view, and within its limit. */
function runs({ runs }: App): RunProgram {
  return function* (example, pace, print) {
    const program: Program = {
      example: example.number, parameters: { speed: pace, clock: 'real' }, virtual: false,
      *main() {
        speed.set(pace)
        yield* example.main()
      },
    }
    const listener: RunListener = {
      line({ text }) {
        print(text)
        return true
      },
    }
    try {
      const run = runs.prepare(program, listener)
      yield* runs.follow(run, program)
      const { outcome, error } = run.record
      return outcome === 'returned' ? '' : outcome === 'cancelled' ? '(cancelled)' : `(failed: ${error})`
    } catch (error) {
      throw error instanceof Refusal ? new Busy(error.message) : error
    }
  }
}
