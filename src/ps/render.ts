// The live tasks of a program as a table and as a tree, like `python -m asyncio ps` and `pstree`: each task is below the one that awaits it.
import type { LiveLock, LiveTask } from '../events/schema.ts'

const COLUMNS = ['task id', 'task name', 'coroutine stack', 'waits for', 'awaiter name', 'awaiter id'] as const

/** The tasks that await each task. Of a gather or a group the events name one task; the others are children of the one that awaits. */
function awaitersOf(tasks: readonly LiveTask[]): Map<number, LiveTask[]> {
  const byId = new Map(tasks.map((task) => [task.task, task]))
  const awaiters = new Map<number, LiveTask[]>()
  const add = (task: number, awaiter: LiveTask): void => {
    const known = awaiters.get(task)
    if (known === undefined) awaiters.set(task, [awaiter])
    else if (!known.includes(awaiter)) known.push(awaiter)
  }
  for (const one of tasks) if (one.state === 'suspended' && one.on?.task !== undefined) add(one.on.task, one)
  for (const one of tasks) {
    const parent = one.parent === undefined ? undefined : byId.get(one.parent)
    if (parent?.state === 'suspended' && parent.on?.kind === 'gather' && !awaiters.has(one.task)) add(one.task, parent)
  }
  return awaiters
}

function place({ coroutine, location }: LiveTask): string {
  return [coroutine, location === undefined ? '' : `${location.file}:${location.line}`].filter((part) => part !== '').join(' ')
}

function waits({ state, on }: LiveTask, owners: (label: string) => string): string {
  if (state !== 'suspended' || on === undefined) return state
  if (on.label === undefined) return on.kind
  const owned = owners(on.label)
  return `${on.kind} ${on.label}${owned === '' ? '' : ` of ${owned}`}`
}

function ownersIn(tasks: readonly LiveTask[], locks: readonly LiveLock[]): (label: string) => string {
  const names = new Map(tasks.map(({ task, name }) => [task, name]))
  const owners = new Map(locks.map((lock) => [lock.lock, [...new Set(lock.owners)].map((owner) => names.get(owner) ?? `task ${owner}`).join(', ')]))
  return (label) => owners.get(label) ?? ''
}

/** Names are the program's: they may contain what a terminal would obey. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '�')
}

export function taskTable(tasks: readonly LiveTask[], locks: readonly LiveLock[]): string {
  const awaiters = awaitersOf(tasks)
  const owners = ownersIn(tasks, locks)
  const rows = tasks.map((task) => {
    const by = awaiters.get(task.task) ?? []
    return [String(task.task), task.name, place(task), waits(task, owners), by.map(({ name }) => name).join(', '), by.map((one) => one.task).join(', ')].map(plain)
  })
  const widths = COLUMNS.map((column, at) => Math.max(column.length, ...rows.map((row) => (row[at] as string).length)))
  const line = (cells: readonly string[]): string => cells.map((cell, at) => cell.padEnd(widths[at] as number)).join('  ').trimEnd()
  return [line(COLUMNS), '-'.repeat(widths.reduce((sum, width) => sum + width + 2, -2)), ...rows.map(line)].join('\n')
}

export function awaitTree(tasks: readonly LiveTask[], locks: readonly LiveLock[]): string {
  const awaiters = awaitersOf(tasks)
  const owners = ownersIn(tasks, locks)
  const awaited = new Map<LiveTask, LiveTask[]>()
  for (const task of tasks) for (const by of awaiters.get(task.task) ?? []) awaited.set(by, [...awaited.get(by) ?? [], task])
  const lines: string[] = []
  const drawn = new Set<LiveTask>()
  const draw = (task: LiveTask, margin: string, last: boolean): void => {
    const repeated = drawn.has(task)
    drawn.add(task)
    lines.push(plain(`${margin}${last ? '└── ' : '├── '}(T) ${task.name}${repeated ? ' (see above)' : ''}`))
    if (repeated) return
    const below = `${margin}${last ? '    ' : '│   '}`
    const children = awaited.get(task) ?? []
    lines.push(plain(`${below}└──  ${place(task)}${children.length > 0 ? '' : `, ${waits(task, owners)}`}`))
    for (const [at, child] of children.entries()) draw(child, `${below}    `, at === children.length - 1)
  }
  const roots = tasks.filter((task) => !awaiters.has(task.task))
  for (const root of roots) draw(root, '', true)
  // What is left awaits each other.
  for (const task of tasks) if (!drawn.has(task)) draw(task, '', true)
  return lines.join('\n')
}
