// Every live task and what it waits for, as a tree; and a way to cancel one.
import { z } from 'zod'
import { taskTree } from '../../events/render/ascii-tree.ts'
import { errorBody } from '../errors.ts'
import { ofLoop } from '../event-stream.ts'
import { flag, id } from '../fields.ts'
import type { Monitor, TaskList } from '../monitor.ts'
import { negotiate } from '../negotiate.ts'
import { paths } from '../paths.ts'
import { noSuchTask } from '../refusals.ts'
import { taskList } from '../schemas.ts'
import { serve, type HttpServer } from '../server.ts'

const cancelled = z.object({ task: z.int(), name: z.string(), cancelling: z.boolean() })

export function tasks(app: HttpServer, monitor: Monitor): void {
  serve(app, 'GET', paths.tasks, {
    summary: 'What is alive, as a tree', tags: ['tasks'], querystring: ofLoop.extend({ lines: flag.optional().describe('with the line where each task of this process waits: it is asked for its coroutines') }), response: { 200: taskList, 404: errorBody, 406: errorBody, 503: errorBody },
  }, async (request, reply) => {
    const type = negotiate(request.headers.accept, ['text/plain', 'application/json'])
    const list = await monitor.tasks(request.query.loop, request.query.lines)
    if (type === 'application/json') return list
    reply.type('text/plain; charset=utf-8')
    return trees(list, monitor.name)
  })

  serve(app, 'DELETE', `${paths.tasks}/:id`, {
    summary: 'Cancel a task', tags: ['tasks'], params: z.strictObject({ id }), querystring: ofLoop, response: { 202: cancelled, 404: errorBody, 503: errorBody },
  }, async (request, reply) => {
    const { params: { id: task }, query: { loop } } = request
    const found = await monitor.cancel('task', task, loop)
    if (found === null) throw noSuchTask(task)
    reply.code(202)
    return { task, ...found }
  })
}

/** The tasks as trees. With several loops, each tree has its loop's name; `self` is the loop that answers. */
function trees({ loop, state, t, tasks, locks, loops = [] }: TaskList, self: string): string {
  const named = loop !== undefined && loop !== self && state !== undefined ? [{ loop, state, t, tasks, locks }] : loops
  if (named.length === 0 || (loop === undefined && named.length < 2)) return taskTree(tasks, t, locks)
  return named.map((one) => `${one.loop}${one.loop === self ? ', this one' : one.state === 'live' ? '' : `, ${one.state}, as it was last seen`}\n${taskTree(one.tasks, one.t, one.locks)}`).join('\n')
}
