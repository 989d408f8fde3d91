// Every live task of the server's loop and what it waits for, as a tree; and a way to cancel one.
import { z } from 'zod'
import type { App } from '../src/server/app.ts'
import { currentTask, fromPromise } from '../src/index.ts'
import { errorBody, HttpError } from '../src/server/errors.ts'
import { id } from '../src/server/fields.ts'
import { negotiate } from '../src/server/negotiate.ts'
import { taskTree } from '../src/stream/tree.ts'
import { liveTask } from '../src/stream/events.ts'

const list = z.object({ t: z.number(), tasks: z.array(liveTask) })
const cancelled = z.object({ task: z.int(), name: z.string(), cancelling: z.boolean() })
const querystring = z.strictObject({})

export default function tasks(app: App): void {
  const { loop } = app.loopscope
  const tags = ['tasks']

  app.get('/tasks', { schema: { summary: 'What is alive, as a tree', tags, querystring, response: { 200: list, 406: errorBody } } },
    function* (request, reply) {
      const type = negotiate(request.headers.accept, ['text/plain', 'application/json'])
      const { t, snapshot } = yield* fromPromise(app.observer.ask('snapshot'))
      // To the observer this one waited for its answer; to whoever reads it, it is what runs.
      const tasks = snapshot.tasks.map(({ on, ...task }) => (task.task === currentTask()?.id ? { ...task, state: 'running' as const, since: t } : { ...task, ...(on === undefined ? {} : { on }) }))
      if (type === 'application/json') return { t, tasks }
      reply.type('text/plain; charset=utf-8')
      return taskTree(tasks, t)
    })

  app.delete('/tasks/:id', {
    schema: { summary: 'Cancel a task', tags, params: z.strictObject({ id }), querystring, response: { 202: cancelled, 404: errorBody } },
  }, function* (request, reply) {
    const task = [...loop.liveTasks()].find((one) => one.id === request.params.id)
    if (task === undefined) throw new HttpError(404, `there is no live task ${request.params.id}: GET /tasks lists them`)
    task.cancel('DELETE /tasks')
    reply.code(202)
    return { task: task.id, name: task.getName(), cancelling: true }
  })
}
