// Every live task of the server's loop and what it waits for, as a tree; and a way to cancel one.
import { z } from 'zod'
import type { App } from '../src/server/app.ts'
import { currentTask, fromPromise } from '../src/index.ts'
import { errorBody } from '../src/http/errors.ts'
import { loopDoesNotAnswer, noSuchTask } from '../src/http/refusals.ts'
import type { LiveTask } from '../src/events/schema.ts'
import { taskTrees, type CoveredTasks } from '../src/observe/queries.ts'
import { id } from '../src/http/fields.ts'
import { negotiate } from '../src/http/negotiate.ts'
import { ofLoop } from '../src/http/event-stream.ts'
import { liveTask, loopState } from '../src/events/schema.ts'

const ofOne = z.object({ t: z.number().describe('seconds on the clock of the loop'), tasks: z.array(liveTask) })
const list = ofOne.extend({
  loop: z.string().optional(), state: loopState.optional(),
  loops: z.array(ofOne.extend({ loop: z.string(), state: loopState })).optional().describe('where several loops are watched: each, this one first'),
})
const cancelled = z.object({ task: z.int(), name: z.string(), cancelling: z.boolean() })

export default function tasks(app: App): void {
  const { loop } = app.loopscope
  const tags = ['tasks']

  app.get('/tasks', { schema: { summary: 'What is alive, as a tree', tags, querystring: ofLoop, response: { 200: list, 404: errorBody, 406: errorBody, 503: errorBody } } },
    function* (request, reply) {
      const type = negotiate(request.headers.accept, ['text/plain', 'application/json'])
      const tasks = asRead(yield* fromPromise(app.observer.ask('tasks', request.query.loop)), app.observer.name)
      if (type === 'application/json') return tasks
      reply.type('text/plain; charset=utf-8')
      return taskTrees(tasks, app.observer.name)
    })

  app.delete('/tasks/:id', {
    schema: { summary: 'Cancel a task', tags, params: z.strictObject({ id }), querystring: ofLoop, response: { 202: cancelled, 404: errorBody, 503: errorBody } },
  }, function* (request, reply) {
    const { params: { id: wanted }, query: { loop: name } } = request
    if (name !== undefined && name !== app.observer.name) {
      const found = yield* fromPromise(app.observer.ask('cancel', name, 'task', wanted))
      if (found === 'late') throw loopDoesNotAnswer(name)
      if (found === null) throw noSuchTask(wanted)
      reply.code(202)
      return { task: wanted, ...found }
    }
    const task = [...loop.liveTasks()].find((one) => one.id === wanted)
    if (task === undefined) throw noSuchTask(wanted)
    task.cancel('DELETE /tasks')
    reply.code(202)
    return { task: task.id, name: task.getName(), cancelling: true }
  })
}

/** To the observer this task waited for its answer; to whoever reads it, it is what runs. */
function asRead(covered: CoveredTasks, self: string): CoveredTasks {
  const own = (tasks: LiveTask[], t: number): LiveTask[] => tasks.map(({ on, ...task }) => (
    task.task === currentTask()?.id ? { ...task, state: 'running' as const, since: t } : { ...task, ...(on === undefined ? {} : { on }) }
  ))
  const { loop = self, tasks, t, loops } = covered
  return {
    ...covered, tasks: loop === self ? own(tasks, t) : tasks,
    ...(loops === undefined ? {} : { loops: loops.map((one) => (one.loop === self ? { ...one, tasks: own(one.tasks, one.t) } : one)) }),
  }
}
