// Live tasks as a tree in characters, children below the task that created them.
import type { LiveLock, LiveTask } from '../schema.ts'

/** The state of one task, as text. `owners`: the names of those that own what it waits for. */
function describe(task: LiveTask, t: number, owners: readonly string[]): string {
  const seconds = `${Math.max(0, t - task.since).toFixed(3)} s`
  const cancelling = task.cancelling === true ? ', cancelling' : ''
  if (task.state === 'running') return `running${cancelling}`
  if (task.state === 'ready') return `ready for ${seconds}${cancelling}`
  const { on } = task
  const end = on?.deadline ?? on?.timeout
  const left = end === undefined ? '' : `, ${Math.max(0, end - t).toFixed(3)} s left`
  const owned = owners.length === 0 ? '' : `, which ${owners.join(', ')} ${owners.length === 1 ? 'owns' : 'own'},`
  const what = on === undefined ? 'something' : on.label === undefined ? on.kind : `${on.kind} ${on.label}`
  return `waits for ${what}${owned} since ${seconds}${left}${cancelling}`
}

/** Draws the tasks as of time `t`. A task whose parent has ended is at the root. */
export function taskTree(tasks: readonly LiveTask[], t: number, locks: readonly LiveLock[] = []): string {
  const children = new Map<number, LiveTask[]>()
  const alive = new Set(tasks.map(({ task }) => task))
  for (const task of tasks) {
    const parent = task.parent !== undefined && alive.has(task.parent) ? task.parent : 0
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [task])
    else siblings.push(task)
  }
  const names = new Map(tasks.map(({ task, name }) => [task, name]))
  const owners = new Map(locks.map((lock) => [lock.lock, [...new Set(lock.owners)].map((owner) => names.get(owner) ?? `task ${owner}`)]))
  const lines = [`${tasks.length} live ${tasks.length === 1 ? 'task' : 'tasks'}`]
  const draw = (parent: number, margin: string): void => {
    const siblings = children.get(parent) ?? []
    siblings.forEach((task, at) => {
      const last = at === siblings.length - 1
      const scope = task.run === undefined ? '' : ` (run ${task.run})`
      lines.push(`${margin}${last ? '└─' : '├─'} ${task.task} ${task.name}${scope}: ${describe(task, t, owners.get(task.on?.label ?? '') ?? [])}`)
      draw(task.task, `${margin}${last ? '   ' : '│  '}`)
    })
  }
  draw(0, '')
  return `${lines.join('\n')}\n`
}
